"""Ops whose results only TensorFlow knows: raw ops of TensorFlow, and Python functions.

This module does not import TensorFlow. The driver passes a `Foreign` with the functions that the program can call
as ops, and with TensorFlow's inference (`lowering/infer.py`), which builds the nodes in a separate graph. `tfdsl
check` passes no inference. If TensorFlow or the function refuses the node, that is an error at the node's place,
as when the graph is built.
"""

import sys
from collections.abc import Callable, Iterator, Mapping

from ...diagnostics import (
    ARGUMENT_KIND,
    FUNCTION_CLASH,
    FUNCTION_GIVEN,
    OTHER_GRAPH,
    RAW_EVALUATED,
    Diagnostic,
    Message,
    Note,
    TfgError,
)
from ...inputs import PythonOp
from ...ops import OPS
from ...ops.optimizers import OPTIMIZERS
from ...program import PYTHON, Arg, Field, Node, Ref, Refs, Static, evaluated_input, refs_of
from ...record import replace
from ...source import Span
from ...syntax.tree import CONSTANTS
from ...types import DTYPE_NAMES, DType, TensorType
from ..context import Analysis, StatementFailed
from ..values import (
    Array,
    Builtin,
    ErrorValue,
    ExprValue,
    Operation,
    ShapeOf,
    Tensor,
    as_dtype,
    describe,
    freeze,
    is_host,
)
from .arguments import Arguments, ArgumentValue, assign_arguments, field_arg, missing, operand_notes, sizes_of
from .builtins import BUILTINS
from .wrong_kind import not_tensor


def python_ops(given: Mapping[str, Callable] | None) -> dict[str, PythonOp]:
    """The caller's functions, by the names that programs call. Raises `TfgError` for a value that cannot be an op."""
    from inspect import signature

    taken = {*OPS, *BUILTINS, *OPTIMIZERS, *DTYPE_NAMES, "raw", *CONSTANTS}
    found: dict[str, PythonOp] = {}
    wrong: list[Diagnostic] = []
    for name, function in (given or {}).items():
        if not isinstance(name, str) or not name.isidentifier():
            wrong.append(_wrong(FUNCTION_GIVEN, name, "programs cannot write its name"))
        elif not callable(function):
            wrong.append(_wrong(FUNCTION_GIVEN, name, "it cannot be called"))
        elif name in taken:
            wrong.append(_wrong(FUNCTION_CLASH, name))
        else:
            try:
                found[name] = PythonOp(name, function, signature(function))
            except (TypeError, ValueError):
                wrong.append(_wrong(FUNCTION_GIVEN, name, "Python does not know its arguments"))
    if wrong:
        raise TfgError(wrong)
    return found


def _wrong(message: Message, name: object, reason: str = "") -> Diagnostic:
    return Diagnostic(message, None, {"name": name, "reason": reason})


# --- a call of such a function ----------------------------------------------------------------


def call_python(ctx: Analysis, op: PythonOp, given: Arguments, span: Span, name: str | None) -> ExprValue:
    """Add the node of a call. Return the tensor that the function returns, or the list of its tensors."""
    arguments = _assigned(ctx, op, given, span)
    args = {n: _arg(ctx, op, n, argument) for n, argument in arguments.items()}
    ctx.spend(1000, span)
    result = _asked(ctx, PYTHON + op.name, args, name, (), list(arguments.values()), span)
    outputs = result if isinstance(result, tuple) else (result,)
    node = ctx.graph.add(PYTHON + op.name, args, name, outputs, ctx.origin(span))
    tensors = [Tensor(Ref(node, i), type, ctx.graph.name, span) for i, type in enumerate(outputs)]
    if not outputs:
        return Operation(Ref(node), ctx.graph.name, span)
    return tensors if isinstance(result, tuple) else tensors[0]


