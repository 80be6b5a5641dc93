"""Functions of the graph, which ops call: `function f(x: float32[?, 2]) -> (float32):`.

The body is a separate graph of raw nodes. TensorFlow infers no types in it, because it might execute the nodes to do
so.
"""

from collections.abc import Mapping

from ...diagnostics import (
    DTYPE_UNKNOWN,
    FUNCTION_BODY,
    FUNCTION_OUTPUT,
    FUNCTION_RETURN,
    GRAPH_PLACE,
    REBOUND,
    Note,
)
from ...diagnostics.spelling import counted
from ...program import FunctionArgument, GraphFunction, Ref, Static
from ...syntax import tree as t
from ...types import ALL_DTYPES, DTYPE_NAMES, TensorType
from ..calls.raw import free_attribute
from ..context import Analysis, GraphBuilder
from ..expressions.binding import bind
from ..expressions.declared import shape_of
from ..expressions.expressions import given, values_of
from ..expressions.node_names import filled_in
from ..other_graph import on_graph
from ..values import Env, LibraryFunction, NodeValue, Tensor, describe
from .loops import unclosed


def graph_function(ctx: Analysis, env: Env, statement: t.GraphFunction) -> None:
    """Add a function to the graph, and bind its name."""
    outer = ctx.graph
    if ctx.calling or outer.regions or outer.is_function:
        ctx.fail(GRAPH_PLACE, statement.span, what="'function'", hint="it belongs to the top level of a file")
    name = _name(ctx, env, statement.target.id, statement.node)
    if name in outer.function_places:
        note = Note("it was declared on line {line}", outer.function_places[name])
        ctx.fail(REBOUND, statement.target.span, (note,), name=name)
    inside = Env(parent=env)
    inner = GraphBuilder(f"function '{name}'", inside, span=statement.target.span, is_function=True)
    with on_graph(ctx, inner):
        inputs = tuple(ctx.each(lambda one: _input(ctx, inside, one), statement.inputs))
        outputs, controls = _body(ctx, inside, statement)
    for found in unclosed(ctx, inner):
        ctx.bag.add(found)
    attributes = _attributes(ctx, env, statement.target.id, statement.attributes)
    outer.functions[name] = GraphFunction(name, inputs, inner.finish(), outputs, controls, attributes)
    outer.function_places[name] = statement.target.span
    bind(ctx, env, statement.target, LibraryFunction(name, statement.target.span, outer.name))


def _name(ctx: Analysis, env: Env, name: str, node: t.NodeName | None) -> str:
    """The name in TensorFlow: the name in quotes, which can be any text, or else the name in the program."""
    if node is None:
        return name
    return filled_in(ctx, env, str(node.text.value), node.span, "the name of a function")


def _dtype_type(ctx: Analysis, env: Env, type: t.Type) -> TensorType:
    """The type of an input or output. It can have any dtype."""
    dtype = DTYPE_NAMES.get(type.dtype) or ALL_DTYPES.get(type.dtype)
    if dtype is None:
        help = ctx.did_you_mean(type.dtype, ALL_DTYPES)
        ctx.fail(DTYPE_UNKNOWN, type.span, help=help, name=type.dtype, known=", ".join(ALL_DTYPES))
    return TensorType(dtype, shape_of(ctx, env, type))


def _input(ctx: Analysis, env: Env, one: t.FunctionInput) -> FunctionArgument:
    name = _name(ctx, env, one.target.id, one.node)
    node = ctx.graph.carry(name, _dtype_type(ctx, env, one.type), ctx.origin(one.span))
    ctx.graph.items.append(node)
    value = Tensor(Ref(node.id), node.outputs[0], ctx.graph.name, one.span)
    bind(ctx, env, one.target, value)
    return FunctionArgument(node.id, name, _attributes(ctx, env, one.target.id, one.attributes))


def _attributes(ctx: Analysis, env: Env, function: str, attributes: tuple[t.Argument, ...]) -> Mapping[str, Static]:
    values = [(one.name or "", given(ctx, env, one.value)) for one in attributes]
    return {name: free_attribute(ctx, function, name, value) for name, value in values}


def _body(ctx: Analysis, env: Env, statement: t.GraphFunction) -> tuple[dict[str, Ref], dict[str, Ref]]:
    """Analyse the body. Return its results and the nodes that every call waits for, by name."""
    *body, last = statement.body
    result = last if isinstance(last, t.Return) else None
    rest = statement.body if result is None else tuple(body)
    ctx.block(env, rest)
    if any(isinstance(one, t.Return) for one in rest) or (result is not None and result.name is not None):
        ctx.fail(FUNCTION_RETURN, statement.span, name=statement.target.id)
    values = [] if result is None else values_of(ctx, env, result.values)
    for node in ctx.graph.nodes.values():
        if node.raw_op is None and not node.is_carried:
            ctx.fail(FUNCTION_BODY, node.origin.span, name=statement.target.id, value=node.op)
    if len(values) != len(statement.outputs):
        place = statement.target.span if result is None else result.span
        wanted = counted(len(statement.outputs), "output")
        ctx.fail(FUNCTION_OUTPUT, place, name=statement.target.id, wanted=wanted, value=counted(len(values), "value"))
    outputs: dict[str, Ref] = {}
    for at, (declared, value) in enumerate(zip(statement.outputs, values, strict=True)):
        type = _dtype_type(ctx, env, declared.type)
        if not isinstance(value, Tensor) or value.type.dtype != type.dtype:
            place = statement.target.span if result is None else result.values[at].span
            ctx.fail(FUNCTION_OUTPUT, place, name=statement.target.id, wanted=type, value=describe(value))
        name = _name(ctx, env, declared.name or f"output_{at}", declared.node)
        if name in outputs:
            ctx.fail(REBOUND, declared.span, name=name)
        outputs[name] = value.ref
    controls: dict[str, Ref] = {}
    for value in [] if result is None else values_of(ctx, env, result.after):
        if not isinstance(value, NodeValue):
            place = statement.target.span if result is None else result.span
            ctx.fail(FUNCTION_OUTPUT, place, name=statement.target.id, wanted="a node", value=describe(value))
        node = ctx.graph.nodes[value.ref.node]
        controls[node.name or node.op] = value.ref
    return outputs, controls
