"""Names from outside of the text, such as those of a notebook's other cells, and what they stand for.

A caller gives them as `ExternalNames`. The values of its mappings are plain Python values, arrays (anything
with a dtype and a shape), `KnownData` and functions.
"""

from typing import Any, Protocol, runtime_checkable

from ..program import Field
from ..syntax import tree as t
from ..types import DTYPES, STRING, TensorType
from .context import Analysis
from .names import declared
from .values import Array, DataValue, Function, KnownData


@runtime_checkable
class _Array(Protocol):
    """What NumPy's arrays have, without importing NumPy."""

    @property
    def dtype(self) -> Any: ...  # NumPy's, of whichever version

    @property
    def shape(self) -> tuple[int, ...]: ...


def has(ctx: Analysis, name: str, above: bool) -> bool:
    """Whether a name is from above, or from beside."""
    if ctx.outside is None or name not in (ctx.outside.above if above else ctx.outside.beside):
        return False
    owners = (None, *ctx.calling)  # the top of the text, and the functions that are open
    return not any(target.id == name and owner in owners for target, owner in declared(ctx.tree))


def take(ctx: Analysis, name: str) -> object:
    """The value of a name from outside."""
    if name not in ctx.taken:
        ctx.taken[name] = _value(ctx, name)
    return ctx.taken[name]


def _value(ctx: Analysis, name: str) -> object:
    assert ctx.outside is not None  # it has the name
    match ctx.outside[name]:
        case KnownData(data, schema):
            ctx.data.append(data)
            ctx.datasets[name] = DataValue(name, "", schema, data.origin.span)
            return ctx.datasets[name]
        case t.Def() as function:
            return Function(function, ctx.env)
        case _Array() as array:
            dtype = STRING if array.dtype.name == "object" else DTYPES[array.dtype.name]
            return Array(Field(name, "", ""), TensorType(dtype, tuple(array.shape)))
        case value:
            return value
