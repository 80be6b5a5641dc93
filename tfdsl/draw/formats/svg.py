"""A picture as SVG. Boxes stand in rows around their contents; the places need no other program."""

from collections.abc import Iterable, Iterator
from html import escape

from ...diagnostics.spelling import visible
from ...record import Record
from ..picture import Box, Edge, Picture, Shape, summary
from ..rows import Rows, arranged
from .base import Format
from .dot import STYLES, tint

_WIDEST = 1600.0  # of a row; a wider one is broken
_GAP, _BETWEEN = 26.0, 34.0  # between children in a row, and between rows
_PADDING, _HEAD = 14.0, 22.0
_TITLE = 26.0
_STYLE = (  # inside the picture only, also in a page that contains it
    ".tfg text{font:12px Helvetica,Arial,sans-serif;fill:#1b1b1b}.tfg .head,.tfg .title{font-weight:bold}"
    ".tfg .edge{fill:none;stroke:#8891a0}.tfg .control{stroke-dasharray:4 3}.tfg .feed{stroke-dasharray:1 3}"
    ".tfg .size{font-size:9px;fill:#5a6270}.tfg .back{fill:#fdfdfd}.tfg .box{stroke:#b8c0cc}"
    ".tfg .unnamed{font-size:10px}"
    "@media(prefers-color-scheme:dark){.tfg .back{fill:#16181d}.tfg .box{fill:#1f232b;stroke:#4a5261}"
    ".tfg .head,.tfg .title{fill:#e8e8ea}.tfg .size{fill:#9aa3b2}}"
)


class Laid(Record):
    """A child with its size, and the blocks in it with their places from its corner."""

    child: Box | Shape | None
    width: float
    height: float
    inside: tuple[tuple[float, float, "Laid"], ...] = ()


class Spot(Record):
    """Where a child lies in the picture."""

    left: float
    top: float
    width: float
    height: float


def svg(pictures: list[Picture]) -> str:
    """All pictures as one SVG, one below the other."""
    parts: list[str] = []
    width, bottom = 0.0, 0.0
    for picture in pictures:
        if len(pictures) > 1:
            title = f"graph {picture.name}" if picture.name else "the default graph"
            parts.append(_words(title, _PADDING, bottom + _TITLE - 6, "title"))
            bottom += _TITLE
        rows = arranged(picture)
        whole = _stacked(None, rows[""], rows, "")
        places: dict[str, Spot] = {}
        items: list[str] = []
        parts += _boxes(whole, 0.0, bottom, places, items)
        parts += _edges(picture.edges, places, set(_statements(picture.children)))
        parts += items  # over the edges
        width, bottom = max(width, whole.width), bottom + whole.height
    size = f'viewBox="0 0 {width:.0f} {bottom:.0f}" width="{width:.0f}" height="{bottom:.0f}"'
    back = f'<rect class="back" width="{width:.0f}" height="{bottom:.0f}"/>'
    start = f'<svg xmlns="http://www.w3.org/2000/svg" class="tfg" {size}><style>{_STYLE}</style>'
    return "\n".join([start, back, *parts, "</svg>"]) + "\n"


def _stacked(child: Box | None, inside: Rows, rows: dict[str, Rows], label: str) -> Laid:
    """A block around rows, each of them in its middle."""
    lines = [line for row in inside for line in _broken([_block(one, rows) for one in row])]
    widths = [sum(block.width for block in line) + _GAP * (len(line) - 1) for line in lines]
    width = max([*widths, _text_width(label)]) + 2 * _PADDING
    top = _HEAD + 6 if child else _PADDING
    placed: list[tuple[float, float, Laid]] = []
    for line, used in zip(lines, widths, strict=True):
        high, left = max(block.height for block in line), (width - used) / 2
        for block in line:
            placed.append((left, top + (high - block.height) / 2, block))
            left += block.width + _GAP
        top += high + _BETWEEN
    return Laid(child, width, top - (_BETWEEN if lines else 0) + _PADDING, tuple(placed))


def _block(child: Box | Shape, rows: dict[str, Rows]) -> Laid:
    if isinstance(child, Box):
        return _stacked(child, rows[child.id], rows, child.label)
    return Laid(child, _text_width(child.label, child.named) + 20, 24.0 if child.named else 20.0)


def _broken(blocks: list[Laid]) -> Iterator[list[Laid]]:
    """A row in lines that are not too wide."""
    line: list[Laid] = []
    used = 0.0
    for block in blocks:
        if line and used + block.width > _WIDEST:
            yield line
            line, used = [], 0.0
        line.append(block)
        used += block.width + _GAP
    yield line


