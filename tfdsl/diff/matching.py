"""Pairs the corresponding things of two inventories, by their names or else by their structure.

The children of matched things are matched first, by name. A number at the end of a name, as in `dense_1`, only counts
the things before it, so things whose names differ only in that number are aligned in order. Other things are matched if
they are used in the same place, or if they are equal apart from their names. The statements of a session are aligned
in order; those that are left over are matched, as moved, if they are alike.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

from .inventory import SILENT, Inventory, Phrase, Thing, blanked, mentioned, mentions

_MOST = 300_000  # pairs of things that one alignment may compare
_ALIKE = 0.5  # the least similarity of a scope, or of a thing in the same place, with another name


def matched(left: Inventory, right: Inventory) -> dict[int, int]:
    """The things of the left inventory with the corresponding ones of the right."""
    return _Matcher(left, right).matched()


class _Matcher:
    def __init__(self, left: Inventory, right: Inventory):
        self._left, self._right = left, right
        self._pairs: dict[int, int] = {}
        self._paired: dict[int, int] = {}  # the inverse
        self._made: list[tuple[int, int]] = []  # the pairs, in the order in which they were found
        self._profiles: dict[tuple[bool, int], Counter[Hashable]] = {}

    def matched(self) -> dict[int, int]:
        """Try the ways one after another, and begin again with the first whenever one has found a pair."""
        self._children(None, None)
        by_users, by_inputs = (
            partial(self._by_structure, with_users=True),
            partial(self._by_structure, with_users=False),
        )
        ways = (self._by_place, by_users, by_inputs, self._by_scope, self._by_order)
        count = -1
        while count != len(self._pairs):
            count = len(self._pairs)
            for way in ways:
                way()
                if count != len(self._pairs):
                    break
        return self._pairs

    def _pair(self, one: Thing, other: Thing) -> None:
        self._pairs[one.id], self._paired[other.id] = other.id, one.id
        self._made.append((one.id, other.id))
        self._children(one.id, other.id)

    def _leftover(self) -> tuple[list[Thing], list[Thing]]:
        return ([one for one in self._left.things.values() if one.id not in self._pairs],
                [one for one in self._right.things.values() if one.id not in self._paired])  # fmt: skip

    # --- by name and order ----------------------------------------------------------------------

    def _children(self, left: int | None, right: int | None) -> None:
        ones, others = self._left.children.get(left, []), self._right.children.get(right, [])
        groups: dict[Hashable, tuple[list[Thing], list[Thing]]] = {}
        for at, things in enumerate((ones, others)):
            for thing in things:
                groups.setdefault(_group(thing), ([], []))[at].append(thing)
        for here, there in groups.values():
            is_named = here and (here[0].name or here[0].kind in ("graph", "session", "statement"))
            if is_named or len(here) == len(there) == 1:
                for one, other in self._aligned(here, there):
                    self._pair(one, other)
        scopes = [[one for one in things if one.kind in ("scope", "graph", "session") and one.id not in done]
                  for things, done in ((ones, self._pairs), (others, self._paired))]  # fmt: skip
        for one, other in self._most_alike(*scopes):
            self._pair(one, other)

    def _aligned(self, ones: Sequence[Thing], others: Sequence[Thing]) -> list[tuple[Thing, Thing]]:
        """Pair the things of one group: equal things by name, then the rest in order, by similarity."""
        by_name = {other.name: other for other in others if other.name}
        pairs = [
            (one, by_name[one.name]) for one in ones if one.name in by_name and self._is_same(one, by_name[one.name])
        ]
        done = {one.id for one, _ in pairs}, {other.id for _, other in pairs}
        ones, others = ([one for one in things if one.id not in ids] for things, ids in zip((ones, others), done))
        return [*pairs, *self._in_order(ones, others)]

    def _in_order(self, ones: Sequence[Thing], others: Sequence[Thing]) -> Iterator[tuple[Thing, Thing]]:
        """Pair the things of one group in order: the best of all ways, or in a large group the best around those that
        are equal."""
        todo = [(ones, others)]
        while todo:
            ones, others = todo.pop()
            if len(ones) * len(others) <= _MOST:
                yield from _best(ones, others, self._score)
                continue
            found = anchors([self._key(True, one) for one in ones], [self._key(False, other) for other in others])
            if not found:
                yield from (pair for pair in zip(ones, others) if self._score(*pair))
            else:
                yield from ((ones[i], others[j]) for i, j in found)
                ends = [(-1, -1), *found, (len(ones), len(others))]
                todo += [(ones[i + 1 : k], others[j + 1 : m]) for (i, j), (k, m) in pairwise(ends)]

    def _key(self, is_left: bool, thing: Thing) -> Hashable:
        """A key that things share if they are equal apart from the names of what has no pair yet."""
        known = self._known(is_left)
        mentions = frozenset(Counter(self._pairs.get(id) if is_left else known(id) for id in mentioned(thing)).items())
        return thing.label, frozenset(self._profile(is_left, thing).items()), mentions

    def _is_same(self, one: Thing, other: Thing) -> bool:
        return self._profile(True, one) == self._profile(False, other)

    def _score(self, one: Thing, other: Thing) -> float:
        if one.kind == "statement":
            return 0.1 + self._likeness(one, other) if one.label == other.label else 0.0  # the labels are their words
        return 0.1 + 0.1 * (one.name == other.name) + self._similarity(one, other)

    def _most_alike(self, ones: Sequence[Thing], others: Sequence[Thing]) -> list[tuple[Thing, Thing]]:
        """Pair scopes with different names, the most similar first."""
        if len(ones) * len(others) > _MOST:
            return []
        scores = [(self._similarity(one, other), -at, one, other)
                  for at, one in enumerate(ones) for other in others if one.kind == other.kind]  # fmt: skip
        pairs: list[tuple[Thing, Thing]] = []
        used: set[tuple[bool, int]] = set()
        for score, _, one, other in sorted(scores, key=lambda each: each[:2], reverse=True):
            if score >= _ALIKE and (True, one.id) not in used and (False, other.id) not in used:
                used |= {(True, one.id), (False, other.id)}
                pairs.append((one, other))
        return pairs

    # --- similarity -----------------------------------------------------------------------------

    def _profile(self, is_left: bool, thing: Thing) -> Counter[Hashable]:
        """The facts about a thing and about the things in it, with a blank in place of each mention."""
        key = is_left, thing.id
        if key not in self._profiles:
            found: Counter[Hashable] = Counter((name, fact.blank) for name, fact in thing.facts.items())
            for child in (self._left if is_left else self._right).children.get(thing.id, ()):
                path = _group(child)
                for inner, count in self._profile(is_left, child).items():
                    found[path, inner] += count
            self._profiles[key] = found
        return self._profiles[key]

    def _similarity(self, one: Thing, other: Thing) -> float:
        """The similarity of two things, from 0 to 1."""
        first, second = self._profile(True, one), self._profile(False, other)
        total = first.total() + second.total()
        return 2 * (first & second).total() / total if total else 1.0

    def _likeness(self, one: Thing, other: Thing) -> float:
        """The similarity of two statements, from 0 to 1. It is small if they mention things that do not correspond."""
        first = Counter(self._pairs.get(id, -id) for id in mentioned(one))
        second = Counter(mentioned(other))
        total = first.total() + second.total()
        return self._similarity(one, other) * (0.2 + 0.8 * (2 * (first & second).total() / total if total else 1.0))

    # --- by place, structure and scope ----------------------------------------------------------

    def _by_place(self) -> None:
        """Pair things that matched things mention in the same places."""
        for left, right in self._made:  # the loop adds to it
            facts = self._right.things[right].facts
            for name, fact in self._left.things[left].facts.items():
                if name not in facts:
                    continue
                for one, other in _places(fact.phrases, facts[name].phrases):
                    if one in self._pairs or other in self._paired:
                        continue
                    first, second = self._left.things[one], self._right.things[other]
                    if first.kind == second.kind and self._similarity(first, second) >= _ALIKE:
                        self._pair(first, second)

    def _by_structure(self, with_users: bool) -> None:
        """Pair things that are equal apart from their names, in order. If `with_users`, their users must agree too."""
        ones, others = self._leftover()
        groups: dict[Hashable, tuple[list[Thing], list[Thing]]] = {}
        for is_left, things in ((True, ones), (False, others)):
            signer = _Signer(self._left if is_left else self._right, self._known(is_left))
            for thing in things:
                if thing.facts and thing.kind not in SILENT and thing.kind != "statement":
                    key = thing.kind, signer.of(thing.id), signer.users(thing.id) if with_users else 0
                    groups.setdefault(key, ([], []))[not is_left].append(thing)
        for here, there in groups.values():
            for one in here:
                free = [other for other in there if other.id not in self._paired]
                if one.id not in self._pairs and free:
                    self._pair(one, max(free, key=lambda other: _base(other.name) == _base(one.name)))

    def _known(self, is_left: bool) -> Callable[[int], int | None]:
        """A function from a thing to the number of its pair, or to None if it has no pair."""
        return self._pairs.get if is_left else (lambda id: id if id in self._paired else None)

    def _by_scope(self) -> None:
        """Pair a thing if a matched thing of the same name in the same scope shows where its counterpart is. Then pair
        things whose name occurs only once on each side, even in different scopes."""
        ones, others = self._leftover()
        places = {(other.kind, other.parent, other.name): other for other in others}
        for one in ones:
            for twin in self._left.children[one.parent] if one.name else ():
                if twin.name == one.name and twin.id in self._pairs:
                    there = self._right.things[self._pairs[twin.id]]
                    other = places.get((one.kind, there.parent, there.name))
                    if other is not None and one.id not in self._pairs and other.id not in self._paired:
                        self._pair(one, other)
        names: list[dict[Hashable, list[Thing]]] = [{}, {}]
        for at, things in enumerate((ones, others)):
            for thing in things:
                if thing.name and thing.kind != "statement":
                    names[at].setdefault((thing.kind, thing.name), []).append(thing)
        for key, here in names[0].items():
            there = names[1].get(key, [])
            if len(here) == len(there) == 1 and self._similarity(here[0], there[0]) >= _ALIKE:
                if here[0].id in self._pairs or there[0].id in self._paired:
                    continue
                self._pair(here[0], there[0])

    def _by_order(self) -> None:
        """Pair things without names, in the order in which the graph makes them. Statements that were not aligned are
        moved: they must be alike."""
        for one, other in list(self._pairs.items()):
            groups: dict[Hashable, tuple[list[Thing], list[Thing]]] = {}
            inside = (
                (self._left.children.get(one, []), self._pairs),
                (self._right.children.get(other, []), self._paired),
            )
            for at, (things, done) in enumerate(inside):
                for thing in things:
                    if not thing.name and thing.id not in done:
                        groups.setdefault(_group(thing), ([], []))[at].append(thing)
            for here, there in groups.values():
                for first, second in self._aligned(here, there):
                    if first.kind != "statement" or self._likeness(first, second) >= _ALIKE:
                        self._pair(first, second)


class _Signer:
    """Computes a signature of things that does not depend on their names. `known` numbers the matched things."""

    def __init__(self, inventory: Inventory, known: Callable[[int], int | None]):
        self._inventory, self._known = inventory, known
        self._signed: dict[int, int] = {}

    def of(self, id: int) -> int:
        todo = [id]
        while todo:
            at = todo[-1]
            self._signed.setdefault(at, 0)  # while it is computed: back edges of loops lead here
            missing = [one for one in self._needed(at) if one not in self._signed]
            if missing:
                todo += missing
                continue
            todo.pop()
            self._signed[at] = self._sign(at)
        return self._signed[id]

    def _needed(self, id: int) -> Iterable[int]:
        thing = self._inventory.things[id]
        inside = (child.id for child in self._inventory.children.get(id, ()))
        return (one for one in (*inside, *mentioned(thing)) if self._known(one) is None)

    def _sign(self, id: int) -> int:
        thing = self._inventory.things[id]
        facts = frozenset(
            (name, frozenset(Counter(map(self._phrase, fact.phrases)).items())) for name, fact in thing.facts.items()
        )
        children = tuple((child.kind, self._number(child.id)) for child in self._inventory.children.get(id, ()))
        return hash((thing.kind, facts, frozenset(Counter(children).items())))

    def _phrase(self, phrase: Phrase) -> Hashable:
        return tuple(part if isinstance(part, str) else (self._number(part.thing), part.output) for part in phrase)

    def _number(self, id: int) -> Hashable:
        known = self._known(id)
        return self._signed.get(id, 0) if known is None else (known,)

    def users(self, id: int) -> Hashable:
        """A rough signature of the users of a thing."""
        return frozenset(Counter(map(self._user, self._inventory.users.get(id, ()))).items())

    def _user(self, id: int) -> Hashable:
        known = self._known(id)
        if known is not None:
            return known, ""
        thing = self._inventory.things[id]
        return thing.kind, frozenset((name, fact.blank) for name, fact in thing.facts.items())


def _base(name: str) -> str:
    """A name without the number that makes it unique."""
    return re.sub(r"_\d+$", "", name)


def _group(thing: Thing) -> Hashable:
    """A key that things must share to be aligned: the kind and the name without its number."""
    return thing.kind, _base(thing.name)


def _places(ones: Sequence[Phrase], others: Sequence[Phrase]) -> list[tuple[int, int]]:
    """The things that two lists of phrases mention in the same places."""
    pairs: list[tuple[int, int]] = []
    if len(ones) == len(others) > 1:  # without an order, only phrases with a unique text correspond
        texts = [Counter(map(blanked, phrases)) for phrases in (ones, others)]
        ones, others = (
            [one for one in phrases if all(count[blanked(one)] == 1 for count in texts)] for phrases in (ones, others)
        )
        ones, others = sorted(ones, key=blanked), sorted(others, key=blanked)
    for one, other in zip(ones, others):
        if blanked(one) == blanked(other):
            pairs += ((first.thing, second.thing) for first, second in zip(mentions(one), mentions(other)))
    return pairs


def anchors(ones: Sequence[Hashable], others: Sequence[Hashable]) -> list[tuple[int, int]]:
    """The places of keys that agree in order: those at both ends, and between them those that occur once on each
    side."""
    most = min(len(ones), len(others))
    begin = next((at for at in range(most) if ones[at] != others[at]), most)
    end = next((at for at in range(most - begin) if ones[-1 - at] != others[-1 - at]), most - begin)
    middle = ones[begin : len(ones) - end], others[begin : len(others) - end]
    counts = list(map(Counter, middle))
    places = {key: at for at, key in enumerate(middle[1], begin) if counts[0][key] == counts[1][key] == 1}
    once = {at: places[key] for at, key in enumerate(middle[0], begin) if key in places}
    first = [(at, at) for at in range(begin)]
    last = [(len(ones) - at, len(others) - at) for at in range(end, 0, -1)]
    return [*first, *((at, once[at]) for at in increasing(list(once), once)), *last]


def increasing(ids: Sequence[int], pairs: Mapping[int, int]) -> list[int]:
    """The longest part of some things whose pairs are in order."""
    ends: list[int] = []  # for each length, the end of the sequence whose last pair comes first
    before: dict[int, int | None] = {}
    for id in ids:
        at = bisect_left(ends, pairs[id], key=pairs.__getitem__)
        before[id] = ends[at - 1] if at else None
        ends[at : at + 1] = [id]
    found: list[int] = []
    last = ends[-1] if ends else None
    while last is not None:
        found.append(last)
        last = before[last]
    return found[::-1]


def _best(
    ones: Sequence[Thing], others: Sequence[Thing], score: Callable[[Thing, Thing], float]
) -> list[tuple[Thing, Thing]]:
    """The pairs with the largest sum of scores that keep the order of both sides."""
    width = len(others) + 1
    table = [[0.0] * width for _ in range(len(ones) + 1)]
    scores = [[score(one, other) for other in others] for one in ones]
    for i in range(len(ones) - 1, -1, -1):
        for j in range(len(others) - 1, -1, -1):
            both = table[i + 1][j + 1] + scores[i][j] if scores[i][j] else -1.0
            table[i][j] = max(both, table[i + 1][j], table[i][j + 1])
    pairs: list[tuple[Thing, Thing]] = []
    i = j = 0
    while i < len(ones) and j < len(others):
        if scores[i][j] and table[i][j] == table[i + 1][j + 1] + scores[i][j]:
            pairs.append((ones[i], others[j]))
            i, j = i + 1, j + 1
        elif table[i][j] == table[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
