"""Lets the analysis of an edited text go on from the state that an earlier one had in front of the edit.

An editor asks for an analysis after each character, and most of the text is as it was. While one place is edited, the
state of the analysis in front of it is kept, and each new analysis begins with a copy of that state.

A state is only kept if nothing before it depends on what comes further down: no statement failed, since messages
mention names that are bound later, and no rule looked ahead.
"""

from collections.abc import Callable, Iterator
from itertools import takewhile
from operator import is_
from typing import Any, TypeVar

from ..record import Record, State
from ..syntax import tree as t
from .context import Analysis
from .executed import Executions
from .expressions import global_step
from .names import Bound
from .values import Function, Initializer, LaterValue, Namespace, Optimizer, Outputs, Pending, Rest, Results

_Key = TypeVar("_Key")
_Copied = TypeVar("_Copied")
_MOST = 4  # states that are kept

# What an analysis is given, or takes from the syntax of its text. The rest is what it has found.
_GIVEN = frozenset((
    "access", "allowed", "bag", "clock", "did_you_mean", "dispatch", "doubtful", "folder", "foreign", "given_data",
    "given_params", "in_doubtful_blocks", "is_partial", "is_unread", "limits", "observer", "opening", "origins",
    "outside", "tree",
))  # fmt: skip


class _Prefix(Record):
    """The state of the analysis after some statements of a file, without what it found in the syntax of the whole
    file: its first `errors` findings, and `allowed` units of work. `seen` is what the observer had seen."""

    statements: t.Block
    state: Analysis
    errors: int
    allowed: int
    seen: object

    def continued(self, fresh: Analysis) -> Analysis:
        """A copy of the state for another text, of which `fresh` is the state in front of the first statement."""
        copies = _Copies()
        for name, value in vars(self.state).items():
            if name not in _GIVEN:
                setattr(fresh, name, copies.of(value))
        for diagnostic in self.state.bag.diagnostics[self.errors :]:
            fresh.bag.add(diagnostic)
        fresh.allowed += self.state.allowed - self.allowed
        if fresh.observer is not None:
            fresh.observer.go_on_from(self.seen)
        return fresh


class Prefixes:
    """The states that are kept of one text. `can_keep` says whether what an analysis read can be compared later."""

    def __init__(self) -> None:
        self.can_keep: Callable[[], bool] = lambda: True
        self._kept: list[_Prefix] = []  # the longest last
        self._body: t.Block = ()  # of the last analysis

    def forget(self) -> None:
        """Forget all states, since files that were read have changed."""
        self._kept.clear()

    def through(self, tree: t.File, fresh: Callable[[], Analysis]) -> Iterator[tuple[Analysis, t.Statement]]:
        """The statements of a file that are to be analysed, each with the state in front of it. `fresh` makes the state
        in front of the first one."""
        pairs = zip(self._body, tree.body[:-1], strict=False)
        wanted = sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1], pairs))
        if global_step.NAME in tree.span.source.text:  # its meaning depends on the whole file
            wanted = 0
        self._body = tree.body
        self._kept = [one for one in self._kept if len(one.statements) <= wanted][-_MOST:]
        state = fresh()
        errors, allowed, begun = len(state.bag.diagnostics), state.allowed, 0
        if self._kept:
            state, begun = self._kept[-1].continued(state), len(self._kept[-1].statements)
        for at, statement in enumerate(tree.body[begun:], begun):
            if begun < at == wanted and self._is_independent(state, errors):
                seen = None if state.observer is None else state.observer.mark()
                self._kept.append(_Prefix(tree.body[:at], state, errors, allowed, seen))
                state = self._kept[-1].continued(fresh())
            yield state, statement

    def _is_independent(self, state: Analysis, errors: int) -> bool:
        """Whether a state depends on nothing further down, and on no files but those that can be compared later."""
        found = state.bag.diagnostics[errors:]
        has_errors = state.failed or any(one.severity == "error" for one in found)
        return not (has_errors or state.looks_ahead) and state.foreign.infer is None and self.can_keep()


# --- copies -----------------------------------------------------------------------------------


class _Copies:
    """Copies what changes while statements are analysed, each object once. The rest is shared: nodes, places, parts of
    the tree and most values never change."""

    def __init__(self) -> None:
        self._made: dict[int, Any] = {}  # by the identity of the original, which can be of any type

    def of(self, value: _Copied) -> _Copied:
        copy = _COPY[type(value)]
        if copy is None:
            return value
        known = self._made.get(id(value))
        return copy(self, value) if known is None else known

    def keep(self, original: object, made: _Copied) -> _Copied:
        """The copy of an object, from now on. One that is made of other copies is kept first and filled then, since
        these may refer to it."""
        return self._made.setdefault(id(original), made)


def _dict(copies: _Copies, value: dict[_Key, _Copied]) -> dict[_Key, _Copied]:
    made = copies.keep(value, dict(value))
    for key, one in value.items():
        if _COPY[type(one)] is not None:
            made[key] = copies.of(one)
    return made


def _list(copies: _Copies, value: list[_Copied]) -> list[_Copied]:
    made = copies.keep(value, list(value))
    for at, one in enumerate(value):
        if _COPY[type(one)] is not None:
            made[at] = copies.of(one)
    return made


def _outputs(copies: _Copies, value: Outputs) -> Outputs:
    return copies.keep(value, Outputs([copies.of(one) for one in value], value.names, value.span))


def _results(copies: _Copies, value: Results) -> Results:
    return copies.keep(value, Results.of([copies.of(one) for one in value], value.names, value.span))


def _tuple(copies: _Copies, value: tuple[_Copied, ...]) -> tuple[_Copied, ...]:
    if all(_COPY[type(one)] is None for one in value):
        return value
    return copies.keep(value, tuple([copies.of(one) for one in value]))


def _set(copies: _Copies, value: set[_Copied]) -> set[_Copied]:
    return copies.keep(value, set(value))


def _state(copies: _Copies, value: State) -> State:
    kind = type(value)
    made = copies.keep(value, kind.__new__(kind))
    for name in kind.__defaults__:
        one = getattr(value, name)
        setattr(made, name, one if _COPY[type(one)] is None else copies.of(one))
    return made


def _object(copies: _Copies, value: object) -> object:
    kind = type(value)
    made = copies.keep(value, kind.__new__(kind))
    for name, one in vars(value).items():
        setattr(made, name, copies.of(one))
    return made


def _record(copies: _Copies, value: Record) -> Record:
    kind: Any = type(value)  # called with the fields, which differ by record
    fields = [getattr(value, name) for name in kind.__match_args__]
    made = [one if _COPY[type(one)] is None else copies.of(one) for one in fields]
    return value if all(map(is_, fields, made)) else copies.keep(value, kind(*made))


_Copy = Callable[[_Copies, Any], Any]  # of an object of the type that has it in `_COPY`
# Records of which a part changes while statements are analysed, such as the names of a file.
_CHANGING = frozenset((Bound, Function, Initializer, LaterValue, Namespace, Optimizer, Pending, Rest))


class _Kinds(dict[type, "_Copy | None"]):
    """How an object of each type is copied, or None if it is shared."""

    def __missing__(self, kind: type) -> "_Copy | None":
        made: _Copy | None = None
        if issubclass(kind, State):
            made = _state
        elif kind in _CHANGING:
            made = _record
        self[kind] = made
        return made


_COPY = _Kinds(
    {dict: _dict, list: _list, tuple: _tuple, set: _set, Outputs: _outputs, Results: _results, Executions: _object}
)
