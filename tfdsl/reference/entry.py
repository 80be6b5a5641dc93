"""An entry of the reference: one thing that one can look up."""

from collections.abc import Mapping
from typing import Literal

from ..record import Record

Kind = Literal[
    "declaration",  # a statement of the graph half
    "statement",  # a statement of sessions
    "clause",  # a word of statements and expressions
    "name",  # a value that every program has
    "setting",  # an option of a statement
    "type",
    "op",
    "initializer",
    "schedule",
    "optimizer",
    "function",  # of a library, or built in
    "source",
    "transform",
    "field",  # of data
    "command",
    "option",  # on the command line
    "code",  # of a message
]


class ReferenceEntry(Record):
    """What there is to say about one name. `signature` is how it is written, in one line or several. `doc` is
    Markdown. `example` is a program, or an expression with the declarations above it; that of a command is a command.
    `page` is a page of `docs/` with an anchor. `limits` says what the letters of the signature stand for."""

    kind: Kind
    name: str
    signature: str
    doc: str
    example: str = ""
    group: str = ""
    tensorflow: str = ""
    keras: str = ""
    page: str = ""
    limits: Mapping[str, str] = {}

    @property
    def call(self) -> str:
        """The signature, with the sign that is in front of transforms."""
        return f"| {self.signature}" if self.kind == "transform" else self.signature

    @property
    def elsewhere(self) -> list[tuple[str, str]]:
        """The frameworks that have it, with its name there."""
        names = (("TensorFlow", self.tensorflow), ("Keras", self.keras))
        return [(where, name) for where, name in names if name]


def as_json(entry: ReferenceEntry) -> dict[str, object]:
    """An entry as a JSON object, without what is empty."""
    values: dict[str, object] = {name: getattr(entry, name) for name in ReferenceEntry.__match_args__}
    return {name: value for name, value in values.items() if value}
