"""Inputs of nodes as operands of pieces."""

import numpy as np

from ...lowering.tf import op_def
from ...ops.raw import NEXT_ITERATIONS
from ..constants import MOST_IN_TEXT, constant_value, is_splat, plain, value_text
from ..draft import BackEdge, Draft, Given, Listed, NotReadable, Operand, Produced, Splat
from ..graph import Endpoint, GraphNode
from ..nodes import count_of

_MOST_FLOATS = 8  # the most floats of a constant in the text
_LONGEST_FLOATS = 40  # the most characters of these floats
# Ops whose result has the highest rank of their inputs.
_ELEMENTWISE = ("Add", "AddV2", "Sub", "Mul", "RealDiv", "Div", "Maximum", "Minimum", "Identity", "Neg", "Relu",
                "Sigmoid", "Tanh", "Exp", "Log", "Square", "Sqrt", "Abs", "Softmax", "BiasAdd", "Cast",
                "Exit")  # fmt: skip


def operand(draft: Draft, end: Endpoint) -> Operand:
    """An input of a node. A small constant is its value; of a large one a piece is made."""
    if end.node in draft.kept:
        return BackEdge(end) if draft.graph.nodes[end.node].op in NEXT_ITERATIONS else Produced(end)
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
    is_short = not draft.arrays or _is_short(value, dtype)
    return Given(plain(value), dtype) if (value.size and is_short) or value.shape == (0,) else Produced(end)


def _is_short(value: np.ndarray, dtype: str) -> bool:
    """Whether a person would write these values where they are used. Strings cannot be in the file of arrays."""
    match value.dtype.kind:
        case "O":
            return True
        case "f":
            is_small = value.size <= _MOST_FLOATS and len(value_text(plain(value), dtype)) <= _LONGEST_FLOATS
            return value.size == 1 or is_small
        case _:
            return value.size <= MOST_IN_TEXT


def rank_of(draft: Draft, end: Endpoint) -> int | None:
    """The rank of a tensor. This includes tensors computed in loops, whose rank TensorFlow does not infer after reading
    a graph from a file."""
    end = draft.end(end)
    rank, node = draft.type(end).rank, draft.graph.nodes[end.node]
    if rank is not None:
        return rank
    if node.op == "Merge" and draft.graph.input(node, 0).op == "Enter":
        return rank_of(draft, draft.graph.input(node, 0).inputs[0])
    if node.op in _ELEMENTWISE:
        ranks = [rank_of(draft, one) for one in node.inputs]
        return None if None in ranks else max(one for one in ranks if one is not None)
    return None


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
