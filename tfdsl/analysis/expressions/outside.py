"""Names from outside the text, such as names from other cells of a notebook, and their values.

A caller passes them as `ExternalNames`. The mappings hold plain Python values, arrays (any object with a dtype
and a shape), dicts of these, `KnownData` and functions.
"""

from typing import Any, Protocol, cast, runtime_checkable

from ...program import Field
from ...syntax import tree as t
from ...types import DTYPES, STRING, TensorType
from ..context import Analysis
from ..names import declared
from ..values import Array, DataValue, ExprValue, Function, Host, KnownData, Outputs


@runtime_checkable
class _Array(Protocol):
    """The attributes of NumPy arrays, without importing NumPy."""

    @property
    def dtype(self) -> Any: ...  # a dtype of any NumPy version

    @property
    def shape(self) -> tuple[int, ...]: ...


def has(ctx: Analysis, name: str, above: bool) -> bool:
    """Whether a name comes from an earlier text or from a neighbouring one."""
    if ctx.outside is None or name not in (ctx.outside.above if above else ctx.outside.beside):
        return False
    owners = (None, *ctx.calling)  # the top of the text, and the functions being called
    return not any(target.id == name and owner in owners for target, owner in declared(ctx.tree))


def take(ctx: Analysis, name: str) -> ExprValue:
    """The value of a name from outside the text."""
    if name not in ctx.taken:
        ctx.taken[name] = _value(ctx, name)
    return ctx.taken[name]


def _value(ctx: Analysis, name: str) -> ExprValue:
    assert ctx.outside is not None  # only called if the name exists
    match ctx.outside[name]:
        case dict() as fields:
            return Outputs([_value(ctx, f"{name}.{key}") for key in fields], list(fields))
        case KnownData(data, pipeline):
            ctx.data.append(data)
            ctx.pipelines[name] = pipeline
            ctx.datasets[name] = DataValue(name, "", pipeline.schema, data.origin.span)
            return ctx.datasets[name]
        case t.Def() as function:
            return Function(function, ctx.env)
        case _Array() as array:
            dtype = STRING if array.dtype.name == "object" else DTYPES[array.dtype.name]
            return Array(Field(name, "", ""), TensorType(dtype, tuple(array.shape)))
        case value:
            return cast(Host, value)  # the caller passes nothing else
