"""Folds tensor arrays. Loops of TensorFlow 1 use them to read a tensor element by element and to collect results. They
become `x[i]` and `scan`."""

from collections import defaultdict
from typing import TypeGuard

from ...ops.named import ADD, LESS, LOGICAL_AND
from ...ops.raw import PREFIX
from ..draft import (
    ALL_VALUES,
    CallPiece,
    Draft,
    Given,
    IndexPiece,
    LiftedPiece,
    LoopPiece,
    LoopVariable,
    Operand,
    Produced,
    ScanElement,
    ScanPiece,
    ends_of,
)
from ..graph import Endpoint

_ARRAY, _SCATTER, _GATHER = f"{PREFIX}TensorArrayV3", f"{PREFIX}TensorArrayScatterV3", f"{PREFIX}TensorArrayGatherV3"
_READ, _WRITE, _SIZE = f"{PREFIX}TensorArrayReadV3", f"{PREFIX}TensorArrayWriteV3", f"{PREFIX}TensorArraySizeV3"
_RANGE = f"{PREFIX}Range"


def fold_arrays(draft: Draft) -> None:
    arrays = _TensorArrays(draft)
    for piece in list(draft.pieces.values()):
        if _is_call(piece, _SCATTER):
            arrays.fold_reads(piece)
    for piece in list(draft.pieces.values()):
        if isinstance(piece, LoopPiece):
            _Scan(arrays, piece).fold()


def _is_call(piece: object, callee: str) -> TypeGuard[CallPiece]:
    return isinstance(piece, CallPiece) and piece.callee == callee and not piece.controls


