"""Calls of raw TensorFlow ops, `raw.Roll(input=x, shift=1, axis=0)`, checked against the table in `ops/raw.py`.

Arguments are given by name, as in `tf.raw_ops` or in the registry. Attributes that follow from inputs, such as their
dtypes, need not be given. A name that begins with `_` is an attribute that the op itself does not have. A number takes
the dtype of the tensors next to it, including a variable whose handle the op takes. This module decides every dtype.
Only TensorFlow knows the shapes: `foreign.inferred` asks it if it may be imported; otherwise they stay unknown.

The seeds of random ops are the plain attributes `seed` and `seed2`. Both default to 0, and TensorFlow then
chooses a seed. The `seed` of the program does not affect them.
"""

from collections.abc import Mapping, Sequence
from math import prod
from typing import NoReturn, TypeGuard, cast

from ...diagnostics import (
    ARGUMENT_KIND,
    DTYPE_NOT_ALLOWED,
    LATER_PLACE,
    NEGATIVE,
    NOT_STATIC,
    OPTION,
    RAW_COUNT,
    RAW_FUNCTION,
    RAW_REACHES,
    RAW_REFERENCE,
    RAW_RESOURCE,
    RAW_UNKNOWN,
    VALUE_LARGE,
)
from ...diagnostics.spelling import counted
from ...limits import MAX_AXES
from ...ops import OPS, raw
from ...ops.forbidden_ops import REACHING_BY, UNCLASSED, reach
from ...ops.op import REQUIRED
from ...ops.raw import RawArgument, RawAttr, RawOp
from ...program import Arg, HostValue, Literal, Ref, Refs, Static
from ...record import State, field, replace
from ...source import Span
from ...syntax import tree as t
from ...types import ALL_DTYPES, BECOMES, FLOAT32, DType, TensorType
from ..context import Analysis
from ..values import (
    Builtin,
    ExprValue,
    Host,
    LaterValue,
    LibraryFunction,
    Operation,
    Outputs,
    Pending,
    ShapeOf,
    Tensor,
    as_dtype,
    describe,
    freeze,
    has_tensor,
    is_host,
)
from .arguments import (
    Arguments,
    ArgumentValue,
    assign_arguments,
    check_one_dtype,
    default_dtype,
    differ,
    missing,
    operand_notes,
    prepared,
    scalar_class,
    sizes_of,
    tensor_dtype,
    to_arg,
    typed,
)
from .foreign import inferred

_MOST_OUTPUTS = 100_000


class _Dtypes(State):
    """The values of the attributes that are dtypes or lists of dtypes."""

    one: dict[str, DType] = field(default_factory=dict)
    several: dict[str, tuple[DType, ...]] = field(default_factory=dict)
    given: dict[str, ArgumentValue] = field(default_factory=dict)  # attributes whose values come from inputs

    def of(self, argument: RawArgument) -> DType:
        """The dtype of an argument, or of each tensor in it."""
        dtype = self.one[argument.attr] if argument.attr else argument.dtype
        assert dtype is not None
        return dtype


def find(ctx: Analysis, name: str, span: Span) -> RawOp:
    """The op with a name such as `Roll`."""
    op = raw.find(name)
    if op is None:
        help = ctx.did_you_mean(name, raw.names())
        if not help and name in OPS:
            help = f"{name} is an op of the language: write it without 'raw.'"
        ctx.fail(RAW_UNKNOWN, span, help=help, name=name)
    return op


