"""Evaluates session expressions outside the graph, with fetched values."""

import builtins
import operator
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, assert_never

import numpy as np

from ...diagnostics import RUN_FAILED
from ...lowering.failures import failure, plain_reason
from ...program import (
    Apply,
    BatchField,
    Counter,
    Fetch,
    Field,
    Index,
    Origin,
    PlanExpr,
    Ref,
    SessionValue,
    Template,
    Value,
    counters_of,
    thaw,
)
from .kept import Kept

# What TensorFlow, NumPy and Python compute for a program: arrays, numbers, texts, bytes, None, and lists of these.
Fetched: TypeAlias = Any


def no_batch(field: str) -> np.ndarray:
    """The fields of a batch outside trainings, where there is none."""
    raise AssertionError(f"{field} of a batch outside a training")


@dataclass(slots=True)
class EvalContext:
    """What a statement can use when it runs: data, the loop's counters, the current batch, and the values that names of
    the session have."""

    data: Callable[[Field], np.ndarray]
    counters: dict[str, object] = field(default_factory=dict)
    batch: Callable[[str], np.ndarray | int] = no_batch
    kept: dict[str, Kept] = field(default_factory=dict)

    def arrays(self, field: Field) -> Fetched:  # an array, or the number of rows
        """An array of data, or of what an `evaluate` gave a name."""
        kept = self.kept.get(field.data)
        return self.data(field) if kept is None else kept.column(field.field)


def _power(base: Fetched, exponent: Fetched) -> Fetched:
    result = base**exponent
    if isinstance(result, complex) and not isinstance(base, complex) and not isinstance(exponent, complex):
        raise ValueError("a negative number raised to a fraction is no real number")
    return result


_OPERATORS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": _power, "@": operator.matmul,
    "unary -": operator.neg, "unary +": operator.pos,
    "in": lambda a, b: a in b, "not in": lambda a, b: a not in b,
    "list": lambda *items: _listed(items), "format": lambda value, format: _formatted(value, format),
}  # fmt: skip
_COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


def _listed(items: tuple[Fetched, ...]) -> np.ndarray:
    """A list of values. Strings among those of TensorFlow are bytes too."""
    if not any(isinstance(one, bytes) or (isinstance(one, np.ndarray) and one.dtype.kind == "O") for one in items):
        return np.array(items)
    return np.array([one.encode() if isinstance(one, str) else one for one in items], object)


def _formatted(value: object, format: str) -> str:
    """A single value in a format of Python's."""
    if isinstance(value, (np.ndarray, np.generic)) and value.size == 1:
        value = value.item()
    return builtins.format(_as_text(value), format)


def _text(value: object) -> str:
    """A value in a printed line, or in a string."""
    return str(_as_text(value))


def _as_text(value: Fetched) -> Fetched:
    """A value with text in place of TensorFlow's bytes. Bytes that are no UTF-8 are escaped."""
    match value:
        case bytes():
            return value.decode("utf-8", "backslashreplace")
        case list() | tuple():
            return type(value)(map(_as_text, value))
        case np.ndarray() if value.dtype.kind in "OS":
            texts = np.empty(value.shape, object)
            for at, one in enumerate(value.flat):
                texts.flat[at] = _as_text(one)
            return texts
    return value


def value_at(
    origin: Origin, expr: PlanExpr, fetched: Mapping[Ref, object], context: EvalContext, within: float | None = None
) -> Fetched:
    """The value of an expression. Failing arithmetic is an error at its place in the program."""
    try:
        with np.errstate(all="ignore"):
            return value(expr, fetched, context, within)
    except (TypeError, ValueError, ArithmeticError, IndexError) as error:
        help = _from_one(expr, fetched, context) if isinstance(error, ZeroDivisionError) else ""
        raise failure(RUN_FAILED, origin, reason=plain_reason(error), help=help) from error


def _from_one(expr: PlanExpr, fetched: Mapping[Ref, object], context: EvalContext) -> str:
    """Help for a division by a counter that is 0."""
    for name in sorted({name for name in counters_of(expr) if context.counters.get(name) == 0}):
        with suppress(TypeError, ValueError, ArithmeticError, IndexError):
            value(expr, fetched, replace(context, counters={**context.counters, name: 1}))
            return f"{name} is 0 at the first {name}; write ({name} + 1) to count from 1"
    return ""


def shown_at(origin: Origin, result: object) -> str:
    """The text of a value. Python refuses to write whole numbers with thousands of digits."""
    try:
        return _text(result)
    except ValueError as error:
        raise failure(RUN_FAILED, origin, reason=plain_reason(error)) from error


