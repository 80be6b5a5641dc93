"""Shapes beside the names that a program gives to tensors, and the sizes of data."""

from ..analysis.values import DataValue
from ..record import Record
from ..syntax import tree as t
from .shown import rows_of, type_of
from .workspace import Document


class Hint(Record):
    """Text that an editor shows at an offset, which the program does not have."""

    offset: int
    text: str


def hints(document: Document, start: int, end: int) -> list[Hint]:
    """The hints between two offsets."""
    found: list[Hint] = []
    for part in t.trees(document.tree):
        if not (isinstance(part, t.StatementTree) and start <= part.span.start <= end):
            continue
        match part:
            case t.Assign(targets=targets) | t.Bind(targets=targets) | t.Evaluate(targets=targets):
                named = targets
            case t.Variable(target=target, type=None) | t.Data(target=target):
                named = (target,)
            case _:
                named = ()
        for target in named:
            values = document.values(target.span.start, target.span.end)
            texts = list(dict.fromkeys(map(_hint, values)))
            if len(texts) == 1 and texts[0]:
                found.append(Hint(target.span.end, f": {texts[0]}"))
    return sorted(found, key=lambda one: one.offset)


def _hint(value: object) -> str:
    return rows_of(value.schema) if isinstance(value, DataValue) else type_of(value)
