"""TensorFlow's op determinism: the same bits in every run, whatever the order in which threads finish.

Without it, a sum of gathered gradients depends on that order. It is a switch of the whole process, so only the owner of
the process, such as the command line, asks for it. While it is on, TensorFlow refuses random ops without any seed. A
session that executes one gets different numbers in each run anyway, so then the switch stays off.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Lock

from ...lowering.built import BuiltGraph
from ...lowering.cloning import name_of
from ...lowering.tf import op_determinism
from ...program import Statement, initialised
from .executions import executions


class _Switch:
    """The users of the switch, which exists once in a process."""

    def __init__(self) -> None:
        self.lock, self.users, self.was_on = Lock(), 0, False


_SWITCH = _Switch()


@contextmanager
def determinism(is_wanted: bool) -> Iterator[None]:
    """Make ops deterministic inside the `with` block, if wanted, until the last of several threads leaves it."""
    if not is_wanted:
        yield
        return
    with _SWITCH.lock:
        if _SWITCH.users == 0:
            _SWITCH.was_on = op_determinism.is_enabled()
            op_determinism.enable(True)
        _SWITCH.users += 1
    try:
        yield
    finally:
        with _SWITCH.lock:
            _SWITCH.users -= 1
            if _SWITCH.users == 0:
                op_determinism.enable(_SWITCH.was_on)


@contextmanager
def no_determinism() -> Iterator[None]:
    """Allow nondeterministic ops inside the `with` block."""
    is_enabled = op_determinism.is_enabled()
    op_determinism.enable(False)
    try:
        yield
    finally:
        op_determinism.enable(is_enabled)


def opening_is_seeded(built: BuiltGraph) -> bool:
    """Whether no initial value draws numbers without a seed."""
    return _is_seeded(built, _initialisers(built))


def is_seeded(built: BuiltGraph, statements: tuple[Statement, ...]) -> bool:
    """Whether no op that statements execute draws numbers without a seed."""
    names = [name for one in executions(built, statements) for name in one.fetches]
    if any(True for _ in initialised(statements)):
        names += _initialisers(built)
    return _is_seeded(built, names)


def _initialisers(built: BuiltGraph) -> list[str]:
    return [name_of(variable.initializer) for variable in built.variables()]


def _is_seeded(built: BuiltGraph, names: Iterable[str]) -> bool:
    return not built.copier.draws_unseeded(built.copier.reached(names))
