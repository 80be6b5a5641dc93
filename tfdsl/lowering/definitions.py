"""Definitions of graphs and functions: names of ops and outputs, variable handles, inlined ops."""

from collections.abc import Iterable, Mapping

from .tf import FunctionDef, NodeDef, tf

PASSES = ("Identity", "Enter", "Switch")  # they pass a handle on
IFS = ("If", "StatelessIf")
INLINED = "_lower_using_switch_merge"
_CONTROL = (*IFS, "While", "StatelessWhile")
_RESOURCE = tf.resource.as_datatype_enum

Handles = Mapping[str, str]  # the ops that return the handle of a variable, with an identifier of the variable


def is_inlined(node: NodeDef) -> bool:
    """Whether TensorFlow inlines the functions of an op."""
    if node.op not in _CONTROL or INLINED not in node.attr:
        return False
    return node.attr[INLINED].b


def functions_of(node: NodeDef) -> list[str]:
    """The functions that an op calls, according to its definition."""
    found: list[str] = []
    for attr in node.attr.values():
        if attr.HasField("func"):
            found.append(attr.func.name)
        found += [func.name for func in attr.list.func]
    return found


def arguments_of(function: FunctionDef) -> dict[str, str]:
    """The ops of a function that return a variable handle. The identifier is the number of the argument."""
    arguments = enumerate(function.signature.input_arg)
    result = {argument.name: f"{at}" for at, argument in arguments if argument.type == _RESOURCE}
    return passed_on(function.node_def, result)


def passed_on(nodes: Iterable, result: dict[str, str]) -> dict[str, str]:
    """The handles, with those that other ops pass on."""
    for node in nodes:
        if node.op in PASSES and node.input and op_name(node.input[0]) in result:
            result[node.name] = result[op_name(node.input[0])]
    return result


def executed(function: FunctionDef) -> list[NodeDef]:
    """The ops that a call of a function executes: those that its results need."""
    nodes = {node.name: node for node in function.node_def}
    needed: set[str] = set()
    todo = [op_name(one) for one in (*function.ret.values(), *function.control_ret.values())]
    while todo:
        name = todo.pop()
        if name in nodes and name not in needed:
            needed.add(name)
            todo += map(op_name, nodes[name].input)
    return [node for node in function.node_def if node.name in needed]


def op_name(name: str) -> str:
    """The op of an input or of the name of a tensor or operation."""
    return name.removeprefix("^").partition(":")[0]


def full(name: str) -> str:
    """The name of the tensor or operation that an input in a definition refers to."""
    return name if name.startswith("^") or ":" in name else f"{name}:0"


def output(name: str) -> str:
    """An input in the definition of a graph or function, as an output of its op."""
    return f"{op_name(name)}:{name.rpartition(':')[2]}" if ":" in name else f"{name}:0"
