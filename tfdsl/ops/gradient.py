"""Gradients: ops on the graph itself."""

from typing import NoReturn

from .batch import whole
from .op import Alike, OpCall
from .row import table

OPS, row = table("graph")


# fmt: off
def _by_the_analysis(call: OpCall) -> NoReturn:
    raise AssertionError("the analysis types this op by what it differentiates")


row("gradients", "ys: T, xs: T, method: text = \"reverse\"", _by_the_analysis, "gradients",
    "The gradients of the sum of ys with respect to each of xs: a list of tensors, each of the shape of its x. "
    "The method is reverse (one pass for all xs), forward (one pass for each element of each x), numeric (central "
    "differences, two evaluations for each element) or symbolic (formulas, for scalars; it needs SymPy).",
    "variable a = 2.0\ngradients(square(a), [a])", batch=whole, lowered="gradients.gradients", alike=Alike.NEVER,
    picture="train", T="inexact")
# fmt: on
