"""Replaces names that only one side has with their definitions.

Naming a part of an expression changes the name of a node, not the computation. So a value that only one side has, and
that is used once, counts as a part of its user.
"""

from collections.abc import Container

from .expressions import bracketed
from .inventory import TYPES_INSIDE, Fact, Inventory, Mention, Phrase, Thing, joined, mentions, unordered

_DEEPEST = 100  # levels of definitions in definitions
_FACTS = {"definition", "dtype", "shape", TYPES_INSIDE}  # of a value that can be a part of another


class Expander:
    """Expands the facts of one side. `known` has the things that have a counterpart on the other side."""

    def __init__(self, inventory: Inventory, known: Container[int]):
        self._inventory, self._known = inventory, known

    def is_part(self, thing: Thing) -> bool:
        """Whether a thing counts as a part of the only thing that uses it."""
        users = self._inventory.users.get(thing.id, ())
        return (
            thing.kind == "value"
            and thing.id not in self._known
            and len(users) == 1
            and thing.id not in users
            and {"definition", "dtype", "shape"} <= thing.facts.keys() <= _FACTS
        )

    def is_only_name(self, thing: Thing) -> bool:
        """Whether a thing is part of something that both sides have."""
        for _ in range(_DEEPEST):
            if not self.is_part(thing):
                return thing.id in self._known
            thing = self._inventory.things[self._inventory.users[thing.id][0]]
        return False

    def fact(self, thing: Thing, name: str) -> Fact | None:
        """A fact about a thing, with names replaced by their definitions."""
        fact = thing.facts.get(name)
        if name == TYPES_INSIDE:
            parts = self._types(thing)
            return unordered(parts, follows=True) if parts else None
        if fact is None or not any(self._is_expanded(phrase) for phrase in fact.phrases):
            return fact
        parts = [self._phrase(phrase, 0) for phrase in fact.phrases]
        return Fact(parts[0], fact.follows, level=fact.level) if fact.parts is None else unordered(parts, fact.follows)

    def _is_expanded(self, phrase: Phrase) -> bool:
        return any(self.is_part(self._inventory.things[one.thing]) for one in mentions(phrase))

    def _phrase(self, phrase: Phrase, depth: int) -> Phrase:
        parts: list[Phrase] = []
        for part in phrase:
            thing = self._inventory.things[part.thing] if isinstance(part, Mention) else None
            if isinstance(part, Mention) and thing is not None and depth < _DEEPEST and self.is_part(thing):
                made = thing.facts["definition"]
                parts.append(bracketed(self._phrase(made.phrase, depth + 1), made.level, part.within))
            else:
                parts.append((part,))
        return joined(parts)

    def _types(self, thing: Thing) -> list[Phrase]:
        """The types inside a definition, including the types inside the definitions that are part of it."""
        found: list[Phrase] = []
        todo = [(thing, 0)]
        while todo:
            one, depth = todo.pop()
            found += one.facts[TYPES_INSIDE].phrases if TYPES_INSIDE in one.facts else ()
            for mention in mentions(one.facts["definition"].phrase) if "definition" in one.facts else ():
                part = self._inventory.things[mention.thing]
                if depth < _DEEPEST and self.is_part(part):
                    found.append(joined((part.facts["dtype"].phrase, part.facts["shape"].phrase)))
                    todo.append((part, depth + 1))
        return found