def call_raw(ctx: Analysis, op: RawOp, given: Arguments, span: Span, name: str | None) -> ExprValue:
    """Add the node of an op. Return its output, the list of its outputs, or an operation if this node has none."""
    arguments, beside = _assigned(ctx, op, given, span)
    attrs: dict[str, Static | Literal] = {}
    dtypes = _Dtypes()
    counts: dict[str, tuple[int, str]] = {}
    for attr in op.attrs.values():
        value = None if attr.name in op.inferred else attr.default
        if attr.name in arguments:
            made = _attribute(ctx, op, attr, arguments)
            value = made.value
            if attr.name not in op.inferred:
                attrs[attr.name] = made
            elif isinstance(value, int):
                counts[attr.name] = value, attr.name
            else:
                dtypes.given[attr.name] = arguments[attr.name]
        match value:
            case list() | tuple() as names if attr.item == "type":
                dtypes.several[attr.name] = tuple(ALL_DTYPES[str(one)] for one in names)
            case str(one) if attr.item == "type":
                dtypes.one[attr.name] = ALL_DTYPES[one]
            case _:
                pass
    _keep_in(ctx, op, attrs, span)
    waiting = _waiting(ctx, op, arguments)
    _decide(ctx, op, arguments, dtypes)
    inputs = {one.name: _input(ctx, op, one, arguments[one.name], dtypes, counts) for one in op.inputs}
    free = {name: free_attribute(ctx, op.name, name, one) for name, one in beside.items()}
    own = {name: attrs[name] for name in op.given if name in attrs}
    args: dict[str, Arg] = {**inputs, **own, **free}
    lengths = {attr: count for attr, (count, _) in counts.items()}
    for attr in op.given.values():
        length = attrs[attr.name].value if attr.name in attrs else attr.default
        if attr.kind == "int" and isinstance(length, int):
            lengths[attr.name] = length
    if sum(lengths[one.count] for one in op.outputs if one.count) > _MOST_OUTPUTS:
        ctx.fail(VALUE_LARGE, span, help="ask for fewer", size="too many outputs", limit=f"{_MOST_OUTPUTS} outputs")
    groups = [_outputs(one, dtypes, lengths) for one in op.outputs]
    types = tuple(TensorType(dtype) for group in groups for dtype in group)
    ctx.spend(1000, span)
    outputs = inferred(ctx, op.name, args, name, types, [arguments[one.name] for one in op.inputs], span)
    if waiting:
        outputs = (TensorType(outputs[0].dtype), *outputs[1:])
    node = ctx.graph.add(op.name, args, name, outputs, ctx.origin(span))
    ctx.graph.pending += [Pending(one.name, one.env, node, at, one.span) for at, one in waiting.items()]
    if not outputs:
        return Operation(Ref(node), ctx.graph.name, span)
    tensors = iter([Tensor(Ref(node, i), type, ctx.graph.name, span) for i, type in enumerate(outputs)])
    values = [
        [next(tensors) for _ in group] if one.is_list else next(tensors)
        for one, group in zip(op.outputs, groups, strict=True)
    ]
    return values[0] if len(values) == 1 else Outputs(values, [one.name for one in op.outputs], span)


def _waiting(ctx: Analysis, op: RawOp, arguments: dict[str, ArgumentValue]) -> dict[int, LaterValue]:
    """The inputs of a merge that come from further down, by position. Until then, a known input takes their place."""
    if op.tf not in raw.MERGES or not isinstance(given := arguments["inputs"].value, (list, tuple)):
        return {}
    found = {at: one for at, one in enumerate(given) if isinstance(one, LaterValue)}
    known = [one for one in given if isinstance(one, Tensor)]
    if found and (ctx.graph.regions or not known):
        one = next(iter(found.values()))
        ctx.fail(LATER_PLACE, one.span, name=one.name)
    arguments["inputs"] = replace(
        arguments["inputs"], value=[known[0] if isinstance(one, LaterValue) else one for one in given]
    )
    return found


def _keep_in(ctx: Analysis, op: RawOp, attrs: Mapping[str, Static | Literal], span: Span) -> None:
    """Refuse an op that reaches outside the graph if an `if` or a `while` would execute it, or TensorFlow while it
    builds the graph. Elsewhere, a session that executes the op is refused."""
    what, instead = reach(op, {name: arg.value for name, arg in attrs.items()})
    if what and (ctx.graph.regions or op.tf in REACHING_BY or op.reaches == UNCLASSED):
        ctx.fail(RAW_REACHES, span, op=op.name, what=what, instead=instead)


