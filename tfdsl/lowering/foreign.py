"""Lowers nodes of Python functions."""

import inspect
import os
from collections.abc import Callable, Iterator

from ..diagnostics import FUNCTION_MISSING, FUNCTION_RAISED, FUNCTION_RESULT, FUNCTION_VARIABLE, Note
from ..program import Arg, Field, Node, Refs
from .built import NodeLowering
from .failures import failure, plain_reason
from .tf import Operand, tf, v1


def python_node(lowering: NodeLowering, node: Node) -> Operand:
    """Call a function in a scope with the node's name. If it returns a single tensor, that tensor gets the name."""
    name = node.function
    function = lowering.functions.get(name)
    if function is None:
        raise failure(FUNCTION_MISSING, node.origin, function=name)
    call = _bound(function, {n: _argument(lowering, arg) for n, arg in node.args.items()})
    graph = v1.get_default_graph()
    variables = len(graph.get_collection("variables"))
    with v1.name_scope(node.name or name) as scope:
        try:
            result = function(*call.args, **call.kwargs)
        except Exception as error:
            reason = plain_reason(error) if str(error) else "it gives no reason"
            raise failure(FUNCTION_RAISED, node.origin, _places(error), error, function=name,
                          error=type(error).__name__, reason=reason) from error  # fmt: skip
        made = graph.get_collection("variables")[variables:]
        if made:
            raise failure(FUNCTION_VARIABLE, node.origin, function=name, name=made[0].op.name)
        if isinstance(result, tf.Operation):
            return result
        if isinstance(result, (list, tuple)) and result:
            return [_tensor(node, name, item, f"a {type(result).__name__} with {_described(item)}") for item in result]
        return tf.identity(_tensor(node, name, result, _described(result)), name=scope)


def _bound(function: Callable, arguments: dict[str, object]) -> inspect.BoundArguments:
    """The arguments of a node in the order and form that the function takes."""
    signature = inspect.signature(function)
    bound = inspect.BoundArguments(signature, {})
    keywords = {name: value for name, value in arguments.items() if name not in signature.parameters}
    for name, parameter in signature.parameters.items():
        if parameter.kind is inspect.Parameter.VAR_KEYWORD:
            bound.arguments[name] = keywords
        elif name in arguments:
            bound.arguments[name] = arguments[name]
    bound.apply_defaults()
    return bound


def _argument(lowering: NodeLowering, arg: Arg) -> Operand:
    """Data as a tensor, and a compile-time value as a Python value."""
    match arg:
        case Field():
            return tf.convert_to_tensor(lowering.argument(arg))
        case Refs(items):
            return [_argument(lowering, item) for item in items]
        case _:
            return lowering.argument(arg)


def _tensor(node: Node, function: str, value: object, described: str) -> tf.Tensor:
    if not isinstance(value, (tf.Tensor, tf.Variable)):
        raise failure(FUNCTION_RESULT, node.origin, function=function, value=described)
    return tf.convert_to_tensor(value)


def _described(value: object) -> str:
    match value:
        case None:
            return "nothing"
        case bool() | int() | float() | str():
            return f"{type(value).__name__} {value!r:.40}"
        case list() | tuple() if not value:
            return f"an empty {type(value).__name__}"
        case _:
            return f"an object of class {type(value).__name__}"


def _places(error: BaseException) -> Iterator[Note]:
    """The places in the caller's own Python code where the error was raised."""
    found, trace = None, error.__traceback__
    while trace is not None:
        package = trace.tb_frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in (__name__.partition(".")[0], "tensorflow", "keras"):
            found = trace
        trace = trace.tb_next
    if found is not None:
        yield Note(f"in {os.path.basename(found.tb_frame.f_code.co_filename)}, line {found.tb_lineno}")
