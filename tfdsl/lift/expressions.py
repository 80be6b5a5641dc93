"""Expressions of a lifted program: calls, operators and indices, nested in one another."""

import re

from ..narrowing import is_list
from ..ops import OPS
from ..ops.named import ZEROS
from ..ops.op import REQUIRED, Op
from ..ops.raw import PREFIX
from ..record import field, replace
from ..types import DTYPE_NAMES, FLOAT32, Size
from .constants import LiftedParameter, usual_dtype, value_text
from .draft import (
    BackEdge,
    BlockPiece,
    CallPiece,
    FunctionCallPiece,
    FunctionName,
    Given,
    IndexPiece,
    LiftedPiece,
    Listed,
    Operand,
    Produced,
    Splat,
    StoredPiece,
    VariablePiece,
    has_tensor,
    is_raw,
)
from .exact import ARRAYS
from .expression_text import ATOM, COMPARISON, LEVELS, UNARY, ExpressionText
from .folds.operands import operand
from .graph import Endpoint
from .references import References, last_part, place_in

_OF_NOTHING = FLOAT32.name  # the dtype of an empty list


class ExpressionWriter(References):
    """Writes expressions of a draft."""

    nested: set[Endpoint] = field(default_factory=set[Endpoint])  # the values that a later statement contains
    whole: str = ""  # the loop whose condition is being written, as one expression

    def _initializer(self, piece: VariablePiece) -> str | None:
        """A call that makes the initial value, without its shape, if the variable has that shape."""
        initial = piece.initial
        if not isinstance(initial, Produced):
            return None
        end = self.draft.end(initial.end)
        made = self.draft.pieces.get(end.node)
        if not isinstance(made, CallPiece) or end not in self.nested:
            return None
        number = filled(made, piece)
        if number is not None:
            return ZEROS.name if number.value == 0 else value_text(number.value, number.dtype)
        if made.callee not in OPS or not OPS[made.callee].makes_shape:
            return None
        (_, shape), *others = made.arguments
        if not isinstance(shape, Given) or sizes_of(shape.value) != piece.type.shape:
            return None
        parts = [f"{name}={self._operand(value).text}" for name, value in others if name != "dtype"]
        return f"{made.callee}({', '.join(parts)})" if parts else made.callee

    def _is_named(self, piece: LiftedPiece) -> bool:
        """Whether a node has a name of its own, rather than the name of its op, which TensorFlow gives by default."""
        last = re.sub(r"_\d+$", "", last_part(piece.node)).lower()
        if not isinstance(piece, CallPiece) or piece.node not in self.draft.graph.nodes:
            return False
        usual = (self.draft.graph.nodes[piece.node].op, piece.callee.removeprefix(PREFIX))
        return not any(one.lower().replace("_", "").startswith(last.replace("_", "")) for one in usual)

    def _result(self, end: Endpoint) -> str:
        """What a branch gives, which is a tensor."""
        value = operand(self.draft, end)
        text = self._tensor(value)
        return f"constant({text})" if isinstance(value, Given) and not text.startswith("constant(") else text

    def _tensor(self, value: Operand) -> str:
        """An operand where a list would mean several tensors."""
        text = self._raw_operand(value).text
        is_list = isinstance(value, Given) and isinstance(value.value, tuple)
        return f"constant({text})" if is_list and not text.startswith("constant(") else text

    def _value(self, piece: LiftedPiece, end: Endpoint) -> ExpressionText:
        """A value that a piece makes. The result of a raw call can be a list of values."""
        made = self._expression(piece)
        return replace(made, text=made.text + place_in(self.draft, end)) if is_raw(piece) else made

    def _expression(self, piece: LiftedPiece) -> ExpressionText:
        match piece:
            case CallPiece(callee=callee, arguments=arguments):
                op = OPS.get(callee)
                return self._raw(callee, arguments) if op is None else self._call(op, arguments)
            case IndexPiece(x=x, specs=specs):
                base = self._operand(x)
                return ExpressionText(f"{base.within(ATOM)}[{', '.join(map(self._spec, specs))}]", depth=base.depth + 1)
            case StoredPiece(node=node, key=key):
                return ExpressionText(f'stored("{key or node}", from="{self.draft.arrays or ARRAYS}")', depth=1)
            case FunctionCallPiece(function=function, arguments=arguments):
                texts = [self._passed(name, value) for name, value in arguments]
                depth = max((one.depth for one in texts), default=0)
                return ExpressionText(f"{function}({', '.join(one.text for one in texts)})", depth=depth + 1)
            case _:
                raise AssertionError(piece)

    def _passed(self, name: str, value: Operand) -> ExpressionText:
        """An argument of a call of a function: tensors by position, and numbers by name."""
        text = self._operand(value)
        return text if isinstance(value, Produced) else ExpressionText(f"{name}={text.text}", depth=text.depth)

    def _spec(self, spec: str | Operand | tuple[Operand | None, ...]) -> str:
        match spec:
            case "new":
                return "none"
            case str():
                return spec
            case (start, stop, step):
                first, last = ("" if one is None else self._operand(one).text for one in (start, stop))
                return f"{first}:{last}" + ("" if step is None else f":{self._operand(step).text}")
            case Given() | Splat() | FunctionName() | Produced() | Listed():
                return self._operand(spec).text
            case _:
                raise AssertionError(spec)

    def _call(self, op: Op, arguments: tuple[tuple[str, Operand], ...]) -> ExpressionText:
        values = dict(arguments)
        if op.operator in LEVELS and list(values) == [param.name for param in op.params if param.default is REQUIRED]:
            made = self._operator(op, list(values.values()))
            if made is not None:
                return made
        parts: list[str] = []
        depth, by_position = 0, True
        for param in op.params:
            if param.name not in values:
                by_position = False
                continue
            value = values[param.name]
            text = self._argument(op, param.name, value, values)
            by_position = by_position and not param.by_name and (param.is_tensor or param.kind == "dtype")
            by_position = by_position and param.name not in op.modes
            parts.append(text.text if by_position else f"{param.name}={text.text}")
            depth = max(depth, text.depth)
        return ExpressionText(f"{op.name}({', '.join(parts)})", depth=depth + 1)

    def _operator(self, op: Op, operands: list[Operand]) -> ExpressionText | None:
        """An operator with its operands, of which one at least is a tensor."""
        if all(isinstance(one, (Given, Splat)) for one in operands):
            return None
        level = LEVELS[op.operator]
        texts = [self._operand(one) for one in operands]
        depth = max(one.depth for one in texts) + 1
        if len(texts) == 1:
            sign = op.operator.removeprefix("unary ")
            return ExpressionText(f"{sign}{' ' if sign.isalpha() else ''}{texts[0].within(level)}", level, depth)
        left, right = texts
        is_right = op.operator == "**"
        first = left.within(level + (is_right or level == COMPARISON))
        second = right.within(level + (not is_right))
        return ExpressionText(f"{first} {op.operator} {second}", level, depth)

    def _argument(self, op: Op, name: str, value: Operand, values: dict[str, Operand]) -> ExpressionText:
        """An argument. A value whose dtype does not follow from the tensors beside it says which it has."""
        param = next(one for one in op.params if one.name == name)
        if param.kind == "dtype" and isinstance(value, Given):
            return ExpressionText(str(value.value))
        text = self._operand(value)
        if not isinstance(value, Given) or not value.dtype or not param.is_tensor or param.kind == "shape":
            return text
        beside = [other for other in op.params if other.group == param.group and other.name != name]
        is_clear = any(has_tensor(values.get(other.name)) or (other.kind == "dtype" and other.name in values)
                       for other in beside)  # fmt: skip
        if param.group in DTYPE_NAMES or is_clear or usual_dtype(value.value) == value.dtype:
            return text
        return ExpressionText(f"constant({text.text}, dtype={value.dtype})", depth=1)

    def _raw(self, callee: str, arguments: tuple[tuple[str, Operand], ...]) -> ExpressionText:
        texts = [(name, self._raw_operand(value)) for name, value in arguments]
        depth = max((text.depth for _, text in texts), default=0)
        return ExpressionText(f"{callee}({', '.join(f'{name}={text.text}' for name, text in texts)})", depth=depth + 1)

    def _raw_operand(self, value: Operand) -> ExpressionText:
        """An input of a raw call, with its dtype."""
        match value:
            case Given(given, dtype) if dtype and (usual_dtype(given) or _OF_NOTHING) != dtype:
                return ExpressionText(f"constant({self._operand(value).text}, dtype={dtype})", depth=1)
            case Listed(items):
                texts = [self._raw_operand(item) for item in items]
                depth = max((one.depth for one in texts), default=0)
                return ExpressionText(f"[{', '.join(one.text for one in texts)}]", depth=depth)
            case _:
                return self._operand(value)

    def _operand(self, operand: Operand) -> ExpressionText:
        match operand:
            case Given(value, dtype):
                text = value_text(value, dtype)
                return ExpressionText(text, UNARY if text.startswith("-") else ATOM)
            case Splat(value, shape, dtype):
                number = value_text(value, dtype)
                of = "" if dtype in ("float32", "int32") else f", dtype={dtype}"
                return ExpressionText(f"constant({number}, shape={list(shape)}{of})", depth=1)
            case FunctionName(name):
                return ExpressionText(self.functions.get(name) or value_text(name, "string"))
            case Listed(items):
                texts = [self._operand(item) for item in items]
                depth = max((one.depth for one in texts), default=0)
                return ExpressionText(f"[{', '.join(one.text for one in texts)}]", depth=depth)
            case Produced(end):
                end = self.draft.end(end)
                made = self.draft.pieces.get(end.node)
                if end in self.nested:
                    return self._value(self.draft.pieces[self._owner(end.node)], end)
                is_whole = self.whole != "" and self.draft.regions.get(end.node) == self.whole
                if made is not None and is_whole and not isinstance(made, BlockPiece):
                    return self._value(made, end)
                return ExpressionText(self._reference(end))
            case BackEdge(end):
                return ExpressionText(f"later {self._reference(end)}")


def filled(made: CallPiece, piece: VariablePiece) -> Given | None:
    """The number that fills the shape of a variable."""
    match made.arguments:
        case (("dims", Given(shape)), ("value", Given() as value)) if sizes_of(shape) == piece.type.shape:
            return value
        case _:
            return None


def sizes_of(value: object) -> object:
    """A list of sizes as the shape that it is."""
    match value:
        case _ if is_list(value) and isinstance(value, tuple):
            return tuple(Size(one.name) if isinstance(one, LiftedParameter) else one for one in value)
        case _:
            return value
