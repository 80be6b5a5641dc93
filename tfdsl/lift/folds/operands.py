"""Inputs of nodes as operands of pieces."""

from ...lowering.tf import op_def
from ..constants import MOST_IN_TEXT, constant_value, is_splat, plain
from ..draft import Draft, Given, Listed, NotReadable, Operand, Produced, Splat
from ..graph import Endpoint, GraphNode
from ..nodes import count_of

_MOST_FLOATS = 8  # of a constant in the text


def operand(draft: Draft, end: Endpoint) -> Operand:
    """An input of a node. A small constant is its value; of a large one a piece is made."""
    end = draft.end(end)
    node = draft.graph.nodes[end.node]
    value = draft.known.get(end)
    if value is None and node.name not in draft.pieces:
        value = constant_value(node)
    if value is None or value.dtype.kind == "c":  # source has no complex numbers
        return Produced(end)
    dtype = node.types[end.output].dtype.name
    if value.size > 1 and is_splat(value) and (value.size > 4 or value.ndim > 1):
        return Splat(plain(value.reshape(-1)[:1])[0], value.shape, dtype)
    most = value.size if not draft.arrays else MOST_IN_TEXT if value.dtype.kind != "f" else _MOST_FLOATS
    return Given(plain(value), dtype) if (value.size and value.size <= most) or value.shape == (0,) else Produced(end)


def inputs_of(draft: Draft, node: GraphNode) -> list[tuple[str, Operand]]:
    """The inputs of a node with their names in the definition of its op, a list of tensors as one."""
    definition = op_def(node.op)
    if definition is None:
        raise NotReadable(f"{node.name} calls the function {node.op} as an op")
    ends = iter(node.inputs)
    found: list[tuple[str, Operand]] = []
    for arg in definition.input_arg:
        count = count_of(arg, node.attrs)
        if count is None:
            found.append((arg.name, operand(draft, next(ends))))
        else:
            found.append((arg.name, Listed(tuple(operand(draft, next(ends)) for _ in range(count)))))
    return found
