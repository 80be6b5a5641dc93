"""A picture as a single HTML page without dependencies. Boxes open and close, a field finds items by name, and a
selected item shows what it is and what it is linked with. The browser lays out the rows."""

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from ...diagnostics.spelling import visible
from ...narrowing import is_list, is_object
from ..picture import KINDS, Box, Picture, Shape
from ..rows import Rows, arranged
from .base import Format
from .dot import STYLES, TINTS, tint

_OPEN_BUDGET = 60  # number of items visible at first


def html(pictures: list[Picture], title: str) -> str:
    """The page of a program. Text from the program is data in the page, never markup."""
    data: dict[str, object] = {
        "title": title,
        "kinds": KINDS,
        "graphs": [
            {"name": one.name, "rows": _plain_rows("", arranged(one), opened(one)),
             "edges": [[edge.start, edge.end, edge.label, edge.look] for edge in one.edges]}
            for one in pictures
        ],
    }  # fmt: skip
    page = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    # Only "<" could end the data of a script element.
    text = json.dumps(_visible(data), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    rules = "".join(f".{kind}{{--fill:{fill};--line:{line}}}" for kind, (fill, line, _) in STYLES.items())
    tints = "".join(f".tint{n}{{--tint:{tint}}}" for n, tint in enumerate(TINTS))
    return page.replace("/*STYLES*/", rules + tints).replace("/*DATA*/", text)


def _visible(value: object) -> object:
    """A value with all its text safe to show."""
    match value:
        case str():
            return visible(value)
        case _ if is_list(value):
            return [_visible(item) for item in value]
        case _ if is_object(value):
            return {key: _visible(item) for key, item in value.items()}
        case _:
            return value


def opened(picture: Picture) -> frozenset[str]:
    """The boxes that are open at first. All of them are, unless the picture is large: then boxes that repeat another
    one stay closed, and others open from outside in until enough items are visible."""
    if sum(1 for _ in _items(picture.children)) <= _OPEN_BUDGET:
        return frozenset(box.id for box in _boxes(picture.children))
    open: set[str] = set()
    shown, todo = len(picture.children), deque(picture.children)
    while todo:
        child = todo.popleft()
        if isinstance(child, Box) and child.number == 1 and shown + len(child.children) <= _OPEN_BUDGET:
            open.add(child.id)
            shown += len(child.children) - 1
            todo += child.children
    return frozenset(open)


def _boxes(children: tuple[Box | Shape, ...]) -> Iterator[Box]:
    for child in children:
        if isinstance(child, Box):
            yield child
            yield from _boxes(child.children)


def _items(children: tuple[Box | Shape, ...]) -> Iterator[Shape]:
    for child in children:
        if isinstance(child, Box):
            yield from _items(child.children)
        else:
            yield child


def _plain_rows(box: str, rows: dict[str, Rows], open: frozenset[str]) -> list[list[dict[str, object]]]:
    return [[_plain(child, rows, open) for child in row] for row in rows[box]]


def _plain(child: Box | Shape, rows: dict[str, Rows], open: frozenset[str]) -> dict[str, object]:
    if isinstance(child, Shape):
        return {"id": child.id, "label": child.label, "kind": child.kind, "op": child.op, "type": child.type,
                "line": child.line, "named": child.named, "params": child.params}  # fmt: skip
    return {"id": child.id, "label": child.label, "like": child.like, "count": child.count, "open": child.id in open,
            "tint": TINTS.index(tint(child.like)), "rows": _plain_rows(child.id, rows, open)}  # fmt: skip


FORMAT = Format("is a page whose boxes open and close", lambda drawing: html(drawing.pictures, drawing.title))
