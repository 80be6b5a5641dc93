"""Inventories: the parts of a program, a graph or a checkpoint, as things with facts that can be compared.

A fact is a phrase: text that mentions other things. Two phrases are alike if they have the same text and mention
corresponding things. So renaming a thing does not change the facts that mention it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from ..lift.expression_text import ATOM
from ..record import Record, State, field

if TYPE_CHECKING:
    from .values import ArrayPlace

# The kinds of things, in the order in which differences are listed, each with the title of its section.
KINDS = {
    "graph": "graph", "param": "params", "data": "data", "scope": "scopes", "placeholder": "placeholders",
    "variable": "variables", "value": "values", "optimizer": "optimizers", "summary": "summaries",
    "signature": "signatures", "function": "functions", "session": "sessions", "statement": "sessions",
    "size": "", "local": "",
}  # fmt: skip
SILENT = ("size", "local")  # kinds of things whose names mean nothing outside the text
ORDERED = ("session", "statement")  # kinds of things that run one after another, in the order of their ids
TYPES_INSIDE = "types inside"  # the fact with the types of the nodes and numbers in a definition
BLANK = "\0"  # replaces a mention where only the text around it matters


class Mention(Record):
    """A thing in a phrase, or one of its outputs. A definition that replaces the mention gets brackets if it binds less
    tightly than the level `within`."""

    thing: int
    output: int = 0
    within: int = 0


Phrase: TypeAlias = "tuple[str | Mention, ...]"


def joined(parts: Iterable[Phrase], between: str = "") -> Phrase:
    """Join phrases. Adjacent texts are merged, so that equal phrases have equal parts."""
    found: list[str | Mention] = []
    for at, phrase in enumerate(parts):
        for part in (between if at else "", *phrase):
            if isinstance(part, str) and found and isinstance(found[-1], str):
                found[-1] += part
            elif part != "":
                found.append(part)
    return tuple(found)


def mentions(phrase: Phrase) -> list[Mention]:
    return [part for part in phrase if isinstance(part, Mention)]


def blanked(phrase: Phrase) -> str:
    """The text of a phrase, with a blank in place of each mention."""
    return "".join(part if isinstance(part, str) else f"{BLANK}{part.output}" for part in phrase)


class Fact(Record):
    """Something about a thing, as a phrase or as several phrases without an order. A fact `follows` if it can depend on
    other things, as the shape of a value depends on its inputs."""

    phrase: Phrase
    follows: bool = False
    parts: tuple[Phrase, ...] | None = None
    level: int = ATOM  # how tightly the phrase binds, if it is an expression

    @property
    def phrases(self) -> tuple[Phrase, ...]:
        return (self.phrase,) if self.parts is None else self.parts

    @property
    def blank(self) -> tuple[str, ...]:
        """The texts of the phrases, with a blank in place of each mention."""
        return tuple(sorted(map(blanked, self.phrases)))


def unordered(parts: Iterable[Phrase], follows: bool = False) -> Fact:
    """A fact with phrases that have no order."""
    found = tuple(parts)
    return Fact(joined(found, ", "), follows, found)


class Thing(Record):
    """A part of an inventory: a variable, a scope, a statement. `name` is its name in its parent. If it has none,
    `name` is "" and `label` describes it. The children of a session or a statement are in order. `array` is the place
    of its values, if they are known. `line` is its line, if it is part of a program."""

    id: int
    kind: str
    name: str
    facts: Mapping[str, Fact]
    parent: int | None = None
    label: Phrase = ()
    line: int | None = None
    array: "ArrayPlace | None" = None


def mentioned(thing: Thing) -> Iterator[int]:
    """The things that the facts about a thing mention, once for each mention."""
    return (one.thing for fact in thing.facts.values() for phrase in fact.phrases for one in mentions(phrase))


class Inventory(Record):
    """The things of a program, a graph or a checkpoint, by their ids. `notes` list what it leaves out."""

    title: str
    things: Mapping[int, Thing]
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        children: dict[int | None, list[Thing]] = {}
        users: dict[int, list[int]] = {}
        for thing in self.things.values():
            children.setdefault(thing.parent, []).append(thing)
            for fact in thing.facts.values():
                for one in mentions(fact.phrase):
                    users.setdefault(one.thing, []).append(thing.id)
        object.__setattr__(self, "children", children)
        object.__setattr__(self, "users", users)

    children: Mapping[int | None, list[Thing]] = field(init=False)
    users: Mapping[int, list[int]] = field(init=False)  # the things that mention a thing, once for each mention

    def inside(self, thing: Thing) -> Iterator[Thing]:
        """The things in a thing, at any depth."""
        for child in self.children.get(thing.id, ()):
            yield child
            yield from self.inside(child)

    def path(self, id: int) -> str:
        """The whole name of a thing, `dnn/dense_1/kernel`, or of a statement, `train: every: print`."""
        thing = self.things[id]
        own = thing.name or self.text(thing.label)
        around = None if thing.parent is None else self.things[thing.parent]
        if around is None or (around.kind == "session" and not around.name) or thing.kind == "local":
            return own
        if thing.kind == "session":
            return own
        between = ": " if thing.kind == "statement" else "/"
        return between.join(filter(None, (self.path(around.id), own)))

    def text(self, phrase: Phrase) -> str:
        """A phrase with the names of the things that it mentions."""
        return "".join(
            part if isinstance(part, str) else self.path(part.thing) + (f":{part.output}" if part.output else "")
            for part in phrase
        )


class Things(State):
    """Collects the things of an inventory."""

    made: dict[int, Thing] = field(default_factory=dict[int, Thing])
    taken: Counter[tuple[int | None, str]] = field(default_factory=Counter[tuple[int | None, str]])
    count: int = 0

    def new_id(self) -> int:
        self.count += 1
        return self.count

    def unique(self, parent: int | None, name: str) -> str:
        """A name in a scope, numbered as in TensorFlow if it is taken."""
        number = self.taken[parent, name.lower()]
        self.taken[parent, name.lower()] += 1
        return f"{name}_{number}" if name and number else name

    def add(self, thing: Thing) -> Thing:
        self.made[thing.id] = thing
        return thing
