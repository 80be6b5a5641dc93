"""Finds out whether an optimizer step can be split by the rows of its batch between several workers.

A step can be split if the loss is a mean or a sum over the rows: its gradient is then the mean or the sum of the
gradients of the parts.
"""

from ..ops.batch import FIXED, MEAN, ROWS, SUM
from ..program import Graph, Node, Origin, Ref
from ..record import Record
from ..types import Size
from .batch_kinds import batch_kind, outside_regions


class BatchSplit(Record):
    """How a step is split: the placeholders fed with the batch, the nodes made from them that the loss needs, and
    whether the loss is a mean or a sum over them."""

    fed: tuple[Ref, ...]
    between: frozenset[int]
    is_mean: bool


class NotSplit(Record):
    """Why a step cannot be split, with the place in the program."""

    reason: str
    origin: Origin


def split(graph: Graph, optimize: Node, fed: frozenset[Ref] = frozenset()) -> BatchSplit | NotSplit:
    """How to split the step of an `optimize` node. `fed` lists the tensors that the program's sessions feed."""
    loss = optimize.loss
    if loss is None:
        return NotSplit("it applies gradients that the program makes itself", optimize.origin)
    reached = [graph.nodes[id] for id in outside_regions(graph.nodes, graph.reach([loss]))]
    firsts = {node.id: _first(node) for node in reached if node.is_placeholder}
    batches = [node for node in reached if firsts.get(node.id) is not None]
    sizes = list(dict.fromkeys(size for size in firsts.values() if size is not None))
    if not sizes:
        return NotSplit("it is fed no placeholder with a named first size, as in float32[batch, 9]", optimize.origin)
    if len(sizes) > 1:
        names = " and ".join(size.name for size in sizes)
        return NotSplit(f"its placeholders have several first sizes, {names}", optimize.origin)
    kinds: dict[int, str] = {}
    for node in reached:
        kind = ROWS if node in batches else batch_kind(graph.nodes, node, kinds)
        if kind is None:
            return NotSplit(f"the result of {_called(node)} for a batch cannot be combined from its parts", node.origin)
        if kind != FIXED and node not in batches and (graph.is_after(node) or any(ref.node == node.id for ref in fed)):
            what = "is in an 'after'" if graph.is_after(node) else "is fed"
            return NotSplit(f"{_called(node)}, which depends on the batch, {what}", node.origin)
        kinds[node.id] = kind
    kind = kinds[loss.node]
    if kind not in (MEAN, SUM):
        return NotSplit("its loss is not a mean or a sum over the rows of a batch", optimize.origin)
    between = frozenset(id for id, kind in kinds.items() if kind != FIXED) - {node.id for node in batches}
    return BatchSplit(tuple(Ref(node.id) for node in batches), between, kind == MEAN)


def _first(node: Node) -> Size | None:
    shape = node.outputs[0].shape
    return shape[0] if shape and isinstance(shape[0], Size) else None


def _called(node: Node) -> str:
    return f"'{node.name}'" if node.name else node.op.partition(".")[2] or node.op
