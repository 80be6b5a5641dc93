"""Python's built-in functions for values known at compile time. The caller limits the size of arguments and results.

The functions accept any value. A TypeError is reported at the call.
"""

from typing import Any, TypeAlias

from ...types import DType
from ..values import Builtin, DataValue, ExprValue, ShapeOf

_Value: TypeAlias = Any  # a value of the language: Python's functions refuse those that do not fit


def _list(value: _Value = ()) -> list[_Value]:
    return list(_items(value))


def _number(value: _Value) -> _Value:
    """A value that has to be a number. In Python, true would be 1."""
    if isinstance(value, bool):
        raise TypeError("true and false are no numbers")
    return value


def _alike(values: _Value) -> _Value:
    """Values that are compared or added. Numbers do not go with true and false, which would be 1 and 0 in Python."""
    if isinstance(values, (list, tuple)) and len({type(one) is bool for one in values}) == 2:
        raise TypeError("true and false are no numbers")
    return values


def _range(*values: _Value) -> range:
    return range(*map(_number, values))


def _zip(*values: _Value) -> list[_Value]:
    return list(zip(*map(_items, values), strict=False))


def _enumerate(value: _Value, start: int = 0) -> list[_Value]:
    if not -(2**63) <= _number(start) < 2**63:
        raise ValueError("it does not start that far from 0")
    return list(enumerate(_list(value), start))


def _sum(values: _Value, start: _Value = 0) -> _Value:
    if not isinstance(start, (list, tuple)):
        return sum(_alike(_list(values)), _number(start))
    result = list(start)  # adding lists one by one would copy the first ones again and again
    for value in _list(values):
        if type(value) is not type(start):
            raise TypeError("it adds values of one kind")
        result += value
    return type(start)(result)


def _items(value: _Value) -> _Value:
    return list(value.dims) if isinstance(value, ShapeOf) and value.dims is not None else value


def _sorted(value: _Value) -> list[_Value]:
    return sorted(_alike(_list(value)))


def _len(value: _Value) -> int:
    if isinstance(value, ShapeOf):
        if value.dims is None:
            raise ValueError(f"the rank of {value.text} is not known while compiling")
        return len(value.dims)
    if isinstance(value, DataValue):
        return value.schema.rows
    return len(value)


def _str(value: ExprValue = "") -> str:
    return str(value) if not isinstance(value, DType) else value.name


BUILTINS: dict[str, Builtin] = {
    name: Builtin(name, function)
    for name, function in {
        "range": _range,
        "len": _len,
        "list": _list,
        "tuple": lambda value=(): tuple(_list(value)),
        "enumerate": _enumerate,
        "zip": _zip,
        "reversed": lambda value: _list(value)[::-1],
        "sorted": _sorted,
        "sum": _sum,
        "min": lambda *values: min(*map(_alike, values if len(values) == 1 else [values])),
        "max": lambda *values: max(*map(_alike, values if len(values) == 1 else [values])),
        "any": lambda values: any(values),
        "all": lambda values: all(values),
        "int": int,
        "float": float,
        "bool": bool,
        "str": _str,
    }.items()
}
