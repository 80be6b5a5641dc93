"""Folds stacks of tensors: where an op takes one tensor, the program can write a list of its elements."""

from collections import Counter

from ...ops import OPS
from ...ops.named import CONCAT, EXPAND_DIMS, STACK
from ...record import replace
from ..draft import CallPiece, Draft, Given, Listed, Operand, Produced, ends_of
from ..graph import Endpoint


def fold_lists(draft: Draft) -> None:
    used = Counter(
        draft.end(end) for piece in draft.pieces.values() for one in piece.operands() for end in ends_of(one)
    )
    for piece in list(draft.pieces.values()):
        if isinstance(piece, CallPiece) and piece.callee in OPS:
            kinds = {param.name: param.kind for param in OPS[piece.callee].params}
            kept = tuple((name, _Lists(draft, used).listed(value, kinds[name])) for name, value in piece.arguments)
            if kept != piece.arguments:
                draft.pieces[piece.node] = replace(piece, arguments=kept)


class _Lists:
    def __init__(self, draft: Draft, used: Counter[Endpoint]):
        self._draft, self._used = draft, used

    def listed(self, value: Operand, kind: str) -> Operand:
        """The list of the elements, if an argument is a stack of them; otherwise the argument."""
        match self._made(value):
            case CallPiece(callee=STACK.name, arguments=(("values", Listed(items)),)) if kind in ("shape", "tensor"):
                return Listed(items) if any(isinstance(one, Produced) for one in items) else value
            case CallPiece(callee=CONCAT.name, arguments=(("values", Listed(parts)), ("axis", Given(0)))) if (
                kind == "shape"
            ):
                joined = [self._part(one) for one in parts]
                return value if () in joined else Listed(tuple(item for part in joined for item in part))
            case _:
                return value

    def _part(self, part: Operand) -> tuple[Operand, ...]:
        """The elements of a part of a list of sizes, or an empty tuple if they are not known."""
        match part, self._made(part):
            case Given(tuple(values), dtype), _:
                return tuple(Given(one, dtype) for one in values)
            case _, CallPiece(callee=EXPAND_DIMS.name, arguments=(("input", item), ("axis", Given(0)))):
                return (item,)
            case _:
                return ()

    def _made(self, value: Operand) -> object:
        """The piece that makes a tensor, if only this argument uses it."""
        if not isinstance(value, Produced):
            return None
        end = self._draft.end(value.end)
        made = self._draft.pieces.get(end.node)
        return made if made is not None and self._used[end] == 1 and not made.controls else None
