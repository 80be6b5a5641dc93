"""Chooses the scopes of a lifted program, and the paths by which source refers to names in them."""

from collections.abc import Container, Sequence

from .draft import FunctionCallPiece, LiftedPiece, StepPiece, VariablePiece
from .names import WORDS

_FEWEST = 4  # the fewest statements in a scope without variables

Scope = tuple[str, ...]


def scope_of(node: str) -> Scope:
    """The scopes of a node that a program can name."""
    found: list[str] = []
    for name in node.split("/")[:-1]:
        if not name.isidentifier() or not name.isascii() or name in WORDS or name[0] == "_":
            break
        found.append(name)
    return tuple(found)


def clear_scopes(scopes: dict[str, Scope]) -> dict[str, Scope]:
    """The scopes, without any inner scope that has the name of an outermost one and would hide it."""
    outermost = {scope[0] for scope in scopes.values() if scope}
    found: dict[str, Scope] = {}
    for node, scope in scopes.items():
        found[node] = scope[: next((at for at, name in enumerate(scope) if at and name in outermost), len(scope))]
    return found


def with_outer(scopes: set[Scope]) -> set[Scope]:
    """These scopes and those around them."""
    return {scope[: at + 1] for scope in scopes for at in range(len(scope))}


def is_renamed(scope: Scope, nodes: Container[str]) -> bool:
    """Whether a scope, or one around it, has the name of a node. In the graph it gets another one."""
    return any("/".join(scope[: at + 1]) in nodes for at in range(len(scope)))


def is_worth_a_scope(pieces: Sequence[LiftedPiece]) -> bool:
    """Whether a person would write a scope around these statements: they are a layer with variables, or a longer
    part."""
    if any(isinstance(one, FunctionCallPiece) and one.parts for one in pieces):
        return True  # the names of the variables of a call begin with it
    if any(isinstance(one, StepPiece) and one.is_scoped for one in pieces):
        return True
    return len(pieces) >= (_FEWEST if not any(isinstance(one, VariablePiece) for one in pieces) else 2)


def path_to(scope: Scope, here: Scope, scopes: Container[Scope]) -> Scope:
    """The fewest last parts of a scope that identify it from the scope `here`."""
    for first in reversed(range(len(scope))):
        around = (here[:depth] for depth in range(len(here), -1, -1))
        if next(((*one, scope[first]) for one in around if (*one, scope[first]) in scopes), ()) == scope[: first + 1]:
            return scope[first:]
    return scope
