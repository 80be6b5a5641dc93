"""The scopes of a lifted program: which ones source can have, and the order of what is in them."""

import keyword

from ..analysis.calls.builtins import BUILTINS
from ..ops import OPS
from ..ops.optimizers import OPTIMIZERS
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES
from .draft import LiftedPiece

# Names that mean something else in the language.
TAKEN = {*OPS, *BUILTINS, *OPTIMIZERS, *DTYPE_NAMES, *CONSTANTS, *keyword.kwlist, "elif", "raw", "training",
          "later"}  # fmt: skip


def scope_of(piece: LiftedPiece) -> tuple[str, ...]:
    """The scopes of a piece that a program can name."""
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


def in_order(needs: dict[str, set[str]]) -> tuple[list[str], set[str]]:
    """The keys, each after those that it needs and otherwise in their order, and those that need one another."""
    order: list[str] = []
    left = {name: set(others) for name, others in needs.items()}
    while left:
        name = next((name for name, others in left.items() if not others), None)
        if name is None:
            return order, _in_circles(left)
        order.append(name)
        del left[name]
        for others in left.values():
            others.discard(name)
    return order, set()


def _in_circles(needs: dict[str, set[str]]) -> set[str]:
    """The keys that need themselves through others."""
    found: set[str] = set()
    for name in needs:
        seen: set[str] = set()
        todo = list(needs[name])
        while todo:
            one = todo.pop()
            if one not in seen:
                seen.add(one)
                todo += needs.get(one, ())
        if name in seen:
            found.add(name)
    return found
