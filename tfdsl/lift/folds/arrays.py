"""Folds the arrays and lists of tensors that loops use to read a tensor element by element and to collect results: the
tensor arrays of TensorFlow 1, and the tensor lists of TensorFlow 2. They become `x[i]` and `scan`."""

from abc import ABC, abstractmethod
from collections import defaultdict
from typing import TypeGuard, cast

from ...ops.named import ADD, FILL, GREATER_EQUAL, LESS, LOGICAL_AND, MAXIMUM, MINIMUM, REDUCE_MAX, SHAPE, WHERE
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
    Splat,
    ends_of,
)
from ..graph import Endpoint

_ARRAY, _SCATTER, _GATHER = f"{PREFIX}TensorArrayV3", f"{PREFIX}TensorArrayScatterV3", f"{PREFIX}TensorArrayGatherV3"
_READ, _WRITE, _SIZE = f"{PREFIX}TensorArrayReadV3", f"{PREFIX}TensorArrayWriteV3", f"{PREFIX}TensorArraySizeV3"
_RANGE = f"{PREFIX}Range"
_RESERVE, _FROM, _STACK = f"{PREFIX}TensorListReserve", f"{PREFIX}TensorListFromTensor", f"{PREFIX}TensorListStack"
_GET_ITEM, _SET_ITEM = f"{PREFIX}TensorListGetItem", f"{PREFIX}TensorListSetItem"


def fold_arrays(draft: Draft) -> None:
    for kind in (_TensorArrays, _TensorLists):
        stores = kind(draft)
        for piece in list(draft.pieces.values()):
            stores.fold_reads(piece)
        for piece in list(draft.pieces.values()):
            if type(piece) is LoopPiece:
                _Scan(stores, piece).fold()


def _is_call(piece: object, callee: str) -> TypeGuard[CallPiece]:
    return isinstance(piece, CallPiece) and piece.callee == callee and not piece.controls


class _Stores(ABC):
    """What holds the elements that loops read and write. For each element that is read, by its piece, `taken` has the
    size of the array or the list that held it."""

    def __init__(self, draft: Draft):
        self.draft = draft
        self.users: dict[Endpoint, list[LiftedPiece]] = defaultdict(list)
        for piece in draft.pieces.values():
            for end in {draft.end(end) for one in piece.operands() for end in ends_of(one)}:
                self.users[end].append(piece)
        self.taken: dict[str, Operand] = {}

    @abstractmethod
    def fold_reads(self, piece: LiftedPiece) -> None:
        """If a piece fills a store with all elements of a tensor, read these elements from the tensor itself."""

    @abstractmethod
    def can_end(self, element: IndexPiece, limit: Operand) -> bool:
        """Whether the tensor that an element is read from ends at a limit, or can be cut there."""

    @abstractmethod
    def whole(self, element: IndexPiece, limit: Operand) -> Operand:
        """The tensor that an element is read from, up to the limit."""

    @abstractmethod
    def empty(self, first: Operand) -> CallPiece | None:
        """The piece that makes an empty store, if this is the first value of a loop variable that holds one."""

    @abstractmethod
    def size(self, empty: CallPiece) -> Operand:
        """The size of an empty store."""

    @abstractmethod
    def written(self, flow: LoopVariable, empty: CallPiece) -> tuple[Operand, Operand] | None:
        """The index and the value that an iteration writes to a store."""

    @abstractmethod
    def gathers(self, flow: LoopVariable) -> list[CallPiece]:
        """The pieces that gather all elements of a store after the loop, or an empty list if there are other uses."""

    def index_tensor(self, read: CallPiece, value: Operand) -> None:
        """Read an element from a tensor."""
        index = dict(read.arguments)["index"]
        self.draft.pieces[read.node] = IndexPiece(read.node, read.ends, (), x=value, specs=(index,))
        self.draft.folded[read.node] = fold_arrays.__name__

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


