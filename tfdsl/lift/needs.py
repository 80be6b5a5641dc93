"""Finds the pieces of a draft that each piece needs."""

from collections.abc import Iterable, Iterator

from .draft import BlockPiece, Draft, StepPiece, block_of, ends_of
from .graph import Cycle, Endpoint, in_order, reached


class Needs:
    """The pieces that a program has, and what they need."""

    def __init__(self, draft: Draft, roots: Iterable[str]):
        self.draft = draft
        found = reached(roots, self.of)
        self.live = tuple(name for name in draft.pieces if name in found)
        self._users: dict[Endpoint, set[str]] = {}
        for name in self.live:
            for end in self.reads(name):
                self._users.setdefault(end, set()).add(name)

    def owner(self, node: str) -> str:
        """The piece that a node became part of."""
        while node not in self.draft.pieces:
            node = self.draft.inside[node]
        return node

    def users(self, end: Endpoint) -> set[str]:
        """The pieces that read an endpoint."""
        return self._users.get(end, set())

    def reads(self, name: str) -> Iterator[Endpoint]:
        """The endpoints that a piece reads; a block also reads what its bodies compute."""
        piece = self.draft.pieces[name]
        for operand in piece.operands():
            yield from map(self.draft.end, ends_of(operand))
        match piece:
            case StepPiece(trained=trained, global_step=step):
                yield from trained or ()
                yield from () if step is None else (step,)
            case BlockPiece():
                for _, ends in piece.bodies():
                    yield from map(self.draft.end, ends)
            case _:
                pass

    def of(self, name: str) -> set[str]:
        """The pieces that a piece needs."""
        found = {self.owner(end.node) for end in self.reads(name) if self.is_there(end.node)}
        waits = (one for one in self.draft.pieces[name].controls if self.is_there(one))
        return found | {self.owner(one) for one in waits}

    def is_there(self, node: str) -> bool:
        """Whether a node is a piece or a part of one."""
        return node in self.draft.pieces or node in self.draft.inside

    def can_be_ordered(self) -> bool:
        """Whether the pieces can be written one after another, both outside of loops and in each body. A loop with its
        body counts as one piece."""
        return all(map(self._is_ordered, {"", *self.draft.regions.values()}))

    def _is_ordered(self, region: str) -> bool:
        units: dict[str, set[str]] = {}
        for name in self.live:
            own = self._unit(name, region)
            if own is not None:
                units.setdefault(own, set()).update(
                    unit for one in self.of(name) if (unit := self._unit(one, region)) is not None and unit != own
                )
        try:
            in_order(units)
        except Cycle:
            return False
        return True

    def _unit(self, name: str, region: str) -> str | None:
        """The piece in a region that is this piece or contains it at any depth."""
        regions = self.draft.regions
        while regions.get(name, "") != region:
            if name not in regions:
                return None
            name = block_of(regions[name])
        return name
