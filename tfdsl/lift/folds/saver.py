"""Savers and initializers: a session makes them, so source has none."""

from ..draft import Draft

_SAVES = ("SaveV2", "Save", "SaveSlices", "MergeV2Checkpoints", "ShardedFilename", "ShardedFilespec")
_RESTORES = ("RestoreV2", "Restore", "RestoreSlice", "MatchingFiles")
# What gives these ops the names of files and tensors.
_FED = ("Const", "Placeholder", "PlaceholderWithDefault", "StringJoin", "Pack", "Identity")
_ASSIGNS = ("Assign", "AssignVariableOp")
_INITIALIZED = ("IsVariableInitialized", "VarIsInitializedOp")


def drop_savers(draft: Draft) -> None:
    """Drop everything above and below the ops that save and restore."""
    graph = draft.graph
    found = [node.name for node in draft.nodes(*_SAVES, *_RESTORES)]
    dropped = _below(draft, found)
    restored = sorted(
        graph.nodes[name].inputs[0].node
        for name in dropped
        if graph.nodes[name].op in _ASSIGNS and graph.input(graph.nodes[name], 0).name not in dropped
    )
    draft.dropped |= dropped
    fed = [node for node in graph.nodes.values() if node.op in _FED]
    for node in reversed(fed):
        if graph.users[node.name] and all(user in draft.dropped for user in graph.users[node.name]):
            draft.dropped.add(node.name)
    if found:
        names = f" of {', '.join(restored[:5])}{', ...' if len(restored) > 5 else ''}" if restored else ""
        draft.notes.append(f"left out: the ops of a Saver{names}; `save` and `restore` in a session do the same")


def drop_initializers(draft: Draft) -> None:
    """Drop the groups of initializers, and questions whether variables are initialized that nothing asks."""
    graph = draft.graph
    for node in draft.nodes("NoOp"):
        needed = [graph.nodes[name] for name in node.controls]
        if all(one.op in _ASSIGNS or one.name in draft.dropped for one in needed) and not graph.users[node.name]:
            draft.dropped.add(node.name)
    for node in draft.nodes(*_INITIALIZED):
        if not graph.users[node.name]:
            draft.dropped.add(node.name)


def _below(draft: Draft, names: list[str]) -> set[str]:
    """These nodes and all that use them, directly or not."""
    found: set[str] = set()
    left = list(names)
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += draft.graph.users[name]
    return found
