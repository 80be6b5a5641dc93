"""Rewrites pieces with other operands, to turn a part of a program into the body of a function and to compare parts."""

from collections.abc import Callable
from typing import assert_never, cast

from ..narrowing import is_list
from ..program import HostValue
from ..record import Record, replace
from ..types import DTYPE_NAMES, Dim, TensorType
from .constants import LiftedParameter
from .draft import (
    BackEdge,
    CallPiece,
    FunctionCallPiece,
    FunctionName,
    Given,
    IndexPiece,
    LiftedPiece,
    Listed,
    LoopPiece,
    LoopVariable,
    Operand,
    Produced,
    ScanElement,
    ScanPiece,
    Splat,
    VariablePiece,
)
from .graph import Endpoint


class CannotRewrite(Exception):
    """Raised for a piece that cannot be part of a function."""


class Rewrite(Record):
    """Functions that return replacements: for a number, a string or a list of floats (given the name of its parameter
    in the op, and its dtype), for a size in a shape, for an endpoint that is read, for an endpoint that is made, and
    for the name of a node."""

    number: "Callable[[HostValue, str, str], HostValue | LiftedParameter]"
    size: Callable[[int], Dim]
    read: Callable[[Endpoint], Operand]
    made: Callable[[Endpoint], Endpoint]
    name: Callable[[str], str]

    def piece(self, piece: LiftedPiece) -> LiftedPiece:
        named = {"node": self.name(piece.node), "ends": tuple(map(self.made, piece.ends)),
                 "controls": tuple(map(self.name, piece.controls))}  # fmt: skip
        match piece:
            case CallPiece(arguments=arguments) | FunctionCallPiece(arguments=arguments):
                return replace(piece, **named, arguments=tuple((key, self.operand(one, key)) for key, one in arguments))
            case IndexPiece(x=x, specs=specs):
                return replace(piece, **named, x=self.operand(x), specs=tuple(map(self._spec, specs)))
            case VariablePiece(type=type, initial=initial):
                return replace(piece, **named, type=self._type(type), initial=self.operand(initial))
            case ScanPiece(elements=elements):
                taken = tuple(ScanElement(self.made(one.now), self.operand(one.whole)) for one in elements)
                return replace(piece, **named, **self._loop(piece), elements=taken)
            case LoopPiece():
                return replace(piece, **named, **self._loop(piece))
            case _:
                raise CannotRewrite

    def operand(self, operand: Operand, key: str = "") -> Operand:
        match operand:
            case Given(value, dtype):
                return Given(self._value(value, key, dtype), dtype)
            case Splat(value, shape, dtype):
                filled, sizes = self._value(value, key, dtype), self._value(shape, "n", "")
                # Parameters too, which the repeated parts of a program have in place of values.
                return Splat(cast(HostValue, filled), cast(tuple[int, ...], sizes), dtype)
            case Produced(end):
                return self.read(end)
            case Listed(items):
                return Listed(tuple(self.operand(item, key) for item in items))
            case FunctionName() | BackEdge():
                raise CannotRewrite
            case _:
                assert_never(operand)

    def _value(
        self, value: "HostValue | bytes | LiftedParameter", key: str, dtype: str
    ) -> "HostValue | LiftedParameter":
        """Replace a value. The whole numbers of a list are replaced one by one, since they are sizes or axes; other
        lists are replaced as a whole."""
        match value:
            case tuple() if _is_whole(value):
                # Numbers of it may be parameters now.
                return cast(HostValue, tuple(self._value(one, key, dtype) for one in value))
            case bool() | bytes() | None | LiftedParameter():
                return value
            case str() if value in DTYPE_NAMES:
                return value
            case _:
                return self.number(value, key, dtype)

    def _type(self, type: TensorType) -> TensorType:
        shape = type.shape
        sizes = None if shape is None else tuple(self.size(one) if isinstance(one, int) else one for one in shape)
        return replace(type, shape=sizes)

    def _spec(self, spec: "str | Operand | tuple[Operand | None, ...]") -> "str | Operand | tuple[Operand | None, ...]":
        match spec:
            case str():
                return spec
            case tuple():
                return tuple(None if one is None else self.operand(one) for one in spec)
            case _:
                return self.operand(spec)

    def _loop(self, loop: LoopPiece) -> dict[str, object]:
        return {"variables": tuple(map(self._variable, loop.variables)), "condition": self.made(loop.condition)}

    def _variable(self, one: LoopVariable) -> LoopVariable:
        last = None if one.last is None else self.made(one.last)
        return LoopVariable(self.made(one.now), self.operand(one.first), self.made(one.following), last)


def _is_whole(values: object) -> bool:
    """Whether a list has whole numbers, or lists of them."""
    match values:
        case _ if is_list(values):
            return all(map(_is_whole, values))
        case bool():
            return False
        case _:
            return isinstance(values, int)
