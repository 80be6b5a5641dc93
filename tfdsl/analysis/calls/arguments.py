"""Converts the arguments of ops: Python values and tensors in, arguments of the IR and their types out.

Number literals take the dtype of the tensors next to them. Values that the compiler needs must be known at
compile time; an error says how to fix the call if they are not.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NoReturn

from ...diagnostics import (
    ARGUMENT_KIND,
    ARGUMENT_MISSING,
    ARGUMENT_TWICE,
    ARGUMENT_UNKNOWN,
    ARGUMENTS_MANY,
    BATCH_TENSOR,
    BY_NAME,
    DTYPE_MISMATCH,
    DTYPE_NOT_ALLOWED,
    DTYPES_DIFFER,
    MIXED_LIST,
    NOT_STATIC,
    OTHER_GRAPH,
    RAGGED,
    ROUNDED,
    SIZE_UNKNOWN,
    Note,
)
from ...diagnostics.spelling import counted, shortened
from ...ops import OPS, other_names
from ...ops.named import CONSTANT
from ...ops.op import REQUIRED, Op, Parameter
from ...ops.raw import RawArgument, RawOp
from ...program import Arg, Field, Literal, Pack, Refs, Static
from ...record import Record, State
from ...source import Span
from ...types import BECOMES, BOOL, DTYPES, FLOAT32, INT32, INT64, STRING, Dim, DType, Shape, Size, TensorType, changed
from ..context import Analysis, StatementFailed
from ..values import (
    NODES,
    PLAIN,
    Array,
    Builtin,
    ErrorValue,
    ExprValue,
    Host,
    Operation,
    Outputs,
    Results,
    ShapeOf,
    Tensor,
    as_dtype,
    describe,
    freeze,
    is_host,
)
from . import elsewhere
from .sizes import sizes_in
from .wrong_kind import declared_as, not_tensor, not_variable, several_values

_CLASS_OF = {bool: "bool", int: "int", float: "float", complex: "complex", str: "string", bytes: "string"}
_RANKS = {"bool": 0, "int": 1, "float": 2, "complex": 3, "string": 9}


class ArgumentValue(Record):
    """An argument as the program gives it."""

    value: ExprValue
    span: Span
    whole: Span | None = None  # with its name, if it is given by name

    @property
    def text(self) -> str:
        """As the program writes it. What a library checks or converts has the text of its own argument."""
        text = self.span.one_line
        inner = re.fullmatch(r"_\w+\((\w+)\b.*\)", text) if self.span.source.is_library else None
        return shortened(inner[1] if inner else text, 40)


Arguments = Sequence[tuple[str | None, ArgumentValue]]  # of a call, in order, with names where the call gives them


def assign_arguments(
    ctx: Analysis, function: str, signature: str, names: list[str], given: Arguments, span: Span,
    positional: int | None = None,
) -> dict[str, ArgumentValue]:  # fmt: skip
    """Match arguments to parameter names by Python's rules."""
    positional = len(names) if positional is None else positional
    result: dict[str, ArgumentValue] = {}
    for at, (name, argument) in enumerate(given):
        if name is None:
            if at >= positional:
                limit = counted(positional or "no", "argument")
                help = other_names.too_many(function, given[0][1].text, argument.value)
                if at < len(names):
                    help = f"name it: {names[at]}={argument.text}"
                elif positional and re.search(rf"\b{names[-1]}: (\[|shape\b)", signature):
                    help = other_names.as_list(function, [one.text for name, one in given if name is None], positional)
                count = sum(1 for name, _ in given if name is None)
                ctx.fail(ARGUMENTS_MANY, argument.span, help=help, function=function, limit=limit, count=count,
                         signature=signature)  # fmt: skip
            name = names[at]
        elif name not in names:
            span = argument.whole or argument.span
            other = elsewhere.other_name(function, name, argument.value, argument.text, names)
            help = other or ctx.did_you_mean(name, names)
            place = Span(span.source, span.start, span.start + len(name)) if argument.whole else span
            ctx.fail(ARGUMENT_UNKNOWN, place, help=help, function=function, name=name, signature=signature)
        if name in result:
            ctx.fail(ARGUMENT_TWICE, argument.whole or argument.span, function=function, name=name)
        result[name] = argument
    return result


