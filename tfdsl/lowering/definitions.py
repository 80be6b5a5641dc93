"""Definitions of graphs and functions: names of ops and their outputs, handles of variables, what is taken apart."""

from collections.abc import Iterable, Mapping

from .tf import tf

PASSES = ("Identity", "Enter", "Switch")  # a handle on, as it is
IFS = ("If", "StatelessIf")
APART = "_lower_using_switch_merge"
_CONTROL = (*IFS, "While", "StatelessWhile")
_RESOURCE = tf.resource.as_datatype_enum

Handles = Mapping[str, str]  # the ops that give the handle of a variable, with what identifies it


def is_taken_apart(node) -> bool:
    """Whether TensorFlow takes an op apart into those of its functions."""
    if node.op not in _CONTROL or APART not in node.attr:
        return False
    return node.attr[APART].b


def arguments_of(function) -> dict[str, str]:
    """The ops of a function that give the handle of a variable, which is the number of the argument that has it."""
    arguments = enumerate(function.signature.input_arg)
    result = {argument.name: f"{at}" for at, argument in arguments if argument.type == _RESOURCE}
    return passed_on(function.node_def, result)


def passed_on(nodes: Iterable, result: dict[str, str]) -> dict[str, str]:
    """The handles, with those that ops pass on."""
    for node in nodes:
        if node.op in PASSES and node.input and op_name(node.input[0]) in result:
            result[node.name] = result[op_name(node.input[0])]
    return result


def executed(function) -> list:
    """The ops of a function that it executes: those that its results need."""
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
    """The op of an input, or of a tensor's or an operation's name."""
    return name.removeprefix("^").partition(":")[0]


def full(name: str) -> str:
    """An input of a definition as the name of a tensor, or of an operation."""
    return name if name.startswith("^") or ":" in name else f"{name}:0"


def output(name: str) -> str:
    """An input of a definition, in a graph or a function, as an output of its op."""
    return f"{op_name(name)}:{name.rpartition(':')[2]}" if ":" in name else f"{name}:0"