class _TensorArrays:
    """The tensor arrays of a draft. `sizes` has the size of an array for each element that was read from it, by the
    piece of the element."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self.users: dict[Endpoint, list[LiftedPiece]] = defaultdict(list)
        for piece in draft.pieces.values():
            for end in {draft.end(end) for one in piece.operands() for end in ends_of(one)}:
                self.users[end].append(piece)
        self.sizes: dict[str, Operand] = {}

    def fold_reads(self, scatter: CallPiece) -> None:
        """Read elements from the tensor itself if the array was filled with all elements of that tensor."""
        given = dict(scatter.arguments)
        array, value = self.array(given["handle"]), given["value"]
        if array is None or not isinstance(value, Produced) or not self.counts(given["indices"]):
            return
        users = self.users[scatter.ends[0]]
        reads = [one for one in users if _is_call(one, _READ) and one.node not in self.draft.closed]
        others = [one for one in (*users, *self.users[array.ends[0]]) if one is not scatter and one not in reads]
        if not others:
            for read in reads:
                index = dict(read.arguments)["index"]
                self.draft.pieces[read.node] = IndexPiece(read.node, read.ends, (), x=value, specs=(index,))
                self.draft.folded[read.node] = fold_arrays.__name__
                self.sizes[read.node] = dict(array.arguments)["size"]

    def array(self, handle: Operand) -> CallPiece | None:
        """The array of a handle."""
        made = self.made(handle)
        return made if _is_call(made, _ARRAY) else None

    def made(self, value: Operand) -> LiftedPiece | None:
        """The piece that makes a tensor."""
        return self.draft.pieces.get(self.draft.end(value.end).node) if isinstance(value, Produced) else None

    def is_same(self, one: Operand, other: Operand) -> bool:
        match one, other:
            case Produced(end), Produced(second):
                return self.draft.end(end) == self.draft.end(second)
            case Given(value), Given(second):
                return value == second
            case _:
                return False

    def counts(self, indices: Operand) -> bool:
        """Whether indices count up from 0."""
        made = self.made(indices)
        match indices:
            case Given(tuple(values)):
                return values == tuple(range(len(values)))
            case _ if _is_call(made, _RANGE):
                given = dict(made.arguments)
                return _is_number(given["start"], 0) and _is_number(given["delta"], 1)
            case _:
                return False


def _is_number(operand: Operand, number: int) -> bool:
    return isinstance(operand, Given) and operand.value == number


class _Scan:
    """A loop over the elements of tensors that collects the values of its variables."""

    def __init__(self, arrays: _TensorArrays, loop: LoopPiece):
        self._arrays, self._draft, self._loop = arrays, arrays.draft, loop
        self._counters = [one for one in loop.variables if self._is_counter(one)]
        self._flows = [one for one in loop.variables if self._is_flow(one)]
        self._states = [one for one in loop.variables if one not in self._counters and one not in self._flows]

    def fold(self) -> None:
        limits = self._limits()
        if not limits or not self._states or not all(self._arrays.is_same(one, limits[0]) for one in limits):
            return
        elements = [one for one in self._elements() if self._arrays.is_same(self._arrays.sizes[one.node], limits[0])]
        gathers = {value: gather for one in self._flows for value, gather in self._stacked(one, limits[0]).items()}
        values = {self._draft.end(one.following) for one in self._states}
        if (
            elements
            and len(gathers) == len(self._flows) > 0
            and values.issuperset(gathers)
            and self._only_count(elements)
        ):
            self._make(elements, gathers)

    # --- conditions -------------------------------------------------------------------------------

    def _is_counter(self, one: LoopVariable) -> bool:
        match one.first, self._draft.pieces.get(self._draft.end(one.following).node):
            case Given(int(0)), CallPiece(callee=ADD.name, arguments=((_, Produced(end)), (_, Given(int(1))))):
                return self._draft.end(end) == one.now and not self._is_read(one)
            case _:
                return False

    def _is_read(self, one: LoopVariable) -> bool:
        """Whether anything reads a variable after the loop."""
        return one.last is not None and bool(self._draft.graph.users[one.last.node])

    def _is_flow(self, one: LoopVariable) -> bool:
        return (
            isinstance(one.first, Produced)
            and self._draft.end(one.first.end).output == 1
            and self._arrays.array(one.first) is not None
        )

    def _is_count(self, value: Operand) -> bool:
        return isinstance(value, Produced) and self._draft.end(value.end) in [one.now for one in self._counters]

    def _limits(self) -> list[Operand]:
        """The limits of the counters, or an empty list if the condition tests anything else."""
        limits: list[Operand] = []
        todo: list[Operand] = [Produced(self._loop.condition)]
        while todo:
            match self._arrays.made(todo.pop()):
                case CallPiece(callee=LOGICAL_AND.name, arguments=((_, left), (_, right))):
                    todo += [left, right]
                case CallPiece(callee=LESS.name, arguments=((_, count), (_, limit))) if self._is_count(count):
                    limits.append(limit)
                case _:
                    return []
        return limits

    def _elements(self) -> list[IndexPiece]:
        """The elements that the body reads at the position of a counter."""
        found: list[IndexPiece] = []
        for name in self._arrays.sizes:
            match self._draft.pieces.get(name):
                case IndexPiece(specs=(Produced() as index,)) as piece if self._is_count(index):
                    found += [piece] if self._draft.regions.get(name) == self._loop.node else []
                case _:
                    pass
        return found

    def _stacked(self, flow: LoopVariable, limit: Operand) -> dict[Endpoint, CallPiece]:
        """The value that the loop writes to an array, with the op that gathers all of these values after the loop.
        Empty if the array is used in any other way."""
        arrays = self._arrays
        write, array = arrays.made(Produced(flow.following)), arrays.array(flow.first)
        if not _is_call(write, _WRITE) or array is None or flow.last is None:
            return {}
        given = dict(write.arguments)
        gathers = [one for one in arrays.users[flow.last] if _is_call(one, _GATHER)]
        others = [one for one in arrays.users[flow.last] if not _is_call(one, _GATHER) and not _is_call(one, _SIZE)]
        is_whole = len(gathers) == 1 and not others and arrays.counts(dict(gathers[0].arguments)["indices"])
        is_own = arrays.array(given["handle"]) is array and self._is_count(given["index"])
        if not is_whole or not is_own or not arrays.is_same(dict(array.arguments)["size"], limit):
            return {}
        value = given["value"]
        return {self._draft.end(value.end): gathers[0]} if isinstance(value, Produced) else {}

    def _only_count(self, elements: list[IndexPiece]) -> bool:
        """Whether the counters are only used to count, and as the positions of elements that are read or written."""
        taken = {one.node for one in elements}
        steps = {self._draft.end(one.following).node for one in self._counters}
        return all(
            user.node in taken
            or user.node in steps
            or (isinstance(user, CallPiece) and user.callee in (LESS.name, _WRITE))
            for one in self._counters
            for user in self._arrays.users[one.now]
        )

    # --- rewriting --------------------------------------------------------------------------------

    def _make(self, elements: list[IndexPiece], gathers: dict[Endpoint, CallPiece]) -> None:
        draft, loop = self._draft, self._loop
        ends: list[Endpoint] = []
        for one in self._states:
            gather = gathers.get(draft.end(one.following))
            end = Endpoint(one.now.node, ALL_VALUES) if gather is None or gather.ends[0] in ends else gather.ends[0]
            ends.append(end)
            if one.last is not None and self._is_read(one):  # the last element of all values
                draft.pieces[one.last.node] = IndexPiece(
                    one.last.node, (one.last,), (), x=Produced(end), specs=(Given(-1, ""),)
                )
                del draft.inside[one.last.node]
                if loop.node in draft.regions:
                    draft.regions[one.last.node] = draft.regions[loop.node]
                else:
                    draft.regions.pop(one.last.node, None)
        for piece in (*elements, *gathers.values()):
            del draft.pieces[piece.node]
            draft.inside[piece.node] = loop.node
        draft.pieces[loop.node] = ScanPiece(
            loop.node,
            tuple(ends),
            loop.controls,
            variables=tuple(LoopVariable(one.now, one.first, one.following, None) for one in self._states),
            condition=self._states[0].following,
            elements=tuple(ScanElement(one.ends[0], one.x) for one in elements),
        )