def missing(ctx: Analysis, function: str, signature: str, name: str, span: Span, help: str = "") -> NoReturn:
    begin = f"{function}("
    again = re.match(r"\(([^()\n]+)\)", span.source.text[span.start + len(span.text) :])
    if again and function.startswith("nn.") and span.text.startswith(begin):  # Dense(16)(x), as in Keras
        help = f"the tensor is the first argument: {begin}{again[1]}, {span.text[len(begin) :]}"
    ctx.fail(ARGUMENT_MISSING, span, help=help, function=function, name=name, signature=signature)


# --- values that become tensors ---------------------------------------------------------------


def literal_shape(ctx: Analysis, value: ExprValue, span: Span) -> Shape:
    """The shape of nested lists. Tensors in the lists add their own axes."""
    if isinstance(value, (Tensor, Array)):
        return value.type.shape
    if not isinstance(value, (list, tuple, range)):
        return ()
    if not value:
        return (0,)
    shapes = [literal_shape(ctx, item, span) for item in value]
    first = shapes[0]
    for shape in shapes[1:]:
        if shape is None or first is None:
            return None
        if len(shape) != len(first) or any(
            isinstance(a, int) and isinstance(b, int) and a != b for a, b in zip(shape, first, strict=True)
        ):
            ctx.fail(RAGGED, span)
    return None if first is None else (len(value), *first)


def _scalars(value: ExprValue) -> Iterable[ExprValue]:
    """A value, or the values in nested lists."""
    if type(value) in PLAIN:  # the usual case
        return (value,)
    if isinstance(value, (list, tuple, range)):
        return chain.from_iterable(map(_scalars, value))
    return (value,)


def scalar_class(ctx: Analysis, value: ExprValue, span: Span) -> str | None:
    """The widest kind of the plain numbers in a value: bool, int, float, complex or string. None if it has none."""
    found: str | None = None
    for item in _scalars(value):
        if isinstance(item, (Tensor, Array)):
            continue
        kind = _CLASS_OF.get(type(item))
        if kind is None:
            if isinstance(item, ErrorValue):
                raise StatementFailed(None)
            not_tensor(ctx, item, span)
        if found is not None and found != kind and "string" in (found, kind):
            ctx.fail(MIXED_LIST, span, first=found + "s", second=kind + "s")
        if found is not None and found != kind and "bool" in (found, kind):
            ctx.fail(MIXED_LIST, span, first=found + "s", second=kind + "s")
        if found is None or _RANKS[kind] > _RANKS[found]:
            found = kind
    return found


def default_dtype(value: ExprValue, kind: str | None) -> DType:
    """The dtype that TensorFlow gives a literal on its own."""
    if kind == "int":
        wide = any(isinstance(v, int) and not -(2**31) <= v < 2**31 for v in _scalars(value))
        return INT64 if wide else INT32
    return {"bool": BOOL, "complex": DTYPES["complex128"], "string": STRING}.get(kind or "float", FLOAT32)


def tensor_dtype(value: ExprValue) -> DType | None:
    """The dtype of the first tensor in a value."""
    if type(value) is Tensor or type(value) is Array:  # the usual case
        return value.type.dtype
    if type(value) in PLAIN:
        return None
    for item in _scalars(value):
        if isinstance(item, (Tensor, Array)):
            return item.type.dtype
    return None


_VALUES = {
    **dict.fromkeys(("int", "uint", "quantized"), "whole numbers"), "bool": "true and false", "string": "strings",
}  # fmt: skip