def _assigned(
    ctx: Analysis, op: RawOp, given: Arguments, span: Span
) -> tuple[dict[str, ArgumentValue], dict[str, ArgumentValue]]:
    """The arguments by name, with all required arguments present, and the attributes that the op itself does not
    have."""
    inputs = {one.name: one.is_list for one in op.inputs}
    names = [*inputs, *op.given, *op.inferred]
    beside = [name for name, _ in given if name is not None and name.startswith("_") and name not in names]
    named = [(name if name is None else op.other_names.get(name, name), argument) for name, argument in given]
    found = assign_arguments(ctx, op.name, op.signature, [*names, *beside], named, span, positional=0)
    arguments = {name: argument for name, argument in found.items() if name in names}
    for name, is_list in inputs.items():
        if name not in arguments:
            missing(ctx, op.name, op.signature, name, span)
        arguments[name] = prepared(ctx, arguments[name], is_list=is_list)
    for name, attr in op.given.items():
        if name in arguments and arguments[name].value is None and attr.default is not REQUIRED:
            del arguments[name]  # `tf.raw_ops` takes none as the default
        if name not in arguments and attr.default is REQUIRED:
            missing(ctx, op.name, op.signature, name, span)
    return arguments, {name: found[name] for name in beside}


# --- attributes -------------------------------------------------------------------------------

_WANTED = {
    "string": "a string",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "type": "a dtype such as float32",
    "shape": "a shape such as [2, 3]",
    "tensor": "a number or a list of them",
    "func": "a function of the graph",
}


def _attribute(ctx: Analysis, op: RawOp, attr: RawAttr, arguments: dict[str, ArgumentValue]) -> Static | Literal:
    """An attribute of the call, for the IR: dtypes by name, a tensor as a literal."""
    given = arguments[attr.name]
    if has_tensor(given.value):
        ctx.fail(NOT_STATIC, given.span, operand_notes([given]), what=f"'{attr.name}' of {op.name}",
                 value=describe(given.value))  # fmt: skip
    if attr.kind == "tensor":
        return _tensor(ctx, op, attr, arguments)
    if not attr.is_list:
        value = _item(ctx, op, attr, given, given.value)
        if attr.item == "int" and attr.least is not None and isinstance(value, int) and value < attr.least:
            ctx.fail(NEGATIVE, given.span, op=op.name, value=value, param=attr.name, least=attr.least)
        return Static(value)
    values = given.value
    if isinstance(values, ShapeOf) and attr.item == "int":
        values = sizes_of(ctx, values, given.span)
    if not isinstance(values, (list, tuple, range)):
        _wrong(ctx, op, attr, given)
    if attr.least is not None and len(values) < attr.least:
        wanted = f"at least {counted(attr.least, 'value')}"
        ctx.fail(RAW_COUNT, given.span, op=op.name, wanted=wanted, param=attr.name, count=len(values))
    return Static(tuple(_item(ctx, op, attr, given, value) for value in values))


def _item(ctx: Analysis, op: RawOp, attr: RawAttr, given: ArgumentValue, value: ExprValue) -> HostValue:
    """One value of an attribute."""
    found: str | bytes | bool | int | float
    match attr.item, value:
        case ("string", (str() | bytes()) as found) | ("bool", bool(found)):
            pass
        case ("int", bool()) | ("float", bool()):
            _wrong(ctx, op, attr, given)
        case "int", int(found):
            pass
        case "float", (int() | float()) as number:
            found = float(number)
        case "type", DType() | Builtin() if (dtype := as_dtype(value)) is not None:
            found = dtype.name
        case "type", str(found) if found in ALL_DTYPES:
            pass
        case "shape", _:
            return _shape(ctx, op, attr, given, value)
        case "func", LibraryFunction(name=found):
            pass
        case "func", str(found):
            _check_known(ctx, op, attr, given, found)
        case _:
            _wrong(ctx, op, attr, given)
    if attr.allowed is not None and found not in attr.allowed:
        if attr.item == "type":
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, op=op.name, dtype=found, param=f"'{attr.name}'",
                     allowed=" or ".join(attr.allowed))  # fmt: skip
        allowed = " or ".join(f'"{one}"' for one in attr.allowed)
        ctx.fail(OPTION, given.span, help=ctx.did_you_mean(str(found), attr.allowed), op=op.name, value=f'"{found}"',
                 param=f"'{attr.name}'", allowed=allowed)  # fmt: skip
    return found