class _TensorArrays(_Stores):
    def fold_reads(self, piece: LiftedPiece) -> None:
        if not _is_call(piece, _SCATTER):
            return
        given = dict(piece.arguments)
        array, value = self._array(given["handle"]), given["value"]
        if array is None or not isinstance(value, Produced) or not self._counts(given["indices"]):
            return
        users = self.users[piece.ends[0]]
        reads = [one for one in users if _is_call(one, _READ) and one.node not in self.draft.closed]
        others = [one for one in (*users, *self.users[array.ends[0]]) if one is not piece and one not in reads]
        if not others:
            for read in reads:
                self.index_tensor(read, value)
                self.taken[read.node] = self.size(array)

    def can_end(self, element: IndexPiece, limit: Operand) -> bool:
        return self.is_same(self.taken[element.node], limit)

    def whole(self, element: IndexPiece, limit: Operand) -> Operand:
        return element.x

    def empty(self, first: Operand) -> CallPiece | None:
        is_flow = isinstance(first, Produced) and self.draft.end(first.end).output == 1
        return self._array(first) if is_flow else None

    def size(self, empty: CallPiece) -> Operand:
        return dict(empty.arguments)["size"]

    def written(self, flow: LoopVariable, empty: CallPiece) -> tuple[Operand, Operand] | None:
        write = self.made(Produced(flow.following))
        if not _is_call(write, _WRITE):
            return None
        given = dict(write.arguments)
        return (given["index"], given["value"]) if self._array(given["handle"]) is empty else None

    def gathers(self, flow: LoopVariable) -> list[CallPiece]:
        users = [] if flow.last is None else self.users[flow.last]
        found = [one for one in users if _is_call(one, _GATHER)]
        others = [one for one in users if not _is_call(one, _GATHER) and not _is_call(one, _SIZE)]
        are_whole = all(self._counts(dict(one.arguments)["indices"]) for one in found)
        return found if are_whole and not others else []

    def _array(self, handle: Operand) -> CallPiece | None:
        """The array of a handle."""
        made = self.made(handle)
        return made if _is_call(made, _ARRAY) else None

    def _counts(self, indices: Operand) -> bool:
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


class _TensorLists(_Stores):
    def fold_reads(self, piece: LiftedPiece) -> None:
        value = dict(piece.arguments)["tensor"] if _is_call(piece, _FROM) else None
        if not isinstance(value, Produced):
            return
        users = self.users[piece.ends[0]]
        if all(_is_call(one, _GET_ITEM) and one.node not in self.draft.closed for one in users):
            for read in users:
                if _is_call(read, _GET_ITEM):
                    self.index_tensor(read, value)
                    self.taken[read.node] = Produced(piece.ends[0])
            del self.draft.pieces[piece.node]
            self.draft.dropped.add(piece.node)

    def can_end(self, element: IndexPiece, limit: Operand) -> bool:
        return True

    def whole(self, element: IndexPiece, limit: Operand) -> Operand:
        """In the place of the list, there is a part of the tensor, unless that is known to end at the limit."""
        (store,) = (end for end in ends_of(self.taken[element.node]))
        if self._has_length(element.x, limit):
            return element.x
        self.draft.dropped.discard(store.node)
        self.draft.pieces[store.node] = IndexPiece(store.node, (store,), (), x=element.x, specs=((None, limit, None),))
        self.draft.folded[store.node] = fold_arrays.__name__
        self.draft.types[store] = self.draft.type(next(ends_of(element.x)))
        return Produced(store)

    def _has_length(self, tensor: Operand, limit: Operand) -> bool:
        """Whether a tensor is known to have as many elements as a limit says."""
        match limit, self.made(limit):
            case Given(size), _:
                shape = self.draft.type(next(ends_of(tensor))).shape
                return bool(shape) and shape[0] == size
            case _, IndexPiece(x=x, specs=(Given(0),)):
                made = self.made(x)
                return _is_call(made, SHAPE.name) and self.is_same(made.arguments[0][1], tensor)
            case _:
                return False

    def empty(self, first: Operand) -> CallPiece | None:
        made = self.made(first)
        return made if _is_call(made, _RESERVE) else None

    def size(self, empty: CallPiece) -> Operand:
        return dict(empty.arguments)["num_elements"]

    def written(self, flow: LoopVariable, empty: CallPiece) -> tuple[Operand, Operand] | None:
        write = self.made(Produced(flow.following))
        if not _is_call(write, _SET_ITEM):
            return None
        given = dict(write.arguments)
        return (given["index"], given["item"]) if self.is_same(given["input_handle"], Produced(flow.now)) else None

    def gathers(self, flow: LoopVariable) -> list[CallPiece]:
        users = [] if flow.last is None else self.users[flow.last]
        found = [one for one in users if _is_call(one, _STACK)]
        return found if len(found) == len(users) else []


def _is_number(operand: Operand, number: int) -> bool:
    return isinstance(operand, Given) and operand.value == number