def to_arg(ctx: Analysis, given: ArgumentValue, dtype: DType, cast: Callable[[], str] = str) -> tuple[Arg, TensorType]:
    """Convert a value to an argument of a known dtype; return the argument and its type. `cast` returns the code that
    casts the tensor which decides the dtype to float32, or ""."""
    value = given.value
    if isinstance(value, Tensor):
        return value.ref, value.type
    if isinstance(value, Array):
        return field_arg(ctx, value, given), value.type
    kind = scalar_class(ctx, value, given.span)
    if kind is not None and dtype.kind not in BECOMES[kind]:
        if dtype.kind == "opaque":
            hint = f"only TensorFlow's own ops, raw.NAME(...), take a {dtype}"
        elif kind == "float":
            code = cast()
            way = f"make a float of the other: {code}" if code else "give it a float type"
            hint = f"write a whole number, or {way}"
        else:
            hint = f"{dtype} takes {_VALUES.get(dtype.kind, 'numbers')}"
            if isinstance(value, str) and value in OPS:
                hint = f"leave the quotes out: {value}"
        ctx.fail(DTYPE_MISMATCH, given.span, value=given.text, dtype=dtype, hint=hint)
    if kind == "int" and dtype.kind in ("int", "uint", "quantized"):
        check_range(ctx, given, dtype)
    check_rounded(ctx, given, dtype)
    shape = literal_shape(ctx, value, given.span)
    type = TensorType(dtype, shape)
    if is_host(value):
        return Literal(freeze(value), dtype.name), type
    return _pack(ctx, value, dtype, given.span), type


def field_arg(ctx: Analysis, value: Array, given: ArgumentValue) -> Field:
    """Convert data to an argument of a node. The batch of a training loop is refused."""
    if not isinstance(value.field, Field):
        ctx.fail(BATCH_TENSOR, given.span, name=given.text)
    return value.field


def typed(ctx: Analysis, value: ArgumentValue, dtype: DType | None = None) -> tuple[Arg, TensorType]:
    """Convert a value to an argument. Plain numbers take the given dtype, other values keep their own."""
    if isinstance(value.value, (Outputs, Results)):
        several_values(ctx, value.value, value.span)
    if (not isinstance(value.value, (Tensor, Array, list, tuple)) and not is_host(value.value)) or value.value is None:
        not_tensor(ctx, value.value, value.span)
    own = tensor_dtype(value.value)
    if own is None:
        kind = scalar_class(ctx, value.value, value.span)
        own = dtype or default_dtype(value.value, kind)
    return to_arg(ctx, value, own)


def check_range(ctx: Analysis, given: ArgumentValue, dtype: DType) -> None:
    """Check that integers are in the range of the dtype."""
    for item in _scalars(given.value):
        if isinstance(item, int) and item not in dtype.integers:
            ctx.fail(DTYPE_MISMATCH, given.span, value=str(item)[:40], dtype=dtype, hint=dtype.range_text)


def check_rounded(ctx: Analysis, given: ArgumentValue, dtype: DType) -> None:
    """Warn if a floating-point dtype changes the value of a number."""
    if dtype.kind not in ("float", "complex"):
        return
    for item in _scalars(given.value):
        if isinstance(item, (int, float)) and (becomes := changed(item, dtype)) is not None:
            ctx.report(ROUNDED, given.span, dtype=dtype, value=_short(item), rounded=_short(becomes))
            return


def _short(number: int | float) -> str:
    if isinstance(number, int) and abs(number) >= 10**40:  # Python refuses to print some of these
        return f"a whole number of {number.bit_length()} binary digits"
    return str(number)


def _pack(ctx: Analysis, value: ExprValue, dtype: DType, span: Span) -> Arg:
    if isinstance(value, (list, tuple)):
        if is_host(value):
            return Literal(freeze(value), dtype.name)
        return Pack(tuple(_pack(ctx, item, dtype, span) for item in value), dtype.name)
    if isinstance(value, Tensor):
        if value.type.dtype != dtype:
            ctx.fail(MIXED_LIST, span, first=str(dtype), second=str(value.type.dtype))
        return value.ref
    if isinstance(value, Array):
        return field_arg(ctx, value, ArgumentValue(value, span))
    if not is_host(value):
        not_tensor(ctx, value, span)
    return Literal(freeze(value), dtype.name)


