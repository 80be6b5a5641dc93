"""Analyses `stored("name", from="file.npz")`: a constant whose type is in the header of its file."""

import os
from collections.abc import Mapping

from ...data import DataError
from ...data.constant import ONLY, StoredConstant
from ...data.schema import shown, shown_path
from ...data.sources.base import Where, open_file
from ...diagnostics import ARGUMENT_KIND, STORED_MISSING
from ...diagnostics.spelling import listed
from ...ops.named import STORED
from ...program import Ref, Static
from ...source import Span
from ...syntax import tree as t
from ...types import TensorType
from ..calls.arguments import Arguments, ArgumentValue, assign_arguments, missing
from ..calls.members import note_of
from ..calls.op_calls import sizeable
from ..context import Analysis
from ..values import Env, Tensor, describe
from .node_names import filled_in

_SHOWN = 8  # names of arrays in a message


def stored(ctx: Analysis, env: Env, expr: t.Call, given: Arguments, name: str | None) -> Tensor:
    """The constant that a call reads from a file beside the text of the call."""
    span = expr.span
    arguments = assign_arguments(ctx, STORED.name, STORED.signature, [p.name for p in STORED.params], given, span)
    if "from" not in arguments:
        missing(ctx, STORED.name, STORED.signature, "from", span)
    place = arguments["from"].span
    path, array = (
        _text(ctx, env, expr, arguments[word], word) if word in arguments else ONLY for word in ("from", "name")
    )
    try:
        found = _arrays(ctx, path, os.path.dirname(span.source.path))
        if "name" not in arguments and ONLY not in found:
            missing(ctx, STORED.name, STORED.signature, "name", span)
        constant = _of_name(ctx, found, array, path, arguments["name"].span if "name" in arguments else span)
        if isinstance(constant, DataError):
            raise constant
    except DataError as error:
        ctx.fail(error.message, place, note_of(error.place), **error.details)
    type = TensorType(constant.dtype, constant.shape)
    sizeable(ctx, STORED.name, (type,), span)
    args = {"name": Static(array), "from": Static(path), "checksum": Static(constant.checksum)}
    node = ctx.graph.add(STORED.name, args, name, (type,), ctx.origin(span))
    return Tensor(Ref(node), type, ctx.graph.name, span)


def _text(ctx: Analysis, env: Env, expr: t.Call, given: ArgumentValue, word: str) -> str:
    """The value of a string argument. Braces in a string literal are filled in."""
    if not isinstance(given.value, str):
        ctx.fail(ARGUMENT_KIND, given.span, function=STORED.name, wanted="a string", name=word,
                 value=describe(given.value))  # fmt: skip
    is_written = any(one.value.span == given.span and isinstance(one.value, t.Constant) for one in expr.arguments)
    return filled_in(ctx, env, given.value, given.span, f"'{word}' of stored") if is_written else given.value


def _arrays(ctx: Analysis, path: str, folder: str) -> Mapping[str, StoredConstant | DataError]:
    """The arrays of a file, whose headers are read once."""
    if (folder, path) not in ctx.constants:
        from ...data.constants import constants_in  # only needed for such a call

        with open_file(path, Where(folder, ctx.access)) as file:
            ctx.constants[folder, path] = constants_in(file, path)
    return ctx.constants[folder, path]


def _of_name(
    ctx: Analysis, arrays: Mapping[str, StoredConstant | DataError], name: str, path: str, place: Span
) -> StoredConstant | DataError:
    if name in arrays:
        return arrays[name]
    names = [one for one in arrays if one != ONLY]
    some = [shown(one) for one in names[:_SHOWN]]
    if len(names) > _SHOWN:
        some[-1] = f"{len(names) - _SHOWN + 1} more"
    known = f"it has {listed(some)}" if some else "it is one array: leave the name out"
    hint = ctx.did_you_mean(name, names) or known
    ctx.fail(STORED_MISSING, place, path=shown_path(path), name=shown(name), hint=hint)
