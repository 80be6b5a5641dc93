"""The scopes of a lifted program: which ones source can have, and the order of what is in them."""

from .draft import LiftedPiece, StepPiece
from .names import TAKEN


def scope_of(piece: LiftedPiece) -> tuple[str, ...]:
    """The scopes of a piece that a program can name."""
    if isinstance(piece, StepPiece) and piece.is_whole:
        return ()
    found: list[str] = []
    for name in piece.node.split("/")[:-1]:
        if not name.isidentifier() or not name.isascii() or name in TAKEN or name[0] == "_":
            break
        found.append(name)
    return tuple(found)


def clear_scopes(scopes: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """The scopes, without those whose name another scope has in another place, so that a name says which is meant."""
    first: dict[str, tuple[str, ...]] = {}
    for scope in sorted(dict.fromkeys(scopes.values()), key=len):
        for depth, name in enumerate(scope):
            first.setdefault(name, scope[: depth + 1])
    found: dict[str, tuple[str, ...]] = {}
    for node, scope in scopes.items():
        depth = next((at for at, name in enumerate(scope) if first[name] != scope[: at + 1]), len(scope))
        found[node] = scope[:depth]
    return found


def shared_scopes(scope: tuple[str, ...], here: tuple[str, ...]) -> int:
    """How many scopes around a place are also around another."""
    return next((at for at, (one, other) in enumerate(zip(scope, here)) if one != other), min(len(scope), len(here)))
