"""The position of a session, and what it has printed and logged up to there."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """The position of a session: before a statement, or before a step of a training."""

    statement: int = 0
    step: int = 0


@dataclass(slots=True)
class EffectJournal:
    """Knows what is already done when a part of a session runs again: everything before the last place, and some
    statements at it."""

    _last: tuple[int, int] = (-1, -1)
    _done: set[int] = field(default_factory=set)

    def is_new(self, place: Place, statement: object) -> bool:
        """Whether to execute a statement now. It then counts as done."""
        here = place.statement, place.step
        if here > self._last:
            self._last, self._done = here, set()
        if here < self._last or id(statement) in self._done:
            return False
        self._done.add(id(statement))
        return True