# --- binding the arguments of an op -----------------------------------------------------------


class BoundArguments(State):
    """The arguments of a call, for the IR and for the shape rule."""

    args: dict[str, Arg]
    types: dict[str, object]
    values: dict[str, object]
    sizes: dict[str, Shape]
    groups: dict[str, DType]
    given: dict[str, ArgumentValue]


def bind(ctx: Analysis, op: Op, given: Arguments, span: Span) -> BoundArguments:
    """Match, type and convert the arguments of an op call."""
    params = op.named_params
    _check_names(ctx, op, given)
    taken = assign_arguments(ctx, op.name, op.signature, op.param_names, given, span)
    for name in op.required:
        if name not in taken:
            missing(ctx, op.name, op.signature, name, span)
    arguments: dict[str, ArgumentValue] = {}
    for name, argument in taken.items():
        param = params[name]
        argument = prepared(ctx, argument, param.is_tensor, param.kind in ("tensors", "function"))
        if argument.value is not None or param.default is not None:  # otherwise it counts as missing
            arguments[name] = argument
    groups = _groups(ctx, op, arguments)
    bound = BoundArguments({}, {}, {}, {}, groups, arguments)
    for name, param in params.items():
        if name in arguments:
            _bind_one(ctx, op, param, arguments[name], bound)
        elif param.kind == "tensor" and param.default is not None:
            bound.types[name] = TensorType(groups.get(param.group) or DTYPES[param.group], ())
            bound.values[name] = param.default
        else:
            bound.types[name] = param.default
            if param.kind == "shape" and param.default is not None:
                bound.values[name] = param.default
    _check_allowed(ctx, op, params, bound)
    return bound


def _check_names(ctx: Analysis, op: Op, given: Arguments) -> None:
    """Check that keyword-only parameters of an op are not given by position."""
    if not op.params or not op.params[-1].by_name:  # those parameters are the last ones
        return
    names = [param.name for param in op.params if param.by_name and param.default is REQUIRED]
    for (name, argument), param in zip(given, op.params, strict=False):
        if name is None and param.by_name:
            shown = ", ".join(f"{one}=..." for one in names)
            listed = f"{', '.join(names[:-1])} and {names[-1]}"
            ctx.fail(BY_NAME, argument.span, function=op.name, names=listed, call=f"{op.name}({shown})")


def prepared(ctx: Analysis, given: ArgumentValue, is_tensor: bool = True, is_list: bool = False) -> ArgumentValue:
    """Do the conversions that every kind of parameter shares. The several values of a call are refused unless the
    parameter is a list."""
    value = given.value
    if type(value) in PLAIN or (type(value) is Tensor and value.graph == ctx.graph.name):  # the usual cases
        return given if given.whole is None else ArgumentValue(value, given.span)
    if isinstance(value, ErrorValue):
        raise StatementFailed(None)
    if isinstance(value, range):
        ctx.spend(len(value), given.span)
        value = list(value)
    if isinstance(value, ShapeOf):
        value = sizes_of(ctx, value, given.span)
    if isinstance(value, (Outputs, Results)) and not is_list:
        several_values(ctx, value, given.span)
    if isinstance(value, (list, tuple)):
        ctx.spend(15 * len(value), given.span)
        value = [prepared(ctx, ArgumentValue(item, given.span), is_tensor).value for item in value]
    if isinstance(value, Operation) and is_tensor:
        not_tensor(ctx, value, given.span)
    if isinstance(value, NODES) and value.graph != ctx.graph.name:
        ctx.fail(OTHER_GRAPH, given.span, name=given.text, theirs=ctx.graphs[value.graph].shown, ours=ctx.graph.shown)
    return ArgumentValue(value, given.span)


