"""The types of placeholders. Old graphs do not have the shapes of their placeholders; some follow from the ops that use
them."""

from collections.abc import Iterator

from ...record import replace
from ...types import TensorType
from ..draft import Draft
from ..graph import GraphNode
from .composites import type_of
from .conds import is_gradient
from .leftovers import is_leftover

_Sides = tuple[int | None, int | None]


def placeholder_type(draft: Draft, node: GraphNode) -> TensorType:
    """The type of a placeholder. If it has no shape and all that use it multiply it as a matrix, it is a matrix: only
    then does `@` become the same op as in the graph."""
    (type,) = node.types
    users = [draft.graph.nodes[name] for name in draft.graph.users[node.name] if not _is_aside(draft, name)]
    if type.shape is not None or not users or any(user.op != "MatMul" or user.name in draft.regions for user in users):
        return type
    rows, columns = ({one for one in sizes if one is not None} for sizes in zip(*_sides(draft, node, users)))
    if len(rows) > 1 or len(columns) > 1:
        return type
    return replace(type, shape=(next(iter(rows), None), next(iter(columns), None)))


def _is_aside(draft: Draft, name: str) -> bool:
    """Whether a user of a placeholder computes a gradient, or a shape that nothing uses."""
    ends = (one for one in draft.graph.below(name) if not draft.graph.users[one])
    is_shape = draft.graph.nodes[name].op == "Shape"
    return is_gradient(draft, name) or (is_shape and all(is_leftover(draft.graph, one) for one in ends))


def _sides(draft: Draft, node: GraphNode, products: list[GraphNode]) -> Iterator[_Sides]:
    """The rows and columns that each product needs, None where it does not tell."""
    for product in products:
        for at, side in enumerate("ab"):
            if product.inputs[at].node == node.name:
                yield _side(draft, product, at, product.attrs[f"transpose_{side}"].b)


def _side(draft: Draft, product: GraphNode, at: int, is_transposed: bool) -> _Sides:
    """The rows and columns of the first or second factor of a product, from the other factor."""
    other = type_of(draft, product.inputs[1 - at]).shape
    is_other_transposed = product.attrs[f"transpose_{'ba'[at]}"].b
    size = other[at != is_other_transposed] if other is not None and len(other) == 2 else None
    depth = size if isinstance(size, int) else None
    return (None, depth) if (at == 0) != is_transposed else (depth, None)
