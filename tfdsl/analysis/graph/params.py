"""Params: compile-time values that the command line, a config file or Python can set."""

from contextlib import suppress
from math import inf
from typing import NoReturn

from ...diagnostics import NOT_STATIC, PARAM_SHAPE, PARAM_TYPE, TfgError
from ...diagnostics.spelling import shortened
from ...program import Param
from ...source import Source, Span
from ...syntax import tree as t
from ...syntax.parse import parse_expression
from ...types import DType
from ..calls.arguments import ArgumentValue, check_rounded
from ..context import Analysis
from ..expressions.declared import declared_dtype
from ..expressions.expressions import value_of
from ..values import Env, Host, describe, freeze, is_host

_PYTHON_TYPES = {bool: "bool", int: "int", float: "float", str: "str", bytes: "bytes", list: "list", tuple: "list"}
_HELP = {
    "bool": "write true or false",
    "int": "write a whole number",
    "float": "write a number",
    "list": "write a list of numbers or strings: [1, 2]",
}


def declared_param(ctx: Analysis, env: Env, statement: t.Param) -> Host:
    """The value of a `param`: the caller's value converted to the param's type, or the default."""
    name = ctx.prefix + statement.target.id
    default = value_of(ctx, env, statement.value)
    if default is not None and not is_host(default):
        ctx.fail(NOT_STATIC, statement.value.span, what=f"param '{name}'", value=describe(default))
    wanted, dtype = _PYTHON_TYPES.get(type(default), "none"), None
    if statement.type is not None:
        dtype = declared_dtype(ctx, statement.type)
        if statement.type.dims:
            ctx.fail(PARAM_SHAPE, statement.type.span, name=name)
        wanted = {"float": "float", "int": "int", "uint": "int", "bool": "bool", "string": "str"}.get(
            dtype.kind, wanted
        )
        converted = convert_param(ctx, default, wanted)
        if converted is None:
            _refuse(ctx, name, statement.value.span, wanted, describe(default))
        default = converted
        _check_dtype(ctx, name, ArgumentValue(default, statement.value.span), dtype)
    value = default
    if name in ctx.given_params:
        raw = ctx.given_params[name]
        origin = ctx.origins.get(name, "")
        value = convert_param(ctx, raw, wanted)
        if value is None and (raw is not None or wanted != "none"):
            help = _HELP.get(wanted, "")
            _refuse(ctx, name, statement.target.span, wanted, _given_text(raw), help, origin)
        if dtype is not None:
            _check_dtype(ctx, name, ArgumentValue(value, statement.target.span), dtype, origin)
    ctx.params.append(Param(name, wanted, freeze(value)))
    return value


def _check_dtype(ctx: Analysis, name: str, value: ArgumentValue, dtype: DType, origin: str = "") -> None:
    """Check that a declared dtype has a value: refuse an integer out of its range, warn of a float that becomes
    infinite or zero. `origin` is the option or the file that gives it."""
    if dtype.kind in ("int", "uint") and value.value not in dtype.integers:
        _refuse(ctx, name, value.span, str(dtype), _given_text(value.value), dtype.range_text, origin)
    check_rounded(ctx, value, dtype)


def _refuse(
    ctx: Analysis, name: str, span: Span, wanted: str, value: str, help: str = "", origin: str = ""
) -> NoReturn:
    given = f"{origin} gives" if origin else "is given"
    ctx.fail(PARAM_TYPE, span, help=help, name=name, wanted=wanted, value=value, given=given, origin=origin)


def _given_text(value: object) -> str:
    """The caller's value in a message."""
    if isinstance(value, bool) or value is None:
        return describe(value)
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # Python does not print values that are too large or too deep
        return "a huge value"
    if isinstance(value, int) and len(text) > 60:
        return "a huge number"
    return shortened(text)


def convert_param(ctx: Analysis, value: object, wanted: str) -> Host:
    """Convert a given value to the type of a param. None if that is impossible. Strings are read as numbers."""
    tolist = getattr(value, "tolist", None)
    if type(value).__module__ == "numpy" and tolist is not None:
        value = tolist()
    converted = _converted(value, wanted)
    return None if ctx.limits.is_too_large(converted) else converted


def is_no_value(value: object, wanted: str) -> bool:
    """Whether a param of a type cannot have a value, which is given as it is or as text."""
    return _converted(value, wanted) is None and wanted != "none"


def _converted(value: object, wanted: str) -> Host:
    if isinstance(value, str) and wanted != "str":
        text = value.strip()
        if wanted == "bool":
            return {"true": True, "false": False}.get(text.lower())
        if wanted in ("int", "float"):
            try:
                number = int(text) if wanted == "int" else float(text)
            except ValueError:
                return None
            return None if number == inf and "inf" not in text.lower() else number
        if wanted == "list":
            return _read_list(text)
        if wanted == "bytes":
            return value.encode("utf-8", "surrogateescape")
        return value if wanted == "none" else None
    match wanted:
        case "bool":
            return value if isinstance(value, bool) else None
        case "int":
            if isinstance(value, float) and value.is_integer():
                return int(value)
            return value if isinstance(value, int) and not isinstance(value, bool) else None
        case "float":
            with suppress(OverflowError):
                return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
            return None
        case "str":
            return value if isinstance(value, str) else None
        case "bytes":
            return value if isinstance(value, bytes) else None
        case "list":
            return list(value) if is_host(value) and isinstance(value, (list, tuple)) else None
    return value if is_host(value) else None


def _read_list(text: str) -> Host:
    """Read a list from the command line: `[1, 2.5]`. None if the text is not a list."""
    try:
        tree = parse_expression(Source("--set", text, is_argument=True))
    except TfgError:
        return None
    return _constants(tree) if isinstance(tree, t.List) else None


def _constants(tree: t.Expr) -> Host:
    """The value of an expression of constants. None if it has anything else."""
    match tree:
        case t.Constant(value=value):
            return value
        case t.Unary(op="-", operand=t.Constant(value=int() | float() as value)):
            return -value
        case t.List(items=items):
            values = [_constants(item) for item in items]
            return None if any(value is None for value in values) else values
    return None