def _assigned(ctx: Analysis, op: PythonOp, given: Arguments, span: Span) -> dict[str, ArgumentValue]:
    """The arguments by parameter name. The arguments of `*args` become one list."""
    from inspect import Parameter

    parameters = op.signature.parameters.values()
    ordered = [p.name for p in parameters if p.kind in (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)]
    named = [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
    rest = next((p.name for p in parameters if p.kind is Parameter.VAR_POSITIONAL), None)
    names = [*ordered, *named]
    if any(p.kind is Parameter.VAR_KEYWORD for p in parameters):
        names += [n for n, _ in given if n is not None and n not in names]
    more = [g for n, g in given if n is None][len(ordered) :] if rest else []
    fixed = [(n, g) for n, g in given if n is not None or all(g is not one for one in more)]
    arguments = assign_arguments(ctx, op.name, op.text, names, fixed, span, len(ordered))
    for parameter in parameters:
        if parameter.name in names and parameter.default is Parameter.empty and parameter.name not in arguments:
            missing(ctx, op.name, op.text, parameter.name, span)
    if more and rest is not None:
        arguments[rest] = ArgumentValue([g.value for g in more], more[0].span)
    return arguments


def _arg(ctx: Analysis, op: PythonOp, name: str, given: ArgumentValue) -> Arg:
    """An argument for the IR: a tensor or a Python value."""
    value = given.value
    match value:
        case ErrorValue():
            raise StatementFailed(None)
        case Operation():
            not_tensor(ctx, value, given.span)
        case Tensor(ref=ref):
            if value.graph != ctx.graph.name:
                theirs, ours = ctx.graphs[value.graph].shown, ctx.graph.shown
                ctx.fail(OTHER_GRAPH, given.span, name=given.text, theirs=theirs, ours=ours)
            return ref
        case Array():
            return field_arg(ctx, value, given)
        case ShapeOf():
            return Static(tuple(sizes_of(ctx, value, given.span)))
        case DType() | Builtin() if (dtype := as_dtype(value)) is not None:
            return Static(dtype.name)
        case _ if is_host(value):
            return Static(freeze(value))
        case list() | tuple():
            return Refs(tuple(_arg(ctx, op, name, ArgumentValue(item, given.span)) for item in value))
    wanted = "a tensor or a value known while compiling"
    ctx.fail(ARGUMENT_KIND, given.span, function=op.name, wanted=wanted, name=name, value=describe(value))


# --- TensorFlow's inference -------------------------------------------------------------------


def inferred(
    ctx: Analysis, op: str, args: Mapping[str, Arg], name: str | None, outputs: tuple[TensorType, ...],
    given: list[ArgumentValue], span: Span,
) -> tuple[TensorType, ...]:  # fmt: skip
    """The types of a node with known dtypes, with the shapes that TensorFlow infers."""
    if ctx.foreign.infer is None or ctx.graph.is_function:
        ctx.graph.is_vague = True
        return outputs
    result = _asked(ctx, op, args, name, outputs, given, span)
    return result if isinstance(result, tuple) else (result,)


def _asked(
    ctx: Analysis, op: str, args: Mapping[str, Arg], name: str | None, outputs: tuple[TensorType, ...],
    given: list[ArgumentValue], span: Span,
) -> TensorType | tuple[TensorType, ...]:  # fmt: skip
    """Ask TensorFlow for the types of a node. `given` has the arguments as the program gives them."""
    nodes, sizes = ctx.graph.nodes, ctx.graph.sizes
    refs = [ref for arg in args.values() for ref in refs_of(arg)]
    types: dict[Ref | Field, TensorType] = {ref: nodes[ref.node].outputs[ref.output] for ref in refs}
    for one in given:
        types |= {array.field: array.type for array in _arrays(one.value) if isinstance(array.field, Field)}
    known = {
        leaf: type if type.shape is None else TensorType(type.dtype, tuple(map(sizes.resolve, type.shape)))
        for leaf, type in types.items()
    }
    functions = {name: op.function for name, op in ctx.foreign.functions.items()}
    node = Node(len(nodes), op, args, name, outputs, ctx.origin(span))
    if (made := evaluated_input(nodes, node)) is not None:
        ctx.fail(RAW_EVALUATED, span, (Note("it is from line {line}", made.origin.span),), op=made.op,
                 what=made.outside[0])  # fmt: skip
    is_new, started = "tensorflow" not in sys.modules, ctx.clock.now()
    assert ctx.foreign.infer is not None
    try:
        if ctx.graph.inference is None:
            ctx.graph.inference = ctx.foreign.infer(nodes, ctx.graph.version)
        return ctx.graph.inference.infer(node, known, functions)
    except TfgError as error:
        found = error.diagnostics[0]
        raise StatementFailed(replace(found, notes=(*found.notes, *operand_notes(given)))) from error
    finally:
        if is_new:  # importing TensorFlow takes seconds, which do not count against the program
            ctx.clock.wait(ctx.clock.now() - started)


def _arrays(value: ExprValue) -> Iterator[Array]:
    match value:
        case Array():
            yield value
        case list() | tuple():
            for item in value:
                yield from _arrays(item)
