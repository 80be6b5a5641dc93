"""Removes control inputs that follow from others: a piece waits for everything that its inputs wait for."""

from ...ops import OPS
from ...record import replace
from ..draft import BlockPiece, CallPiece, Draft, IndexPiece, LiftedPiece, VariablePiece, ends_of
from ..graph import Endpoint


def fold_waits(draft: Draft) -> None:
    waits = _Waits(draft)
    for piece in list(draft.pieces.values()):
        if len(piece.controls) > 0 and piece.node not in draft.closed | draft.kept:
            waits.shorten(piece)


class _Waits:
    """What pieces wait for. `_above` has, by piece, all pieces that it needs and their control inputs."""

    def __init__(self, draft: Draft):
        self._draft = draft
        self._above: dict[str, frozenset[str]] = {}

    def shorten(self, piece: LiftedPiece) -> None:
        owners = {name: self._owner(name) for name in piece.controls}
        implied: set[str] = set()
        if isinstance(piece, (CallPiece, IndexPiece)) and not self._reads(piece):
            for name in self._inputs(piece):
                implied |= self.above(name) | {name}
        for owner in owners.values():
            implied |= self.above(owner) - {owner}
        left = tuple(name for name, owner in owners.items() if owner not in implied)
        if left != piece.controls:
            self._draft.pieces[piece.node] = replace(piece, controls=left)

    def above(self, name: str) -> frozenset[str]:
        """The pieces that a piece waits for, outside of loops and branches."""
        todo = [name]
        while todo:
            one = todo[-1]
            if one in self._above:
                todo.pop()
                continue
            piece = self._draft.pieces.get(one)
            needed = [] if piece is None or isinstance(piece, BlockPiece) else self._needed(piece)
            left = [other for other in needed if other not in self._above and other not in todo]
            if left:
                todo += left
            else:
                todo.pop()
                found = frozenset(needed)
                self._above[one] = found.union(*(self._above.get(other, frozenset()) for other in needed))
        return self._above[name]

    def _needed(self, piece: LiftedPiece) -> list[str]:
        return [*self._inputs(piece), *map(self._owner, piece.controls)]

    def _inputs(self, piece: LiftedPiece) -> list[str]:
        return [self._owner(self._draft.end(end).node) for one in piece.operands() for end in ends_of(one)]

    def _owner(self, name: str) -> str:
        return self._draft.owner(name)

    def _reads(self, piece: CallPiece | IndexPiece) -> bool:
        """Whether a piece reads a variable, which may have another value later."""
        arguments = piece.arguments if isinstance(piece, CallPiece) else ()
        op = OPS.get(piece.callee) if isinstance(piece, CallPiece) else None
        written = {param.name for param in op.params if param.kind == "variable"} if op is not None else set[str]()
        given = [value for name, value in arguments if name not in written] or list(piece.operands())
        return any(self._is_variable(end) for one in given for end in ends_of(one))

    def _is_variable(self, end: Endpoint) -> bool:
        return isinstance(self._draft.pieces.get(self._owner(self._draft.end(end).node)), VariablePiece)
