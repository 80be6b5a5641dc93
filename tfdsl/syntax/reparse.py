"""What a tree keeps when its text is edited: the statements of the file before and after the edit.

At the beginning of a statement of the file, the parser always is in the same state. So the statements above an edit can
be kept, and as soon as the parser comes to a statement below it that an earlier tree has, so can all statements from
there on. Only statements without syntax errors are kept, because how the parser goes on after an error depends on
more than its state.
"""

from bisect import bisect_left, bisect_right
from typing import TypeVar, cast

from ..record import Record, State, field, replace
from ..source import Source, Span
from . import tree as t
from .blocks import broken

_Kept = TypeVar("_Kept", bound=t.Part)


class Earlier(Record):
    """A text before an edit, and its tree."""

    text: str
    tree: t.File


class KeptStatements(State):
    """The statements of an earlier tree that the tree of `source` can have."""

    source: Source
    above: t.Block = ()
    at: int = 0  # where to begin
    below: dict[int, int] = field(default_factory=dict[int, int])  # numbers of statements, by their new offsets
    earlier: t.Block = ()
    moved: int = 0  # by how many characters the statements below have moved
    reached: int | None = None  # the first one that the parser came to

    def with_kept(self, made: t.File) -> t.File:
        """The tree of the whole text, for the tree of the part that was parsed."""
        is_own = not self.above or self.above[0].span.source is self.source
        above = self.above if is_own else _moved(self.above, self.source, 0)
        below = () if self.reached is None else self.earlier[self.below[self.reached] :]
        body = (*above, *made.body, *_moved(below, self.source, self.moved))
        start, end = (body[0].span.start, body[-1].span.end) if body else (0, 0)
        return replace(made, span=Span(self.source, start, end), body=body)


def kept(source: Source, text: str, before: t.File, text_before: str) -> KeptStatements:
    """What the tree of a text can keep of the tree of its text before some edit."""
    body = before.body
    starts = [one.span.start for one in body]
    broken = _broken(before, starts)
    first, last = (min(broken), max(broken) + 1) if broken else (len(body), 0)
    same = _common(text, text_before)
    # The statement in front of the edit is not kept: its end depends on the next token.
    count = max(0, min(bisect_left(starts, same) - 2, first - 1))
    rest = min(len(text), len(text_before)) - same
    end = _common(text[-rest:][::-1], text_before[-rest:][::-1]) if rest else 0
    by = len(text) - len(text_before)
    below = max(last, bisect_left(starts, len(text_before) - end + 1))
    return KeptStatements(
        source,
        body[:count],
        starts[count] if count else 0,
        {start + by: at for at, start in enumerate(starts[below:], below)},
        body,
        by,
    )


def _broken(before: t.File, starts: list[int]) -> set[int]:
    """The numbers of the statements with errors, and of those before and after an error between statements, such as in
    the indentation of a line."""
    if not before.errors:
        return set()
    found = {at for at, one in enumerate(before.body) if any(broken((one,)))}
    for error in before.errors:
        at = bisect_right(starts, error.span.start if error.span is not None else 0)
        found.update(number for number in (at - 1, at) if 0 <= number < len(starts))
    return found


def _common(one: str, other: str) -> int:
    """The number of characters that two texts begin with in common."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


_LEAVES = frozenset((str, int, float, complex, bool, bytes, type(None)))  # types of values without a place


def _moved(part: _Kept, source: Source, by: int) -> _Kept:
    """A part of a tree for another source, in which it is so many characters further down."""
    if isinstance(part, tuple):
        # A tuple of the same types, which a type variable cannot say.
        return cast(_Kept, tuple([_moved(one, source, by) for one in part])) if part else part
    if not isinstance(part, t.Tree):
        return part
    kind, span = type(part), part.span
    fields: list[t.Part] = []
    for name in kind.__match_args__[1:]:
        value = getattr(part, name)
        fields.append(value if type(value) in _LEAVES else _moved(value, source, by))
    return kind(Span(source, span.start + by, span.end + by), *fields)