def sizes_of(ctx: Analysis, shape: ShapeOf, span: Span) -> list[int]:
    """The sizes of a shape. All of them must be known."""
    if shape.dims is None:
        ctx.fail(NOT_STATIC, span, what=f"the rank of {shape.text}", value="unknown")
    sizes: list[int] = []
    for axis, dim in enumerate(shape.dims):
        size = ctx.graph.sizes.resolve(dim)
        if not isinstance(size, int):
            tensor = shape.text.removesuffix(".shape")
            ctx.fail(SIZE_UNKNOWN, span, axis=axis, text=shape.text, tensor=tensor)
        sizes.append(size)
    return sizes


def _groups(ctx: Analysis, op: Op, arguments: Mapping[str, ArgumentValue]) -> dict[str, DType]:
    """The dtype of each dtype letter: the explicit dtype, else the dtype of the tensors, else the dtype of the
    literals."""
    groups: dict[str, DType] = {}
    decided: dict[str, tuple[str, ArgumentValue]] = {}
    tensors = [(p, arguments[p.name]) for p in op.grouped_params if p.is_tensor and p.name in arguments]
    for param in op.grouped_params:
        if param.kind == "dtype":
            value = arguments[param.name].value if param.name in arguments else param.default
            if value is not None and value is not REQUIRED:
                groups[param.group] = dtype_value(ctx, op, value, arguments.get(param.name))
    for param, given in tensors:
        if param.group in DTYPES:
            groups[param.group] = DTYPES[param.group]
            continue
        dtype = tensor_dtype(given.value)
        if dtype is None:
            continue
        if param.group not in groups:
            groups[param.group] = dtype
            decided[param.group] = (param.name, given)
        elif groups[param.group] != dtype:
            differ(ctx, op, decided.get(param.group), param, given, groups[param.group], dtype)
    for group in dict.fromkeys([p.group for p, _ in tensors if p.group not in groups]):
        members = [given for p, given in tensors if p.group == group]
        kinds = [scalar_class(ctx, g.value, g.span) for g in members]
        kind = max((k for k in kinds if k), key=_RANKS.__getitem__, default=None)
        dtype = default_dtype([g.value for g in members], kind)
        allowed = op.allowed(group)
        if dtype not in allowed and kind in ("int", None):
            dtype = next((one for one in (FLOAT32, INT32, BOOL, STRING) if one in allowed), dtype)
        groups[group] = dtype
    return groups


def differ(
    ctx: Analysis, op: Op | RawOp, first: tuple[str, ArgumentValue] | None, param: Parameter | RawArgument,
    given: ArgumentValue, a: DType, b: DType,
) -> NoReturn:  # fmt: skip
    """Report tensors with two dtypes where the op needs one."""
    span = given.span
    if first is None:
        ctx.fail(DTYPE_NOT_ALLOWED, span, op=op.name, dtype=b, param=f"'{param.name}'", allowed=a)
    notes = operand_notes([first[1], given])
    name, dtype, help = given.text, a, ""
    is_write, for_whole = (op.writes, op.for_whole) if isinstance(op, Op) else (False, "")
    is_variable = isinstance(first[1].value, Tensor) and first[1].value.is_variable and is_write
    if "string" in (a.kind, b.kind):
        fed = first[1] if a.kind == "string" else given
        help = text_help(ctx, fed, "use string_to_number(x) or as_string(x)")
    elif isinstance(op, Op) and isinstance(param, Parameter) and op.allowed(param.group) == {BOOL}:
        help = f"compare it: {(given if a == BOOL else first[1]).text} > 0"
    elif for_whole and "int" in (a.kind, b.kind):
        help = for_whole
    elif b.kind in ("float", "complex") and a.kind not in ("float", "complex") and not is_variable:
        name, dtype = first[1].text, b
    help = (
        help
        or declared_as(ctx, first[1].value, given.value)
        or _as_float(ctx, *(first[1], given) if dtype == b else (given, first[1]))
    )
    ctx.fail(
        DTYPES_DIFFER, span, notes, help, op=op.name, first=first[1].text, second=given.text, a=a, b=b, name=name,
        dtype=dtype,
    )  # fmt: skip


