"""Drops savers and initializers. A session makes its own, so source has none."""

from ...diagnostics.spelling import listed
from ..draft import Draft, VariablePiece
from ..graph import ASSIGNS, NAMED, RESTORES

_SAVES = ("SaveV2", "Save", "SaveSlices", "MergeV2Checkpoints", "ShardedFilename", "ShardedFilespec",
          "DisableCopyOnRead")  # fmt: skip
# The ops that compute names of files and tensors for these ops.
_FED = ("Const", "Placeholder", "PlaceholderWithDefault", "StringJoin", "Pack", "Identity", "StaticRegexFullMatch",
        "Select")  # fmt: skip
EXPORTS = ("LookupTableExport", "LookupTableExportV2")  # the content of a table, made for a Saver with the table
# The ops that make up a Saver.
_OWN = (*_SAVES, *RESTORES, *_FED, *ASSIGNS, "NoOp", "Reshape", "ExpandDims", "ConcatV2", "ReadVariableOp")
# The ops that make the list of variables without values.
_REPORTS = ("Pack", "LogicalNot", "Reshape", "Where", "Squeeze", "Gather", "GatherV2", "ConcatV2", "Identity")
INITIALIZED = ("IsVariableInitialized", "VarIsInitializedOp")


def drop_savers(draft: Draft) -> None:
    """Drop everything above and below the ops that save and restore."""
    graph = draft.graph
    found = [node.name for node in draft.nodes(*_SAVES, *RESTORES)]
    dropped = graph.below(*found)
    restored = sorted(
        {
            graph.nodes[name].inputs[0].node
            for name in dropped
            if graph.nodes[name].op in ASSIGNS and graph.input(graph.nodes[name], 0).name not in dropped
        }
    )
    draft.dropped |= dropped
    for name in sorted(dropped):
        if graph.nodes[name].op not in _OWN:
            draft.notes.append(f"left out: {name}, which needs an op of a Saver")
    fed = [node for node in graph.nodes.values() if node.op in (*_FED, *EXPORTS)]
    for node in reversed(fed):
        if graph.users[node.name] and all(user in draft.dropped for user in graph.users[node.name]):
            draft.dropped.add(node.name)
    if found:
        names = f" of {listed(restored, NAMED)}" if restored else ""
        draft.notes.append(f"left out: the ops of a Saver{names}; `save` and `restore` in a session do the same")


def drop_initializers(draft: Draft) -> None:
    """Drop the groups of initializers, and unused checks whether variables are initialized."""
    graph = draft.graph
    groups: set[str] = set()  # of initializers, which belong to declarations of variables
    for node in draft.nodes("NoOp"):
        done = [name for name in node.controls if name in draft.dropped or name in draft.inside or name in groups]
        if len(done) == len(node.controls):
            groups.add(node.name)
        elif any(name in groups or isinstance(draft.pieces.get(draft.owner(name)), VariablePiece) for name in done):
            draft.incomplete.add(node.name)
            rest = listed([name for name in node.controls if name not in done], NAMED)
            draft.notes.append(
                f"run {node.name} once: it does {rest}; a session initializes the other variables by itself"
            )
    for name in reversed([name for name in graph.nodes if name in groups]):
        if all(user in draft.dropped for user in graph.users[name]):
            draft.dropped.add(name)


def drop_checks(draft: Draft) -> None:
    """Drop checks whether variables are initialized, with the reports that list the others."""
    graph = draft.graph
    dropped: set[str] = set()
    for check in draft.nodes(*INITIALIZED):
        found = {name for name in graph.below(check.name) if graph.nodes[name].op != "NoOp"}
        if all(graph.nodes[name].op in (*INITIALIZED, *_REPORTS) and name not in draft.served for name in found):
            dropped |= found
    draft.dropped |= dropped
    reports = [name for name in dropped if not graph.users[name] and graph.nodes[name].op not in INITIALIZED]
    if reports:
        draft.notes.append(f"left out: {listed(sorted(reports), NAMED)}, which lists variables without values")