def _check_known(ctx: Analysis, op: RawOp, attr: RawAttr, given: ArgumentValue, name: str) -> None:
    """Check a function that is given by its name: one of the graph, or an op."""
    if ctx.is_partial and t.GraphFunction in ctx.graph.broken:
        return
    if name not in ctx.graph.functions and not ctx.graph.is_function and name not in raw.names():
        help = ctx.did_you_mean(name, ctx.graph.functions)
        ctx.fail(RAW_FUNCTION, given.span, help=help, function=op.name, name=attr.name, value=describe(name))


def _shape(
    ctx: Analysis, op: RawOp, attr: RawAttr, given: ArgumentValue, value: ExprValue
) -> tuple[int | None, ...] | None:
    """A shape: a list of sizes, with none for an unknown size; none for an unknown rank."""
    if value is None:
        return None
    if isinstance(value, ShapeOf):
        value = [] if value.dims is None else [d if isinstance(d, int) else None for d in value.dims]
    items: list[int | None] = []
    for item in value if isinstance(value, (list, tuple)) else [value]:
        if item is not None and (not isinstance(item, int) or isinstance(item, bool)):
            _wrong(ctx, op, attr, given)
        items.append(item)
    # TensorFlow would abort the process for these instead of raising an error.
    if len(items) > MAX_AXES or prod(item for item in items if item) not in range(-(2**62), 2**62):
        help = f"it can have up to {MAX_AXES} axes, and 2 ** 62 elements"
        ctx.fail(ARGUMENT_KIND, given.span, help=help, function=op.name, wanted=_WANTED["shape"], name=attr.name,
                 value="larger than that")  # fmt: skip
    return tuple(items)


def _tensor(ctx: Analysis, op: RawOp, attr: RawAttr, arguments: dict[str, ArgumentValue]) -> Literal:
    """A value that the op holds as a tensor. Its dtype is the attribute `dtype`, or the dtype of the default."""
    given = arguments[attr.name]
    if not is_host(given.value) or given.value is None:
        _wrong(ctx, op, attr, given)
    if isinstance(attr.default, dict):
        dtype = ALL_DTYPES[next(iter(attr.default))]
    elif "dtype" in arguments:
        dtype = ALL_DTYPES[str(_attribute(ctx, op, op.given["dtype"], arguments).value)]
    else:
        dtype = default_dtype(given.value, scalar_class(ctx, given.value, given.span))
    arg, _ = to_arg(ctx, given, dtype)
    assert isinstance(arg, Literal)  # the value is a host value
    return arg


def free_attribute(ctx: Analysis, function: str, name: str, given: ArgumentValue) -> Static:
    """An attribute that the op itself does not have, such as `_class`: its kind and its value."""
    kind = _kind_of(given.value)
    if kind is None:
        wanted = "a string, a number, true, false, a dtype, or a list of one of them,"
        ctx.fail(ARGUMENT_KIND, given.span, function=function, wanted=wanted, name=name, value=describe(given.value))
    if kind == "int" and not (isinstance(given.value, int) and -(2**63) <= given.value < 2**63):
        ctx.fail(ARGUMENT_KIND, given.span, function=function, wanted="a 64-bit number", name=name, value="larger")
    return Static((kind, freeze(cast(Host, _named(given.value)))))  # a value with a kind is one, or is named


