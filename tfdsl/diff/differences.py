"""The differences between two inventories whose things are matched."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from ..record import Record
from .expanding import Expander
from .inventory import KINDS, ORDERED, SILENT, Fact, Inventory, Phrase, Thing, mentioned
from .matching import increasing, matched
from .values import ArrayDifference, array_difference, read_array

How: TypeAlias = Literal["added", "removed", "renamed", "moved", "changed"]


class ChangedFact(Record):
    """A fact that differs, or one of something that only moved, as it is on both sides. `before` or `after` is None if
    that side does not have the fact."""

    name: str
    before: str | None
    after: str | None
    array: ArrayDifference | None = None


class DiffEntry(Record):
    """A difference of one thing. `before` and `after` are its whole names, "" on a side that does not have the thing. A
    thing that is renamed or moved and has other facts is `changed`. A session or a statement is moved if it has another
    place among those that both sides have. An entry `follows` if differences of other things explain it. It is `inside`
    if the thing is part of something that was added or removed as a whole. It is `only_name` if only the name differs,
    either of a value that other things use or of a part of a definition."""

    how: How
    kind: str
    before: str
    after: str
    facts: tuple[ChangedFact, ...] = ()
    lines: tuple[int | None, int | None] = (None, None)
    is_renamed: bool = False
    is_moved: bool = False
    follows: bool = False
    inside: bool = False
    only_name: bool = False


class DiffReport(Record):
    """All differences between two sides, and notes on what was not compared."""

    left: Inventory
    right: Inventory
    entries: tuple[DiffEntry, ...]
    notes: tuple[str, ...]


def compared(left: Inventory, right: Inventory, names_matter: bool = True) -> DiffReport:
    """The differences between two inventories. If names do not matter, only the names of variables, inputs and outputs
    are compared."""
    entries = [one for one in _Comparison(left, right).entries() if names_matter or not one.only_name]
    return DiffReport(left, right, tuple(entries), tuple(dict.fromkeys((*left.notes, *right.notes))))


class _Comparison:
    def __init__(self, left: Inventory, right: Inventory):
        self._left, self._right = left, right
        self._pairs = matched(left, right)
        self._paired = {other: one for one, other in self._pairs.items()}
        self._ones, self._others = Expander(left, self._pairs), Expander(right, self._paired)

    def entries(self) -> list[DiffEntry]:
        """All differences by kind, in the order of the right side. A removed thing follows its left neighbour."""
        facts = {one: tuple(self._facts(one, other)) for one, other in self._pairs.items()}
        changed = {one for one, found in facts.items() if found}
        found: list[tuple[tuple[int, int, int], DiffEntry]] = []
        moved = self._moved()
        order = list(KINDS)
        last = 0
        for one in self._left.things.values():
            last = self._pairs.get(one.id, last)
            if one.id in self._pairs:
                entry = self._matched(one, facts[one.id], changed, one.id in moved)
            else:
                entry = self._alone(self._left, one, self._pairs, "removed")
            if entry is not None:
                found.append(((order.index(one.kind), last, 1 - (one.id in self._pairs)), entry))
        for other in self._right.things.values():
            if other.id not in self._paired and (entry := self._alone(self._right, other, self._paired, "added")):
                found.append(((order.index(other.kind), other.id, 0), entry))
        return [entry for _, entry in sorted(found, key=lambda each: each[0])]

    # --- things on both sides -------------------------------------------------------------------

    def _matched(
        self, one: Thing, facts: tuple[ChangedFact, ...], changed: set[int], is_moved: bool
    ) -> DiffEntry | None:
        other = self._right.things[self._pairs[one.id]]
        is_renamed = one.name != other.name or (bool(one.name) and self._is_elsewhere(one, other))
        if one.kind in SILENT or not (facts or is_renamed or is_moved):
            return None
        before, after = self._left.path(one.id), self._right.path(other.id)
        follows = bool(facts) and not is_renamed and self._follows(one, other, facts, changed)
        how: How = "changed" if facts or (is_renamed and is_moved) else "moved" if is_moved else "renamed"
        if how == "moved":
            facts = tuple(
                ChangedFact(name, self._left.text(fact.phrase), self._right.text(other.facts[name].phrase))
                for name, fact in one.facts.items()
            )
        only_name = not (facts or is_moved) and (
            self._is_used(one) or (one.kind == "scope" and not self._has_variables(one))
        )
        return DiffEntry(
            how, one.kind, before, after, facts, (one.line, other.line), is_renamed, is_moved, follows,
            only_name=only_name,
        )  # fmt: skip

    def _moved(self) -> set[int]:
        """The matched sessions and statements of the left side that are not in the order of the right side: as few as
        possible, so that all others are."""
        groups: dict[tuple[str, int | None], list[int]] = {}
        for one in self._left.things.values():
            if one.kind in ORDERED and one.id in self._pairs:
                groups.setdefault((one.kind, one.parent if one.kind == "statement" else None), []).append(one.id)
        return {one for ids in groups.values() for one in set(ids) - set(increasing(ids, self._pairs))}

    def _is_used(self, one: Thing) -> bool:
        return one.kind == "value" and bool(self._left.users.get(one.id))

    def _has_variables(self, one: Thing) -> bool:
        return any(inner.kind == "variable" for inner in self._left.inside(one))

    def _is_elsewhere(self, one: Thing, other: Thing) -> bool:
        """Whether the things around two things do not correspond."""
        if one.parent is None or other.parent is None:
            return one.parent is not other.parent
        return self._pairs.get(one.parent) != other.parent

    def _follows(self, one: Thing, other: Thing, facts: tuple[ChangedFact, ...], changed: set[int]) -> bool:
        """Whether differences of the things that a thing mentions can explain all of its own differences."""
        if not all(one.facts.get(fact.name, other.facts.get(fact.name, Fact(()))).follows for fact in facts):
            return False
        for thing, done in ((one, self._pairs), (other, self._paired)):
            for id in mentioned(thing):
                if id not in done or (id if thing is one else done[id]) in changed:
                    return True
        return False

    def _facts(self, left: int, right: int) -> Iterator[ChangedFact]:
        one, other = self._left.things[left], self._right.things[right]
        for name in dict.fromkeys((*one.facts, *other.facts)):
            if self._same(self._ones.fact(one, name), self._others.fact(other, name)):
                continue
            before, after = self._texts(one.facts.get(name), other.facts.get(name))
            array = None
            if name == "values" and one.array is not None and other.array is not None:
                array = array_difference(read_array(one.array), read_array(other.array))
            yield ChangedFact(name, before, after, array)

    def _same(self, here: Fact | None, there: Fact | None) -> bool:
        if here is None or there is None:
            return here is there
        ones = (tuple(self._corresponding(part) for part in phrase) for phrase in map(self._parts, here.phrases))
        others = (tuple(phrase) for phrase in map(self._parts, there.phrases))
        return Counter(ones) == Counter(others)

    def _parts(self, phrase: Phrase) -> list[tuple[str, int, int]]:
        return [(part, 0, 0) if isinstance(part, str) else ("", part.thing, part.output) for part in phrase]

    def _corresponding(self, part: tuple[str, int, int]) -> tuple[str, int, int]:
        """The part of a phrase on the right that corresponds to a part on the left."""
        text, thing, output = part
        return part if text or not thing else (text, self._pairs.get(thing, -1), output)

    def _texts(self, here: Fact | None, there: Fact | None) -> tuple[str | None, str | None]:
        """The texts of a fact on both sides. If it has several phrases, those that both sides have are left out."""
        ones, others = ([] if fact is None else list(fact.phrases) for fact in (here, there))
        if len(ones) > 1 or len(others) > 1:
            kept: list[Phrase] = []
            for phrase in ones:
                same = next((one for one in others if self._same(Fact(phrase), Fact(one))), None)
                if same is None:
                    kept.append(phrase)
                else:
                    others.remove(same)
            ones = kept
        return (None if here is None else ", ".join(map(self._left.text, ones)),
                None if there is None else ", ".join(map(self._right.text, others)))  # fmt: skip

    # --- things on one side ---------------------------------------------------------------------

    def _alone(self, inventory: Inventory, thing: Thing, done: Mapping[int, int], how: How) -> DiffEntry | None:
        if thing.kind in SILENT:
            return None
        is_left = how == "removed"
        path, text = inventory.path(thing.id), inventory.text
        facts = tuple(
            ChangedFact(name, *((text(fact.phrase), None) if is_left else (None, text(fact.phrase))))
            for name, fact in thing.facts.items()
        )
        inside = thing.parent is not None and thing.parent not in done
        if thing.kind == "scope":
            only_name = all(inner.id in done or inner.kind == "scope" for inner in inventory.inside(thing))
        else:
            only_name = (self._ones if is_left else self._others).is_only_name(thing)
        names = (path, "") if is_left else ("", path)
        lines = (thing.line, None) if is_left else (None, thing.line)
        return DiffEntry(how, thing.kind, *names, facts, lines, inside=inside, only_name=only_name)
