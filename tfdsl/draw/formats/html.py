"""A picture as a single HTML page without dependencies. Boxes open and close; the browser lays them out."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from ...diagnostics.spelling import visible
from ..picture import KINDS, Box, Picture, Shape
from .base import Format
from .dot import STYLES, TINTS

_OPEN_BUDGET = 150  # number of items visible at first


def html(pictures: list[Picture], title: str) -> str:
    """The page of a program. Text from the program is data in the page, never markup."""
    data: dict[str, object] = {
        "title": title,
        "kinds": KINDS,
        "graphs": [
            {"name": one.name, "children": [_plain(child) for child in one.children],
             "edges": [[e.start, e.end, e.label, e.control] for e in one.edges]}
            for one in pictures
        ],
        "tints": len(TINTS),
        "budget": _OPEN_BUDGET,
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
        case list() | tuple():
            return [_visible(item) for item in cast(Sequence[object], value)]  # the items have any type
        case dict():
            return {key: _visible(item) for key, item in cast(dict[str, object], value).items()}
        case _:
            return value


def _plain(child: Box | Shape) -> dict[str, object]:
    if isinstance(child, Shape):
        return {"id": child.id, "label": child.label, "kind": child.kind, "op": child.op, "type": child.type,
                "line": child.line, "named": child.named}  # fmt: skip
    children, tint = [_plain(one) for one in child.children], sum(map(ord, child.like)) % len(TINTS)
    return {"id": child.id, "label": child.label, "like": child.like, "number": child.number, "count": child.count,
            "tint": tint, "children": children}  # fmt: skip


FORMAT = Format("is a page whose boxes open and close", lambda drawing: html(drawing.pictures, drawing.title))