def _kind_of(value: ExprValue) -> str | None:
    """The kind of an attribute with this value, or None if no attribute can have it."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int"
        case float():
            return "float"
        case str() | bytes():
            return "string"
        case DType() | Builtin():
            return None if as_dtype(value) is None else "type"
        case LibraryFunction():
            return "func"
        case list() | tuple():
            kinds = {_kind_of(item) for item in value} or {"string"}
            kind = kinds.pop()
            return None if kinds or kind is None or kind.startswith("list") else f"list({kind})"
        case _:
            return None


def _named(value: ExprValue) -> ExprValue:
    """The value, with each dtype replaced by its name."""
    match value:
        case DType() | Builtin():
            return str(as_dtype(value))
        case LibraryFunction():
            return value.name
        case list() | tuple():
            return [_named(item) for item in value]
        case _:
            return value


def _wrong(ctx: Analysis, op: RawOp, attr: RawAttr, given: ArgumentValue) -> NoReturn:
    wanted = f"a list, each item {_WANTED[attr.item]}," if attr.is_list else _WANTED[attr.item]
    ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted=wanted, name=attr.name, value=describe(given.value))


# --- inputs -----------------------------------------------------------------------------------


def _decide(ctx: Analysis, op: RawOp, arguments: dict[str, ArgumentValue], dtypes: _Dtypes) -> None:
    """Decide the dtypes that follow from inputs: those of the tensors, or else dtypes that suit the numbers."""
    inputs = [(one, arguments[one.name]) for one in op.inputs if one.attr and not op.attrs[one.attr].is_list]
    decided = {name: (name, given) for name, given in dtypes.given.items()}
    for one, given in inputs:
        dtype = tensor_dtype(given.value)
        if dtype is not None and dtypes.one.setdefault(one.attr, dtype) != dtype:
            differ(ctx, op, decided.get(one.attr), one, given, dtypes.one[one.attr], dtype)
        if dtype is not None:
            decided.setdefault(one.attr, (one.name, given))
    for name in dict.fromkeys(one.attr for one, _ in inputs if one.attr not in dtypes.one):
        dtypes.one[name] = _suitable(ctx, op, op.attrs[name], [g for one, g in inputs if one.attr == name], arguments)
    for one, given in inputs:
        dtype, attr = dtypes.one[one.attr], op.attrs[one.attr]
        if attr.allowed is not None and not attr.takes(dtype):
            help = f"convert it first: cast({given.text}, float32)" if attr.takes(FLOAT32) else ""
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, operand_notes([given]), help if dtype.kind != "string" else "",
                     op=op.name, dtype=dtype, param=f"'{one.name}'", allowed=" or ".join(attr.allowed))  # fmt: skip


def _suitable(
    ctx: Analysis, op: RawOp, attr: RawAttr, given: list[ArgumentValue], arguments: dict[str, ArgumentValue]
) -> DType:
    """The dtype of inputs that are all numbers: a variable's dtype, TensorFlow's default, or float32."""
    values = [one.value for one in given]
    kind = scalar_class(ctx, values, given[0].span)
    own = default_dtype(values, kind)
    around = [arguments[one.name].value for one in op.inputs]
    beside = [value.type.dtype for value in around if _is_variable(value)]
    default = [ALL_DTYPES[attr.default]] if isinstance(attr.default, str) else []
    usual = [*default, own] if attr.allowed is None else [own, *default]
    fitting = (d for d in (*beside, *usual, FLOAT32) if attr.takes(d) and (kind is None or d.kind in BECOMES[kind]))
    return next(fitting, own)


def _is_resource(ctx: Analysis, value: ExprValue) -> bool:
    """Whether a value is a variable that has a handle."""
    return _is_variable(value) and not ctx.graph.nodes[value.ref.node].is_reference_variable


def _is_variable(value: ExprValue) -> TypeGuard[Tensor]:
    return isinstance(value, Tensor) and value.is_variable


def _input(
    ctx: Analysis,
    op: RawOp,
    one: RawArgument,
    given: ArgumentValue,
    dtypes: _Dtypes,
    counts: dict[str, tuple[int, str]],
) -> Arg:
    """An input for the IR."""
    if one.is_reference:
        _check_reference(ctx, op, one, given)
    if not one.is_list:
        dtype = dtypes.of(one)
        _check_fixed(ctx, op, one, given, [given.value], dtype)
        return to_arg(ctx, given, dtype)[0]
    if not isinstance(given.value, (list, tuple)):
        ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted="a list of tensors", name=one.name,
                 value=describe(given.value))  # fmt: skip
    items = [ArgumentValue(value, given.span) for value in given.value]
    counter = one.count or one.attr
    least = op.attrs[counter].least or 0
    if len(items) < least:
        wanted = f"at least {counted(least, 'tensor')}"
        ctx.fail(RAW_COUNT, given.span, op=op.name, wanted=wanted, param=one.name, count=len(items))
    count, other = counts.setdefault(counter, (len(items), one.name))
    if count != len(items):
        wanted = f"as many tensors as in '{other}', {count},"
        ctx.fail(RAW_COUNT, given.span, op=op.name, wanted=wanted, param=one.name, count=len(items))
    if one.count:
        dtype = dtypes.of(one)
        _check_fixed(ctx, op, one, given, given.value, dtype)
        if one.attr:
            check_one_dtype(ctx, op, one, given, given.value, dtype)
        return Refs(tuple(to_arg(ctx, item, dtype)[0] for item in items))
    known: Sequence[DType | None] = dtypes.several.get(one.attr, (None,) * len(items))
    pairs = [typed(ctx, item, dtype) for item, dtype in zip(items, known, strict=True)]
    attr = op.attrs[one.attr]
    for item, dtype, (_, type) in zip(items, known, pairs, strict=True):
        allowed = attr.allowed if dtype is None else (dtype.name,)
        if allowed is not None and type.dtype.name not in allowed:
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, operand_notes([item]), op=op.name, dtype=type.dtype,
                     param=f"'{one.name}'", allowed=" or ".join(allowed))  # fmt: skip
    dtypes.several[one.attr] = tuple(type.dtype for _, type in pairs)
    return Refs(tuple(arg for arg, _ in pairs))


def _check_reference(ctx: Analysis, op: RawOp, one: RawArgument, given: ArgumentValue) -> None:
    """Check that an input is a reference, or a list of references."""
    for value in given.value if isinstance(given.value, (list, tuple)) else [given.value]:
        node = ctx.graph.nodes[value.ref.node] if isinstance(value, Tensor) else None
        if node is None or not isinstance(value, Tensor) or not node.is_reference(value.ref.output):
            help = _for_resources(op) if node is not None and node.is_variable else ""
            ctx.fail(RAW_REFERENCE, given.span, operand_notes([given]), help, op=op.name, param=one.name,
                     value=describe(value))  # fmt: skip


def _for_resources(op: RawOp) -> str:
    """A help line that names the op for resource variables, if an op takes a reference."""
    known = (raw.find(name) for name in (f"Resource{op.tf}", f"{op.tf}VariableOp"))
    return next((f"for such a variable there is {one.name}" for one in known if one is not None), "")


def _check_fixed(
    ctx: Analysis, op: RawOp, one: RawArgument, given: ArgumentValue, values: Sequence[ExprValue], dtype: DType
) -> None:
    """Check the values of an input with a fixed dtype. A variable can stand for its resource handle."""
    if one.attr:
        return
    for value in values:
        own = tensor_dtype(value)
        if dtype.kind == "opaque" and own != dtype and not (dtype.name == "resource" and _is_resource(ctx, value)):
            wanted = "a variable, or a resource that another op makes," if dtype.name == "resource" else dtype
            ctx.fail(RAW_RESOURCE, given.span, operand_notes([given]), op=op.name, wanted=wanted, param=one.name,
                     value=describe(value))  # fmt: skip
        if dtype.kind != "opaque" and own not in (None, dtype):
            convertible = not {"string", "opaque"} & {own.kind, dtype.kind}
            help = f"convert it first: cast({given.text}, {dtype})" if convertible else ""
            ctx.fail(DTYPE_NOT_ALLOWED, given.span, operand_notes([given]), help, op=op.name, dtype=own,
                     param=f"'{one.name}'", allowed=dtype)  # fmt: skip


# --- outputs ----------------------------------------------------------------------------------


def _outputs(one: RawArgument, dtypes: _Dtypes, lengths: dict[str, int]) -> tuple[DType, ...]:
    """The dtypes of an output: one, or one per item of the list."""
    if one.count:
        return (dtypes.of(one),) * lengths[one.count]
    return dtypes.several[one.attr] if one.is_list else (dtypes.of(one),)
