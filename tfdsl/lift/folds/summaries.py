"""Folds summaries to `summary` statements. The ops that merge them are left out, since sessions log all summaries."""

from ...diagnostics.spelling import listed
from ...lowering.tf import v1
from ..constants import constant_value
from ..draft import Draft, Given, SummaryPiece
from ..graph import NAMED, Endpoint, GraphNode, reached
from ..pipelines import MERGE
from .operands import operand

_KINDS = {"ScalarSummary": "scalar", "HistogramSummary": "histogram", "ImageSummary": "image",
          "TensorSummaryV2": "text"}  # fmt: skip
_OTHERS = ("AudioSummary", "AudioSummaryV2", "TensorSummary")
_PASSES = (MERGE, "Identity")
_PICTURES = 3  # how many pictures of a batch a summary has


def fold_summaries(draft: Draft) -> None:
    for node in list(draft.nodes(*_KINDS)):
        tag = constant_value(draft.graph.input(node, 0))
        if tag is None or tag.shape or not _is_usual(draft, node) or _is_read(draft, node.name):
            continue
        value = operand(draft, node.inputs[1])
        if isinstance(value, Given):
            continue
        text = str(tag.item().decode(errors="replace"))
        draft.claim(SummaryPiece(node.name, (Endpoint(node.name),), kind=_KINDS[node.op], tag=text, value=value))
    _drop_merges(draft)


def _is_usual(draft: Draft, node: GraphNode) -> bool:
    """Whether a `summary` statement can have these attributes and metadata."""
    match node.op:
        case "ImageSummary":
            bad = node.attrs["bad_color"].tensor
            is_red = not bad.ByteSize() or v1.make_ndarray(bad).tolist() == [255, 0, 0, 255]
            return node.attrs["max_images"].i == _PICTURES and is_red
        case "TensorSummaryV2":
            given = constant_value(draft.graph.input(node, 2))
            if given is None or given.shape:
                return False
            metadata = v1.SummaryMetadata.FromString(given.item())
            is_text = metadata.plugin_data.plugin_name == "text"
            return is_text and not metadata.plugin_data.content and not metadata.summary_description
        case _:
            return True


def _readers(draft: Draft, name: str) -> list[GraphNode]:
    """The nodes that read a node, without those that the source does not need."""
    users = [draft.graph.nodes[user] for user in draft.graph.users[name] if user not in draft.dropped]
    return [user for user in users if any(end.node == name for end in user.inputs)]


def _is_read(draft: Draft, name: str) -> bool:
    """Whether an op needs the bytes of a summary, apart from ops that merge summaries or name the result."""
    return name in draft.served or any(
        one.op not in _PASSES or _is_read(draft, one.name) for one in _readers(draft, name)
    )


def _drop_merges(draft: Draft) -> None:
    """Leave out the ops that merge summaries, and those that name the result. Summaries without a statement remain as
    results."""
    merged: list[str] = []
    alone: list[str] = []
    summaries = [node.name for node in draft.graph.nodes.values() if node.op in (*_KINDS, *_OTHERS, MERGE)]
    found = reached(summaries, lambda name: [one.name for one in _readers(draft, name) if one.op in _PASSES])
    for node in reversed([node for node in draft.nodes(*_PASSES) if node.name in found]):
        if not _is_read(draft, node.name) and not _readers(draft, node.name):
            draft.dropped.add(node.name)
            merged.append(node.name)
            alone += [end.node for end in node.inputs if _is_alone(draft, end.node)]
    draft.served |= {*alone}
    if merged:
        names = listed(merged[::-1], NAMED)
        merges = "which merges summaries" if len(merged) == 1 else "which merge summaries"
        logs = "`log` in a session takes them all; a session that logs none of them gets a warning for each, TFG902"
        draft.notes.append(f"left out: {names}, {merges}; {logs}")
    if alone:
        names = listed(alone, NAMED)
        draft.notes.append(f"`log` leaves out {names}, which no `summary` can express")


def _is_alone(draft: Draft, name: str) -> bool:
    """Whether a node is a summary without a statement."""
    is_summary = draft.graph.nodes[name].op in (*_KINDS, *_OTHERS) and name not in draft.dropped
    return is_summary and not isinstance(draft.pieces.get(name), SummaryPiece)
