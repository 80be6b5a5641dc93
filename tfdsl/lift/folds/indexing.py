"""`StridedSlice` with known masks is `x[...]`."""

from ..draft import Draft, Given, IndexPiece, Operand, Produced
from ..graph import Endpoint, GraphNode
from .operands import operand

_MASKS = ("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask")


def index_of(draft: Draft, node: GraphNode) -> IndexPiece | None:
    """A strided slice whose bounds are known."""
    if node.op != "StridedSlice":
        return None
    x, *bounds = (operand(draft, end) for end in node.inputs)
    known = [one.value for one in bounds if isinstance(one, Given) and isinstance(one.value, tuple)]
    if len(known) != 3 or not isinstance(x, Produced):
        return None
    begin, end, ellipsis, new, shrink = (node.attrs[mask].i for mask in _MASKS)
    specs: list[str | Operand | tuple[Operand | None, Operand | None, Operand | None]] = []
    for at, (first, last, step) in enumerate(zip(*known, strict=True)):
        bit = 1 << at
        if ellipsis & bit:
            specs.append("...")
        elif new & bit:
            specs.append("new")
        elif shrink & bit:
            specs.append(Given(first, ""))
        else:
            specs.append((None if begin & bit else Given(first, ""), None if end & bit else Given(last, ""),
                          None if step == 1 else Given(step, "")))  # fmt: skip
    return IndexPiece(node.name, (Endpoint(node.name),), node.controls, x=x, specs=tuple(specs))