def text_help(
    ctx: Analysis, given: ArgumentValue, way: str, transform: str = "categories", dtype: DType = INT64
) -> str:
    """What to write for text where numbers are needed. `way` is for text that means no classes; `transform` makes
    numbers of a dtype of those that do."""
    node = ctx.graph.nodes[given.value.ref.node] if isinstance(given.value, Tensor) else None
    if node is None or not node.is_placeholder:
        return way
    classes = f"write | {transform}(...) where the data is declared, and give it the type {dtype}"
    return f"if {node.shown} is fed text of data that means classes, {classes}; otherwise {way}"


def _as_float(ctx: Analysis, whole: ArgumentValue, other: ArgumentValue) -> str:
    """How to declare a variable of whole numbers with floats, if it can be trained otherwise. A cast would leave
    nothing to train."""
    if not (isinstance(whole.value, Tensor) and whole.value.is_variable):
        return ""
    node, dtype = ctx.graph.nodes[whole.value.ref.node], tensor_dtype(other.value)
    declared = re.fullmatch(r"(variable\s+(\w+))\s*(?::\s*u?int\d+\s*)?=\s*(-?\d+)", node.origin.span.text.strip())
    if "trainable" in node.args or declared is None or dtype is None or dtype.kind != "float":
        return ""
    if dtype == FLOAT32:
        return f"whole numbers are not trained: declare {declared[1]} = {declared[3]}.0"
    return f"whole numbers are not trained: declare {declared[1]}: {dtype} = {declared[3]}.0"


def dtype_value(ctx: Analysis, op: Op, value: ExprValue, given: ArgumentValue | None) -> DType:
    """Read a dtype written as `float32` or "float32"; a default of the op can be one."""
    found = as_dtype(value)
    if found is None:
        assert given is not None
        help = _DTYPES_OF_PYTHON.get(value.name, "") if isinstance(value, Builtin) else ""
        help = ctx.did_you_mean(value, DTYPES) if isinstance(value, str) else help
        if isinstance(value, int) and op.params[0].kind == "shape":
            help = f"a shape is one list, as in {op.name}([2, 3])"
        ctx.fail(ARGUMENT_KIND, given.span, help=help, function=op.name, wanted="a dtype such as float32",
                 name="dtype", value=describe(value))  # fmt: skip
    return found


def _cast(op: Op, param: Parameter, bound: BoundArguments) -> str:
    """The code that casts the tensor of the same dtype group to float32."""
    group = [other.name for other in op.params if other.kind == "tensor" and other.group == param.group]
    given = (bound.given[name] for name in group if name in bound.given)
    tensor = next((one for one in given if isinstance(one.value, Tensor)), None)
    return f"cast({tensor.text}, float32)" if tensor and FLOAT32 in op.allowed(param.group) else ""


_DTYPES_OF_PYTHON = {"int": "write int32, or int64", "float": "write float32, or float64", "str": "write string"}


def _bind_one(ctx: Analysis, op: Op, param: Parameter, given: ArgumentValue, bound: BoundArguments) -> None:
    name, value = param.name, given.value
    match param.kind:
        case "tensor":
            arg, type = to_arg(ctx, given, bound.groups[param.group], partial(_cast, op, param, bound))
            bound.args[name], bound.types[name] = arg, type
            # `constant` accepts data although its content is unknown here.
            if is_host(value) or (op is CONSTANT and isinstance(value, Array)):
                bound.values[name] = value
        case "tensors":
            if not isinstance(value, (list, tuple)):
                if not isinstance(value, (Tensor, Array)):
                    _wrong(ctx, op, param, given, "a list of tensors")
                value = [value]
            check_one_dtype(ctx, op, param, given, value, bound.groups[param.group])
            parts = [to_arg(ctx, ArgumentValue(v, given.span), bound.groups[param.group]) for v in value]
            bound.args[name] = Refs(tuple(arg for arg, _ in parts))
            bound.types[name] = tuple(type for _, type in parts)
            bound.values[name] = [v if is_host(v) else None for v in value]
        case "shape":
            _bind_shape(ctx, op, param, given, bound)
        case "variable":
            if not isinstance(value, Tensor) or not value.is_variable:
                not_variable(ctx, op.name, value, given.span)
            bound.args[name], bound.types[name] = value.ref, value.type
        case "dtype":
            dtype = dtype_value(ctx, op, value, given)
            bound.args[name], bound.types[name] = Static(dtype.name), dtype
        case kind:
            value = _static(ctx, op, param, given, kind)
            bound.args[name], bound.types[name] = Static(freeze(value)), value


