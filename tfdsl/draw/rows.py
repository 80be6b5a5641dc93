"""Arranges a picture: the children of each box in rows, each below all that it is made from."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from .picture import Box, Picture, Shape

Rows = list[list[Box | Shape]]
Before = dict[int, set[int]]  # by the place of a child, the places of those that it is made from


def arranged(picture: Picture) -> dict[str, Rows]:
    """The rows of each box by its id. Those of the picture itself have the id ""."""
    children: dict[str, tuple[Box | Shape, ...]] = {}
    in_order: set[str] = set()
    parents: dict[str, tuple[str, int]] = {}  # of each box and item: the box around it, and its place there

    def note(box: str, inside: tuple[Box | Shape, ...]) -> None:
        children[box] = inside
        for place, child in enumerate(inside):
            parents[child.id] = box, place
            if isinstance(child, Box):
                note(child.id, child.children)
                if child.in_order:
                    in_order.add(child.id)

    note("", picture.children)
    before: dict[str, Before] = {box: defaultdict(set) for box in children}
    for edge in picture.edges:
        if not edge.feed:
            where = dict(_around(edge.start, parents))
            box, place = next((box, place) for box, place in _around(edge.end, parents) if box in where)
            if where[box] < place:
                before[box][place].add(where[box])
    return {
        box: [[child] for child in inside] if box in in_order else _rows(inside, before[box])
        for box, inside in children.items()
    }


def _around(id: str, parents: Mapping[str, tuple[str, int]]) -> Iterable[tuple[str, int]]:
    """The boxes around an item from inside out, each with the place in it of the child that contains the item."""
    while id:
        id, place = parents[id]
        yield id, place


def _rows(children: tuple[Box | Shape, ...], before: Before) -> Rows:
    rank: list[int] = []
    for place in range(len(children)):
        rank.append(max((rank[other] + 1 for other in before.get(place, ())), default=0))
    # An item without inputs stands directly above the first item that uses it.
    below: dict[int, int] = {}
    for place, others in before.items():
        for other in others:
            below[other] = min(below.get(other, rank[place]), rank[place])
    for place, lowest in below.items():
        if not before.get(place):
            rank[place] = lowest - 1
    rows: dict[int, list[int]] = defaultdict(list)
    for place, row in enumerate(rank):
        rows[row].append(place)
    across: dict[int, float] = {}  # where a child stands in its row, between 0 and 1

    def wish(place: int) -> float:
        over = [across[other] for other in before.get(place, ()) if other in across]
        return sum(over) / len(over) if over else 0.5

    result: Rows = []
    for _, row in sorted(rows.items()):
        row.sort(key=wish)
        across |= {place: (at + 1) / (len(row) + 1) for at, place in enumerate(row)}
        result.append([children[place] for place in row])
    return result
