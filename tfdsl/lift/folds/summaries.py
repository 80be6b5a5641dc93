"""Folds summaries to `summary` statements. The ops that merge them are left out, since sessions log all summaries."""

from ..constants import constant_value
from ..draft import Draft, Given, SummaryPiece
from ..graph import Endpoint
from ..pipelines import MERGE
from .operands import operand

_KINDS = {"ScalarSummary": "scalar", "HistogramSummary": "histogram"}


def fold_summaries(draft: Draft) -> None:
    for node in list(draft.nodes(*_KINDS)):
        tag = constant_value(draft.graph.input(node, 0))
        if tag is None or tag.shape:
            continue
        value = operand(draft, node.inputs[1])
        if isinstance(value, Given):
            continue
        text = str(tag.item().decode(errors="replace"))
        draft.claim(SummaryPiece(node.name, (Endpoint(node.name),), kind=_KINDS[node.op], tag=text, value=value))
    merged = list(draft.nodes(MERGE))
    for node in merged:
        if not draft.graph.users[node.name] and all(
            end.node in draft.dropped or isinstance(draft.pieces.get(end.node), SummaryPiece) for end in node.inputs
        ):
            draft.dropped.add(node.name)
            draft.notes.append(f"left out: {node.name}, which merges summaries; `log` in a session takes them all")