def check_one_dtype(
    ctx: Analysis,
    op: Op | RawOp,
    param: Parameter | RawArgument,
    given: ArgumentValue,
    items: Sequence[ExprValue],
    dtype: DType,
) -> None:
    """Check that the tensors of a list all have the dtype of its letter."""
    own = [tensor_dtype(item) for item in items]
    for at, found in enumerate(own):
        if found not in (None, dtype):
            if dtype not in own:
                differ(ctx, op, None, param, given, dtype, found)
            help = f"cast one of them, as in cast(x, {dtype})" if "string" not in (found.kind, dtype.kind) else ""
            first, second = f"item {own.index(dtype)}", f"item {at} of {param.name}"
            ctx.fail(DTYPES_DIFFER, given.span, operand_notes([given]), help, op=op.name, first=first, second=second,
                     a=dtype, b=found, name="", dtype=dtype)  # fmt: skip


def _bind_shape(ctx: Analysis, op: Op, param: Parameter, given: ArgumentValue, bound: BoundArguments) -> None:
    name, value = param.name, given.value
    if isinstance(value, Tensor):
        if value.type.dtype.kind != "int":
            _wrong(ctx, op, param, given, "whole numbers")
        bound.args[name], bound.types[name] = value.ref, value.type
        found = sizes_in(ctx, value.ref)
        if isinstance(found, tuple):
            bound.sizes[name] = found
        return
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    for item in items:
        if isinstance(item, Tensor):
            if item.type.dtype.kind != "int":
                _wrong(ctx, op, param, given, "whole numbers")
        elif not isinstance(item, int) or isinstance(item, bool):
            _wrong(ctx, op, param, given, "whole numbers")
    dtype = tensor_dtype(items) or default_dtype(items, "int")
    arg, type = to_arg(ctx, ArgumentValue(value, given.span), dtype)
    bound.args[name], bound.types[name] = arg, type
    bound.values[name] = [None if isinstance(item, Tensor) else item for item in items]
    bound.sizes[name] = tuple(_size(ctx, item) for item in items)


def _size(ctx: Analysis, item: ExprValue) -> Dim:
    """An entry of a shape."""
    if isinstance(item, Tensor):
        found = sizes_in(ctx, item.ref)
        return None if isinstance(found, tuple) else found
    return item if isinstance(item, int) else None


_STATIC_KINDS = {
    "flag": ("true or false", lambda v: isinstance(v, bool)),
    "integer": ("a whole number", lambda v: isinstance(v, int) and not isinstance(v, bool)),
    "number": ("a number", lambda v: isinstance(v, (int, float)) and not isinstance(v, bool)),
    "text": ("a string", lambda v: isinstance(v, str)),
    "integers": (
        "a whole number or a list of them",
        lambda v: all(
            isinstance(i, int) and not isinstance(i, bool) for i in (v if isinstance(v, (list, tuple)) else [v])
        ),
    ),
    "static": ("a number, a string or a list of them", is_host),
}


def _static(ctx: Analysis, op: Op, param: Parameter, given: ArgumentValue, kind: str) -> Host:
    wanted, accepts = _STATIC_KINDS[kind]
    value = given.value
    if isinstance(value, (Tensor, Array)) or (isinstance(value, (list, tuple)) and not is_host(value)):
        ctx.fail(NOT_STATIC, given.span, what=f"'{param.name}' of {op.name}", value=describe(value))
    if value is None and param.default is None:
        return None
    if not is_host(value) or not accepts(value):
        _wrong(ctx, op, param, given, wanted)
    return value


