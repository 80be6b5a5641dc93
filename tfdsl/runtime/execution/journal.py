"""Where a session stands, and what it has printed and logged there already."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """Where a session stands: before a statement, or before a step of it that is a training."""

    statement: int = 0
    step: int = 0


@dataclass(slots=True)
class EffectJournal:
    """Knows what was done already, where a part of a session is run a second time: all of it before the last place, and
    some statements there."""

    _last: tuple[int, int] = (-1, -1)
    _done: set[int] = field(default_factory=set)

    def is_new(self, place: Place, statement: object) -> bool:
        """Whether a statement is to be done now. It then counts as done."""
        here = place.statement, place.step
        if here > self._last:
            self._last, self._done = here, set()
        if here < self._last or id(statement) in self._done:
            return False
        self._done.add(id(statement))
        return True
