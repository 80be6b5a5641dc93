"""The places of statements in a session, and what a session executes from one of them on."""

from collections.abc import Iterable
from itertools import dropwhile

from .plan import Checkpoint, If, Statement, walk


def places(statements: Iterable[Statement]) -> list[Statement]:
    """The statements of a session without those of trainings: an `if` is followed by those of both branches. The place
    of a statement is its index in this list."""
    found: list[Statement] = []
    for statement in statements:
        found.append(statement)
        if isinstance(statement, If):
            found += places(statement.uses().body)
    return found


def from_place(statements: tuple[Statement, ...], place: int) -> tuple[Statement, ...]:
    """What a session executes from a place on: the rest of the branch around it, and what follows."""
    at = 0
    for number, one in enumerate(statements):
        if place <= at:
            return statements[number:]
        end = at + len(places((one,)))
        if place < end:
            assert isinstance(one, If)
            middle = at + 1 + len(places(one.then))
            branch, start = (one.then, at + 1) if place < middle else (one.otherwise, middle)
            return (*from_place(branch, place - start), *statements[number + 1 :])
        at = end
    return ()


def after_checkpoints(statements: tuple[Statement, ...]) -> tuple[Statement, ...]:
    """The statements of a session that a resumed run may execute: from the first training with checkpoints on."""
    return tuple(dropwhile(lambda s: not keeps_checkpoints(s), statements))


def keeps_checkpoints(statement: Statement) -> bool:
    return any(isinstance(one, Checkpoint) for one in walk((statement,)))