def _wrong(ctx: Analysis, op: Op, param: Parameter, given: ArgumentValue, wanted: str) -> NoReturn:
    ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted=wanted, name=param.name, value=describe(given.value))


def _check_allowed(ctx: Analysis, op: Op, params: Mapping[str, Parameter], bound: BoundArguments) -> None:
    for group, dtype in bound.groups.items():
        if group in DTYPES or dtype in op.allowed(group):
            continue
        for name, given in bound.given.items():
            if params[name].group == group:
                allowed = dtypes_text(op.dtypes.get(group, "any"))
                help = ""
                to = next((one for one in (FLOAT32, INT32) if one in op.allowed(group)), None)
                if to is not None and dtype.kind == "string":
                    help = text_help(ctx, given, f"convert it first: string_to_number({given.text}, {to})")
                elif to is not None and dtype.kind != "opaque":
                    help = f"convert it first: cast({given.text}, {to})"
                if name == "learning_rate" and "global_step" in params:  # which is a whole number
                    help = f"the rate comes first, then the step: {op.name}(0.01, {given.text}, ...)"
                ctx.fail(
                    DTYPE_NOT_ALLOWED, given.span, operand_notes([given]), help, op=op.name, dtype=dtype,
                    param=given.text, allowed=allowed,
                )  # fmt: skip
    for param in op.fixed_params:  # a tensor where a fixed dtype is needed
        given = bound.given.get(param.name)
        if given is None:
            continue
        dtype = tensor_dtype(given.value)
        if dtype not in (None, DTYPES[param.group]):
            convertible = "string" not in (dtype.kind, param.group)
            help = f"convert it first: cast({given.text}, {param.group})" if convertible else ""
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, operand_notes([given]), help, op=op.name, dtype=dtype,
                     param=given.text, allowed=param.group)  # fmt: skip


_CLASS_TEXT = {
    "float": "floats", "int": "integers", "real": "floats or integers", "number": "numbers", "string": "strings",
    "inexact": "floats or complex numbers", "any": "any dtype", "all": "any dtype", "quantized": "quantized integers",
}  # fmt: skip


def dtypes_text(classes: str) -> str:
    """The dtypes that a letter of a signature allows, in words: `floats or int32`."""
    return " or ".join(_CLASS_TEXT.get(name, name) for name in classes.split())


def operand_notes(given: list[ArgumentValue]) -> tuple[Note, ...]:
    """Notes with the types and origins of operands. Operands with the same note share it."""
    notes = []
    for one in given:
        match one.value:
            case Tensor(type=type, span=span):
                if span.start <= one.span.start < span.end and span.source == one.span.source:
                    notes.append(Note(f"{one.text}: {type}"))
                else:
                    notes.append(Note(f"{one.text}: {type} is from line {{line}}", span))
            case Array(type=type):
                notes.append(Note(f"{one.text}: {type}"))
            case list() | tuple() as items if len(items) <= 8:
                for i, item in enumerate(items):
                    if isinstance(item, Tensor):
                        inside = (
                            one.span.start <= item.span.start < one.span.end and item.span.source == one.span.source
                        )
                        text = f"item {i}: {item.type}"
                        notes.append(Note(text) if inside else Note(f"{text} is from line {{line}}", item.span))
    return tuple(dict.fromkeys(notes))


def size_notes(ctx: Analysis, *dims: object) -> tuple[Note, ...]:
    """Notes that show the origin of the named sizes in an error."""
    notes = []
    for dim in dims:
        if isinstance(dim, Size):
            span = ctx.graph.sizes.origin(dim)
            found = ctx.graph.sizes.resolve(dim)
            if span is not None:
                text = f"{dim} is {found}, because of line {{line}}" if found != dim else f"{dim} is from line {{line}}"
                notes.append(Note(text, span))
    return tuple(notes)