def value(expr: PlanExpr, fetched: Mapping[Ref, object], context: EvalContext, within: float | None = None) -> object:
    """The value of an expression. Arrays are NumPy arrays; numbers are NumPy or Python numbers."""
    match expr:
        case Value():
            return thaw(expr.value)
        case Fetch():
            return fetched[expr.ref]
        case Counter():
            return context.counters[expr.name]
        case Field():
            return context.arrays(expr)
        case SessionValue():
            return indexed(context.kept[expr.name].fields[expr.field], expr.index)
        case BatchField():
            return indexed(context.batch(expr.field), expr.index)
        case Template():
            return "".join(p if isinstance(p, str) else _text(value(p, fetched, context)) for p in expr.parts)
        case Apply(op="and"):
            return all(truth(value(arg, fetched, context, within)) for arg in expr.args)
        case Apply(op="or"):
            return any(truth(value(arg, fetched, context, within)) for arg in expr.args)
        case Apply(op="not"):
            return not truth(value(expr.args[0], fetched, context, within))
        case Apply(op="if"):
            test, then, otherwise = expr.args
            return value(then if truth(value(test, fetched, context)) else otherwise, fetched, context)
        case Apply():
            args = [value(arg, fetched, context) for arg in expr.args]
            if expr.op in _COMPARISONS:
                left, right = args
                return compare(expr.op, left, right, within)
            return _OPERATORS[expr.op](*_exact(args))
        case _:
            assert_never(expr)


def _exact(args: list[Fetched]) -> list[Fetched]:
    """Operands, with whole numbers as Python's, which have no largest one, unless there are others beside them."""
    is_whole = all(
        (isinstance(one, (np.ndarray, np.generic)) and one.shape == () and one.dtype.kind in "iu") or type(one) is int
        for one in args
    )
    return [int(one) for one in args] if is_whole else args


def truth(result: object) -> bool:
    """Whether a condition holds: for an array, whether it holds for every element."""
    return bool(np.all(np.asanyarray(result)))


def compare(op: str, left: object, right: object, within: float | None = None) -> bool:
    """Whether a comparison holds for every element. Shapes must agree unless one side is a single number.

    Number literals take the dtype of the tensor beside them, as in the graph. `within` is the largest absolute
    difference at which two numbers count as equal.
    """
    left, right = _alike(left, right), _alike(right, left)
    if left.shape and right.shape and left.shape != right.shape:
        return op == "!="
    if within is not None and op in ("==", "!="):
        exact = object if {left.dtype.kind, right.dtype.kind} <= set("iub") else np.float64
        dtype = np.complex128 if "c" in (left.dtype.kind, right.dtype.kind) else exact
        apart = np.abs(left.astype(dtype) - right.astype(dtype))
        near = np.all((left == right) | (apart <= within))  # also equal infinities
        return bool(near) is (op == "==")
    if any(map(_is_large, (left, right))) and "f" in (left.dtype.kind, right.dtype.kind):
        left, right = left.astype(object), right.astype(object)  # exact comparison by Python
    result = np.asarray(_COMPARISONS[op](left, right))
    return bool(result.any() if op == "!=" else result.all())


def _is_large(array: np.ndarray) -> bool:
    """Whether integers are beyond the range in which floats represent all integers."""
    return array.dtype.kind in "iu" and array.size > 0 and max(int(array.max()), -int(array.min())) > 2**53


def _alike(side: object, other: object) -> np.ndarray:
    if isinstance(side, bytes):
        return np.asarray(side, object)  # an array of bytes would lose zeros at the end
    if isinstance(side, str):
        return np.asarray(side.encode(), object) if isinstance(other, (bytes, np.ndarray)) else np.asarray(side)
    if isinstance(other, (np.ndarray, np.generic)) and not isinstance(side, (np.ndarray, np.generic)):
        if other.dtype.kind == "O":
            array = np.asarray(side, object)
            return np.asarray(np.vectorize(lambda v: v.encode() if isinstance(v, str) else v, otypes=[object])(array))
        array = np.asarray(side)
        if other.dtype.kind in "fc" and array.dtype.kind in "iuf":
            return array.astype(other.dtype)
        return array
    return np.asarray(side)


def indexed(array: Fetched, index: tuple[Index, ...]) -> Fetched:
    """A part of data. `index` has integers and (start, stop, step) triples for the first axes. Without an index, the
    value may be anything, such as the number of rows."""
    if not index:
        return array
    array = np.asarray(array) if isinstance(array, list) else array
    return array[tuple(slice(*item) if isinstance(item, tuple) else item for item in index)]
