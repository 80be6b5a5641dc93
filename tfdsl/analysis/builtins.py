"""Python's own functions, for values known while compiling."""

from ..types import DType
from .limits import MAX_LIST
from .values import Builtin, Dataset, ShapeOf


class TooLarge(Exception):
    """A value that is too large to build while compiling."""


def _range(*bounds):
    value = range(*bounds)
    # Not len(): it cannot count that far.
    count = (value.stop - value.start) // value.step
    if count > MAX_LIST:
        raise TooLarge("too many elements")
    return value


def _list(value=()):
    return list(_items(value))


def _zip(*values):
    if len(values) * min(map(_len, values), default=0) > MAX_LIST:
        raise TooLarge("too many elements")
    return list(zip(*map(_items, values), strict=False))


def _items(value):
    return list(value.dims) if isinstance(value, ShapeOf) else value


def _len(value):
    if isinstance(value, ShapeOf):
        if value.dims is None:
            raise ValueError(f"the rank of {value.text} is not known while compiling")
        return len(value.dims)
    if isinstance(value, Dataset):
        return value.schema.rows
    return len(value)


def _str(value=""):
    return str(value) if not isinstance(value, DType) else value.name


BUILTINS: dict[str, Builtin] = {
    name: Builtin(name, function)
    for name, function in {
        "range": _range,
        "len": _len,
        "list": _list,
        "tuple": lambda value=(): tuple(_list(value)),
        "enumerate": lambda value, start=0: list(enumerate(_list(value), start)),
        "zip": _zip,
        "reversed": lambda value: _list(value)[::-1],
        "sorted": lambda value: sorted(_list(value)),
        "sum": lambda values, start=0: sum(_list(values), start),
        "min": lambda *values: min(*values),
        "max": lambda *values: max(*values),
        "any": lambda values: any(values),
        "all": lambda values: all(values),
        "int": int,
        "float": float,
        "bool": bool,
        "str": _str,
    }.items()
}

# These are ops too: with only numbers they are Python's, with a tensor TensorFlow's.
SHARED_WITH_OPS = {"abs": abs, "round": round, "pow": pow}
