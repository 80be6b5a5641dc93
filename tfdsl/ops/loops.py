"""Loops in the graph that apply a function of the program to the elements of tensors.

Their nodes have a region for the function. The analysis types them by what the function makes.
"""

from typing import NoReturn

from .batch import whole
from .op import Alike, OpCall
from .row import table

OPS, row = table("graph", alike=Alike.NEVER, regions=("function",), picture="control")


def _by_the_analysis(call: OpCall) -> NoReturn:
    raise AssertionError("the analysis types this op by its function")


_FOLDED = "fn: function, elems: T, initializer: U? = none, parallel_iterations: integer = 10"

# fmt: off
row("map_fn", "fn: function, elems: T, dtype: dtype = none, parallel_iterations: integer = 10", _by_the_analysis,
    "map_fn",
    "Applies a function to each element of elems along the first axis, and stacks what it returns. If elems is a list "
    "of tensors, the function gets a list with an element of each.",
    "map_fn(reduce_max, constant([[1, 5], [7, 2]]))", batch=whole, lowered="control.map_fn", stacks=True)
row("foldl", _FOLDED, _by_the_analysis, "foldl",
    "Goes through the elements of elems along the first axis. The function gets its own last value and an element, and "
    "returns the next value; the last one is the result. It begins with the initializer, or else with the first "
    "element. Values and elems may be lists of tensors.",
    "foldl(add, constant([1, 2, 3]))", batch=whole, lowered="control.fold", folds=True)
row("foldr", _FOLDED, _by_the_analysis, "foldr", "Like foldl, from the last element to the first.",
    "foldr(subtract, constant([1, 2, 3]))", batch=whole, lowered="control.fold", folds=True)
row("scan", f"{_FOLDED}, reverse: flag = false", _by_the_analysis, "scan",
    "Like foldl, but the result has all values, stacked. With `reverse`, it goes from the last element to the first, "
    "and each value stands at the place of its element.",
    "scan(add, constant([1, 2, 3]))", batch=whole, lowered="control.scan", folds=True, stacks=True)
# fmt: on