def _text_width(text: str, large: bool = True) -> float:
    """The width of a text, by the width of most characters. Those of East Asia are twice as wide."""
    return sum(1.9 if ord(one) > 0x2E80 else 1.0 for one in text) * (6.6 if large else 5.6)


def _boxes(block: Laid, left: float, top: float, places: dict[str, Spot], items: list[str]) -> Iterator[str]:
    """The boxes of a block at a place. The places of all in it are noted, and its items."""
    match block.child:
        case Box() as box:
            places[box.id] = Spot(left, top, block.width, block.height)
            yield _rect(places[box.id], f'class="box" rx="10" fill="{tint(box.like)}"')
            badge = f" ({box.number} of {box.count})" if box.count > 1 else ""
            yield _words(box.label + badge, left + _PADDING, top + 17, "head")
        case Shape() as shape:
            places[shape.id] = Spot(left, top, block.width, block.height)
            fill, line, _ = STYLES[shape.kind]
            radius = 4 if shape.kind in ("op", "constant", "train") else 11
            dashes = ' stroke-dasharray="4 2"' if shape.kind == "constant" else ""
            box = _rect(places[shape.id], f'rx="{radius}" fill="{fill}" stroke="{line}" stroke-width="1.5"{dashes}')
            look = "" if shape.named else "unnamed"
            words = _words(
                shape.label, left + block.width / 2, top + block.height / 2 + 4, look, ' text-anchor="middle"'
            )
            items.append(f"<g><title>{_safe(f'{shape.label}: {summary(shape)}')}</title>{box}{words}</g>")
        case None:
            pass
    for x, y, inner in block.inside:
        yield from _boxes(inner, left + x, top + y, places, items)


def _statements(children: Iterable[Box | Shape]) -> Iterator[str]:
    """The items that are statements of sessions."""
    for child in children:
        if isinstance(child, Box):
            yield from _statements(child.children)
        elif child.kind == "session":
            yield child.id


def _edges(edges: Iterable[Edge], places: dict[str, Spot], statements: set[str]) -> Iterator[str]:
    """The edges with their labels. Those between the same two items are one; labels at an item stand one below the
    other. A statement is reached from its left, and what it feeds or sets from its right, past the statements above."""
    labels: dict[tuple[str, str, str], list[str]] = {}
    for edge in edges:
        labels.setdefault((edge.start, edge.end, edge.look), []).append(edge.label)
    shown: dict[str, list[str]] = {}
    for (start, end, look), found in labels.items():
        if end in statements:
            yield _path(look, *_lower(places[start], end=False), *_side(places[end], -1), -1)
        elif start in statements:
            yield _path(look, *_lower(places[end], end=False), *_side(places[start], 1), 1)
        else:
            yield _path(look, *_lower(places[start], end=False), *_lower(places[end], end=True), 0)
        text = ", ".join(dict.fromkeys(filter(None, found)))
        here = shown.setdefault(start, [])
        if text and text not in here:
            x, y = _lower(places[start], end=False)
            here.append(text)
            yield _words(text, x + 6, y + 2 + 9 * len(here), "size")


def _lower(place: Spot, end: bool) -> tuple[float, float]:
    """Where an edge leaves an item below, or enters it above."""
    return place.left + place.width / 2, place.top + (0 if end else place.height)


def _side(place: Spot, side: int) -> tuple[float, float]:
    """The middle of the left or the right side of an item."""
    return place.left + (place.width if side > 0 else 0), place.top + place.height / 2


def _path(look: str, x: float, y: float, to_x: float, to_y: float, side: int) -> str:
    """A curve downwards, which ends at a side of an item if `side` is not 0."""
    bend = max(14.0, abs(to_y - y) / 2)
    bends = f"{x:.0f},{y + bend:.0f} {to_x:.0f},{to_y - bend:.0f}"
    if side:
        bends = f"{to_x + 30 * side:.0f},{y + bend / 2:.0f} {to_x + 30 * side:.0f},{to_y:.0f}"
    return f'<path class="edge {look}" d="M{x:.0f},{y:.0f} C{bends} {to_x:.0f},{to_y:.0f}"/>'


def _rect(place: Spot, rest: str) -> str:
    return (
        f'<rect x="{place.left:.0f}" y="{place.top:.0f}" width="{place.width:.0f}" height="{place.height:.0f}" {rest}/>'
    )


def _words(text: str, x: float, y: float, look: str, rest: str = "") -> str:
    return f'<text class="{look}" x="{x:.0f}" y="{y:.0f}"{rest}>{_safe(text)}</text>'


def _safe(text: str) -> str:
    return escape(visible(text.replace("\n", " ")))


FORMAT = Format("is a still picture", lambda drawing: svg(drawing.pictures))