class _Scan:
    """A loop over the elements of tensors that collects the values of its variables."""

    def __init__(self, stores: _Stores, loop: LoopPiece):
        self._stores, self._draft, self._loop = stores, stores.draft, loop
        self._counters = [one for one in loop.variables if self._is_counter(one)]
        self._flows = [one for one in loop.variables if stores.empty(one.first) is not None]
        self._states = [one for one in loop.variables if one not in self._counters and one not in self._flows]

    def fold(self) -> None:
        limits = self._limits()
        limit = next((one for one in limits if self._lengths(one) is None), None)
        if limit is None or not self._states:
            return
        lengths = [self._lengths(one) for one in limits if not self._stores.is_same(one, limit)]
        elements = [one for one in self._elements() if self._stores.can_end(one, limit)]
        gathers = {value: gather for one in self._flows for value, gather in self._stacked(one, limit).items()}
        states = self._guarded(gathers, lengths) if lengths else self._with_results(gathers)
        values = {self._draft.end(one.following) for one in states}
        counts = [one for one in self._counters if not self._only_counts(one, elements)]
        if not elements or not len(gathers) == len(self._flows) > 0 or not values.issuperset(gathers):
            return
        places = self._places(gathers)
        if not counts or places is not None:
            taken = [ScanElement(one.now, places) for one in counts if places is not None]
            self._make(elements, taken, gathers, limit, states)

    # --- conditions -------------------------------------------------------------------------------

    def _is_counter(self, one: LoopVariable) -> bool:
        match one.first, self._draft.pieces.get(self._draft.end(one.following).node):
            case Given(int(0)), CallPiece(callee=ADD.name, arguments=((_, Produced(end)), (_, Given(int(1))))):
                return self._draft.end(end) == one.now and not self._is_read(one)
            case _:
                return False

    def _is_read(self, one: LoopVariable) -> bool:
        """Whether anything reads a variable after the loop."""
        return one.last is not None and (bool(self._stores.users[one.last]) or one.last.node in self._draft.served)

    def _is_count(self, value: Operand) -> bool:
        return isinstance(value, Produced) and self._draft.end(value.end) in [one.now for one in self._counters]

    def _lengths(self, limit: Operand) -> Operand | None:
        """The lengths of the examples, if a limit is the largest of them, or 1."""
        match self._stores.made(limit):
            case CallPiece(callee=MINIMUM.name, arguments=((_, most), (_, least))):
                match self._stores.made(least):
                    case CallPiece(callee=MAXIMUM.name, arguments=((_, Given(1)), (_, longest))):
                        made = self._stores.made(longest)
                        if not _is_call(made, REDUCE_MAX.name) or self._stores.is_same(most, longest):
                            return None
                        return made.arguments[0][1] if len(made.arguments) == 1 else None
                    case _:
                        return None
            case _:
                return None

    def _with_results(self, gathers: dict[Endpoint, CallPiece]) -> list[LoopVariable]:
        """The variables, and the results that are none but whose shapes are known, which become variables."""
        values = {self._draft.end(one.following) for one in self._states}
        found = [*self._states]
        for flow in self._flows:
            for value in self._stacked_values(flow):
                first = self._zeros(flow, value) if value not in values else None
                if first is not None:
                    found.append(LoopVariable(flow.now, first, value, None))
        return found

    def _zeros(self, flow: LoopVariable, result: Endpoint) -> Operand | None:
        """Zeros of the shape of a result: the result of an example that has ended, or of the shape of all elements."""
        match self._stores.made(Produced(result)):
            case CallPiece(callee=WHERE.name, arguments=(_, (_, given), _), controls=()) if self._is_zeros(given):
                return given
            case _:
                pass
        empty = self._stores.empty(flow.first)
        given = {} if empty is None else dict(empty.arguments)
        match given.get("element_shape"), given.get("dtype"):
            case Given(tuple(sizes)), Given("float32") if all(isinstance(size, int) for size in sizes):
                return Splat(0.0, cast(tuple[int, ...], sizes), "float32")  # `all` does not narrow them
            case _:
                return None

    def _guarded(self, gathers: dict[Endpoint, CallPiece], lengths: list[Operand | None]) -> list[LoopVariable]:
        """The variables of a loop that ends with the longest example, if it could go on, or else an empty list. An
        example that has ended keeps its values, and its results are 0. The results become variables."""
        length = lengths[0]
        if length is None or any(one is None or not self._stores.is_same(one, length) for one in lengths):
            return []
        if not all(self._ended(one.following, length, Produced(one.now)) for one in self._states):
            return []
        found = [*self._states]
        for flow in self._flows:
            for value in self._stacked_values(flow):
                first = self._ended(value, length, None)
                if first is None:
                    return []
                found.append(LoopVariable(flow.now, first, value, None))
        return found

    def _ended(self, value: Endpoint, length: Operand, wanted: Operand | None) -> Operand | None:
        """What an example that has ended gives instead of a value: the operand `wanted`, or else zeros."""
        match self._stores.made(Produced(value)):
            case CallPiece(callee=WHERE.name, arguments=((_, test), (_, given), _), controls=()):
                is_same = self._is_zeros(given) if wanted is None else self._stores.is_same(given, wanted)
                return given if is_same and self._is_past(test, length) else None
            case _:
                return None

    def _is_past(self, test: Operand, length: Operand) -> bool:
        match self._stores.made(test):
            case CallPiece(callee=GREATER_EQUAL.name, arguments=((_, count), (_, limit))):
                return self._is_count(count) and self._stores.is_same(limit, length)
            case _:
                return False

    def _is_zeros(self, value: Operand) -> bool:
        match value, self._stores.made(value):
            case Splat(number), _:
                return number == 0
            case _, CallPiece(callee=FILL.name, arguments=(_, (_, Given(number)))) as made:
                return number == 0 and self._draft.regions.get(made.node) != self._loop.node
            case _:
                return False

    def _limits(self) -> list[Operand]:
        """The limits of the counters, or an empty list if the condition tests anything else."""
        limits: list[Operand] = []
        todo: list[Operand] = [Produced(self._loop.condition)]
        while todo:
            match self._stores.made(todo.pop()):
                case CallPiece(callee=LOGICAL_AND.name, arguments=((_, left), (_, right))):
                    todo += [left, right]
                case CallPiece(callee=LESS.name, arguments=((_, count), (_, limit))) if self._is_count(count):
                    limits.append(self._at_most(limit))
                case _:
                    return []
        return limits

    def _at_most(self, limit: Operand) -> Operand:
        """A size, if a limit is the smaller one of the size and the larger one of 1 and the size."""
        match self._stores.made(limit):
            case CallPiece(callee=MINIMUM.name, arguments=((_, size), (_, other))):
                match self._stores.made(other):
                    case CallPiece(callee=MAXIMUM.name, arguments=((_, Given(1)), (_, same))):
                        return size if self._stores.is_same(size, same) else limit
                    case _:
                        return limit
            case _:
                return limit

    def _elements(self) -> list[IndexPiece]:
        """The elements that the body reads at the position of a counter."""
        found: list[IndexPiece] = []
        for name in self._stores.taken:
            match self._draft.pieces.get(name):
                case IndexPiece(specs=(Produced() as index,)) as piece if self._is_count(index):
                    found += [piece] if self._draft.regions.get(name) == self._loop.node else []
                case _:
                    pass
        return found

    def _stacked(self, flow: LoopVariable, limit: Operand) -> dict[Endpoint, CallPiece]:
        """The value that the loop writes to an array, with the op that gathers all of these values after the loop.
        Empty if the array is used in any other way."""
        stores = self._stores
        empty, gathers = stores.empty(flow.first), stores.gathers(flow)
        if empty is None or len(gathers) != 1 or not stores.is_same(stores.size(empty), limit):
            return {}
        return dict.fromkeys(self._stacked_values(flow), gathers[0])

    def _stacked_values(self, flow: LoopVariable) -> list[Endpoint]:
        """The value that an iteration writes to an array at the position of a counter."""
        empty = self._stores.empty(flow.first)
        written = None if empty is None else self._stores.written(flow, empty)
        match written:
            case (index, Produced(end)) if self._is_count(index):
                return [self._draft.end(end)]
            case _:
                return []

    def _only_counts(self, counter: LoopVariable, elements: list[IndexPiece]) -> bool:
        """Whether a counter is only used to count, and as the position of elements that are read or written."""
        taken = {one.node for one in elements}
        step = self._draft.end(counter.following).node
        return all(
            user.node in taken
            or user.node == step
            or (isinstance(user, CallPiece) and user.callee in (LESS.name, _WRITE, _SET_ITEM))
            for user in self._stores.users[counter.now]
        )

    def _places(self, gathers: dict[Endpoint, CallPiece]) -> Operand | None:
        """The numbers from 0 up to the limit, which an array of TensorFlow 1 is gathered with."""
        return next((dict(one.arguments).get("indices") for one in gathers.values()), None)

    # --- rewriting --------------------------------------------------------------------------------

    def _make(
        self,
        elements: list[IndexPiece],
        counts: list[ScanElement],
        gathers: dict[Endpoint, CallPiece],
        limit: Operand,
        states: list[LoopVariable],
    ) -> None:
        draft, loop = self._draft, self._loop
        ends: list[Endpoint] = []
        for one in states:
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
            variables=tuple(LoopVariable(one.now, one.first, one.following, None) for one in states),
            condition=states[0].following,
            elements=(*(ScanElement(one.ends[0], self._stores.whole(one, limit)) for one in elements), *counts),
        )
