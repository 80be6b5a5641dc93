"""Source of a draft: names, nested expressions, blocks."""

import keyword
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ..analysis.calls.builtins import BUILTINS
from ..ops import OPS
from ..ops.op import REQUIRED, Op
from ..ops.optimizers import OPTIMIZERS
from ..record import Record, State, field
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES
from .constants import type_text, value_text
from .draft import (
    CallPiece,
    Draft,
    Given,
    IndexPiece,
    Listed,
    Made,
    Operand,
    Piece,
    PlaceholderPiece,
    Splat,
    StepPiece,
    StoredPiece,
    SummaryPiece,
    VariablePiece,
    ends_of,
)
from .graph import Endpoint

_WIDTH = 100  # of a line with a nested expression
_DEEPEST = 4  # nested calls in one expression
_TAKEN = {*OPS, *BUILTINS, *OPTIMIZERS, *DTYPE_NAMES, *CONSTANTS, *keyword.kwlist, "elif", "raw", "stored", "training",
          "later"}  # fmt: skip

# How tightly operators bind, as in Python.
_ATOM, _POWER, _UNARY, _PRODUCT, _SUM, _COMPARISON, _NOT, _AND, _OR, _CHOICE = range(9, -1, -1)
_LEVELS = {"**": _POWER, "*": _PRODUCT, "/": _PRODUCT, "//": _PRODUCT, "%": _PRODUCT, "@": _PRODUCT, "+": _SUM,
           "-": _SUM, "and": _AND, "or": _OR, "not": _NOT, "unary -": _UNARY,
           **dict.fromkeys(("<", ">", "<=", ">=", "==", "!="), _COMPARISON)}  # fmt: skip


class Text(Record):
    """An expression: its text, how tightly it binds, and how many calls it nests."""

    text: str
    level: int = _ATOM
    depth: int = 0

    def within(self, level: int) -> str:
        """The text as an operand of an operator."""
        return self.text if self.level >= level else f"({self.text})"


class Writer(State):
    """Writes a draft. `arrays` is the name of the file with large constants. Names of nodes are kept for the pieces
    `kept`: the program names such a node, if it would not have this name by itself."""

    draft: Draft
    arrays: str
    kept: frozenset[str] = frozenset()
    names: dict[Endpoint, str] = field(default_factory=dict[Endpoint, str])  # of what statements bind
    taken: set[str] = field(default_factory=set[str])
    lines: list[str] = field(default_factory=list[str])
    texts: dict[Endpoint, Text] = field(default_factory=dict[Endpoint, Text])  # of what is nested in a later statement

    def write(self, roots: Iterable[str]) -> str:
        """The source of these pieces and all that they need."""
        pieces = self._ordered(roots)
        uses = Counter(end for piece in pieces for one in piece.operands() for end in ends_of(one))
        waited = {name for piece in pieces for name in piece.controls}
        root = set(roots)
        for at, piece in enumerate(pieces):
            alone = len(piece.ends) == 1 and uses[piece.ends[0]] == 1 and not piece.controls and piece.node not in root
            if isinstance(piece, (CallPiece, IndexPiece)) and alone and piece.node not in waited:
                text = self._expression(piece)
                if text.depth <= _DEEPEST and len(text.text) <= _WIDTH - 20 and self._is_next(pieces[at + 1 :], piece):
                    self.texts[piece.ends[0]] = text
                    continue
            self._statement(piece)
        return "\n".join(self.lines) + "\n"

    def _is_next(self, later: list[Piece], piece: Piece) -> bool:
        """Whether the piece that uses this one is not inside an `after`."""
        end = piece.ends[0]
        user = next(one for one in later if any(end in ends_of(operand) for operand in one.operands()))
        return not user.controls

    def _ordered(self, roots: Iterable[str]) -> list[Piece]:
        """The pieces to write, each after those that it reads."""
        found: dict[str, Piece] = {}
        pieces = self.draft.pieces

        def visit(name: str) -> None:
            stack = [(name, False)]
            while stack:
                one, is_done = stack.pop()
                if one in found:
                    continue
                if is_done:
                    found[one] = pieces[one]
                else:
                    stack.append((one, True))
                    stack += [(other, False) for other in reversed(list(self._needed(pieces[one]))) if other not in found]

        order = {name: at for at, name in enumerate(self.draft.graph.nodes)}
        for name in sorted(roots, key=lambda one: order.get(one, len(order))):
            visit(name)
        return list(found.values())

    def _needed(self, piece: Piece) -> Iterator[str]:
        for one in piece.operands():
            for end in ends_of(one):
                yield self._owner(end.node)
        if isinstance(piece, StepPiece):
            yield from (end.node for end in piece.trained or ())
            if piece.global_step is not None:
                yield piece.global_step.node
        yield from self._controls(piece)

    def _owner(self, node: str) -> str:
        return node if node in self.draft.pieces else self.draft.inside[node]

    def _controls(self, piece: Piece) -> list[str]:
        """The pieces that a piece waits for. A constant is never waited for."""
        found: list[str] = []
        for name in piece.controls:
            owner = name if name in self.draft.pieces else self.draft.inside.get(name)
            if owner is not None and owner != piece.node and not isinstance(self.draft.pieces[owner], VariablePiece):
                found.append(owner)
        return list(dict.fromkeys(found))

    # --- statements -----------------------------------------------------------------------------

    def _statement(self, piece: Piece) -> None:
        controls = [self.names[self.draft.pieces[name].ends[0]] for name in self._controls(piece)]
        text = self._text(piece)
        if controls:
            self.lines += [f"after {', '.join(controls)}:", f"    {text}"]
        else:
            self.lines.append(text)

    def _text(self, piece: Piece) -> str:
        match piece:
            case PlaceholderPiece(type=type, default=default):
                initial = "" if default is None else f" = {self._operand(default).text}"
                name = self._name(piece.ends[0])
                return f"placeholder {name}: {type_text(type)}{initial}{self._as(piece, name)}"
            case VariablePiece():
                return self._variable(piece)
            case SummaryPiece(kind=kind, tag=tag, value=value):
                self._name(piece.ends[0])
                return f'summary {kind} {self._operand(value).text} as "{tag}"'
            case StepPiece():
                return self._step(piece)
            case StoredPiece():
                name = self._name(piece.ends[0])
                return f'{name} = stored("{piece.node}", from="{self.arrays}"){self._as(piece, name)}'
            case _:
                text = self._expression(piece).text
                names = ", ".join(self._name(end) for end in piece.ends)
                return f"{names} = {text}{self._as(piece, names) if len(piece.ends) == 1 else ''}"

    def _as(self, piece: Piece, name: str) -> str:
        """The name of the node, where that differs from the one that the program gives it."""
        return "" if piece.node == name or piece.node not in self.kept else f' as "{piece.node}"'

    def _variable(self, piece: VariablePiece) -> str:
        initial, name = piece.initial, self._name(piece.ends[0])
        options = "" if piece.is_trainable or piece.type.dtype.kind != "float" else ", trainable=false"
        declared = f": {type_text(piece.type)}"
        made = self._initializer(piece)
        if made is not None:
            text = made
        else:
            match initial:
                case Given(value, dtype) if value != () and _usual(value) == (dtype or piece.type.dtype.name):
                    declared, text = "", value_text(value, dtype)
                case Splat(value, _, dtype):
                    text = "zeros" if value == 0 else value_text(value, dtype)
                case _:
                    text = self._operand(initial).text
        return f"variable {name}{declared} = {text}{options}{self._as(piece, name)}"

    def _initializer(self, piece: VariablePiece) -> str | None:
        """A call that makes the initial value, without its shape, if the variable has that shape."""
        initial = piece.initial
        if not isinstance(initial, Made):
            return None
        made = self.draft.pieces.get(initial.end.node)
        if not isinstance(made, CallPiece) or initial.end not in self.texts or not OPS[made.callee].makes_shape:
            return None
        (_, shape), *others = made.arguments
        if not isinstance(shape, Given) or shape.value != piece.type.shape:
            return None
        parts = [f"{name}={self._operand(value).text}" for name, value in others if name != "dtype"]
        return f"{made.callee}({', '.join(parts)})" if parts else made.callee

    def _step(self, piece: StepPiece) -> str:
        call = f"{piece.optimizer}({', '.join(f'{name}={self._operand(value).text}' for name, value in piece.arguments)})"
        trained = "" if piece.trained is None else f" wrt {', '.join(self.names[end] for end in piece.trained)}"
        step = "" if piece.global_step is None else f", global_step={self.names[piece.global_step]}"
        if piece.gradients:
            listed = ", ".join(self._operand(one).text for one in piece.gradients)
            names = ", ".join(self.names[end] for end in piece.trained or ())
            head = f"apply [{listed}] to [{names}] with {call}{step}"
        else:
            head = f"optimize {self._operand(piece.loss).text} with {call}{step}{trained}"
        name = self._name(piece.ends[0])
        return head if piece.node == OPTIMIZERS[piece.optimizer].node else f"{head} as {name}"

    # --- expressions ----------------------------------------------------------------------------

    def _expression(self, piece: Piece) -> Text:
        match piece:
            case CallPiece(callee=callee, arguments=arguments):
                op = OPS.get(callee)
                return self._raw(callee, arguments) if op is None else self._call(op, arguments)
            case IndexPiece(x=x, specs=specs):
                base = self._operand(x)
                return Text(f"{base.within(_ATOM)}[{', '.join(map(self._spec, specs))}]", depth=base.depth + 1)
            case _:
                raise AssertionError(piece)

    def _spec(self, spec: str | Operand | tuple[Operand | None, ...]) -> str:
        match spec:
            case "new":
                return "none"
            case str():
                return spec
            case (start, stop, step):
                first, last = ("" if one is None else self._operand(one).text for one in (start, stop))
                return f"{first}:{last}" + ("" if step is None else f":{self._operand(step).text}")
            case Given() | Splat() | Made() | Listed():
                return self._operand(spec).text
            case _:
                raise AssertionError(spec)

    def _call(self, op: Op, arguments: tuple[tuple[str | None, Operand], ...]) -> Text:
        values = {name: value for name, value in arguments if name is not None}
        if op.operator in _LEVELS and list(values) == [param.name for param in op.params if param.default is REQUIRED]:
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
            by_position = by_position and not param.by_name and param.is_tensor
            parts.append(text.text if by_position else f"{param.name}={text.text}")
            depth = max(depth, text.depth)
        return Text(f"{op.name}({', '.join(parts)})", depth=depth + 1)

    def _operator(self, op: Op, operands: list[Operand]) -> Text | None:
        """An operator with its operands, of which one at least is a tensor."""
        if all(isinstance(one, (Given, Splat)) for one in operands):
            return None
        level = _LEVELS[op.operator]
        texts = [self._operand(one) for one in operands]
        depth = max(one.depth for one in texts) + 1
        if len(texts) == 1:
            sign = op.operator.removeprefix("unary ")
            return Text(f"{sign}{' ' if sign.isalpha() else ''}{texts[0].within(level)}", level, depth)
        left, right = texts
        is_right = op.operator == "**"
        first = left.within(level + (is_right or level == _COMPARISON))
        second = right.within(level + (not is_right))
        return Text(f"{first} {op.operator} {second}", level, depth)

    def _argument(self, op: Op, name: str, value: Operand, values: dict[str, Operand]) -> Text:
        """An argument. A value whose dtype does not follow from the tensors beside it says which it has."""
        param = next(one for one in op.params if one.name == name)
        if param.kind == "dtype" and isinstance(value, Given):
            return Text(str(value.value))
        text = self._operand(value)
        if not isinstance(value, Given) or not value.dtype or not param.is_tensor or param.kind == "shape":
            return text
        beside = [other for other in op.params if other.group == param.group and other.name != name]
        is_clear = any(_has_tensor(values.get(other.name)) or other.kind == "dtype" and other.name in values
                       for other in beside)  # fmt: skip
        if param.group in DTYPE_NAMES or is_clear or _usual(value.value) == value.dtype:
            return text
        return Text(f"constant({text.text}, dtype={value.dtype})", depth=1)

    def _raw(self, callee: str, arguments: tuple[tuple[str | None, Operand], ...]) -> Text:
        texts = [(name, self._raw_operand(value)) for name, value in arguments]
        depth = max((text.depth for _, text in texts), default=0)
        return Text(f"{callee}({', '.join(f'{name}={text.text}' for name, text in texts)})", depth=depth + 1)

    def _raw_operand(self, value: Operand) -> Text:
        """An input of a raw call, with its dtype."""
        text = self._operand(value)
        if isinstance(value, Given) and value.dtype and _usual(value.value) != value.dtype:
            return Text(f"constant({text.text}, dtype={value.dtype})", depth=1)
        return text

    def _operand(self, operand: Operand) -> Text:
        match operand:
            case Given(value, dtype):
                text = value_text(value, dtype)
                return Text(text, _UNARY if text.startswith("-") else _ATOM)
            case Splat(value, shape, dtype):
                number = value_text(value, dtype)
                of = "" if dtype in ("float32", "int32") else f", dtype={dtype}"
                return Text(f"constant({number}, shape={list(shape)}{of})", depth=1)
            case Listed(items):
                texts = [self._operand(item) for item in items]
                return Text(f"[{', '.join(one.text for one in texts)}]", depth=max((one.depth for one in texts), default=0))
            case Made(end):
                if end in self.texts:
                    return self.texts[end]
                return Text(self.names[end])

    # --- names ----------------------------------------------------------------------------------

    def _name(self, end: Endpoint) -> str:
        """The name that a statement binds."""
        if end not in self.names:
            *scopes, last = end.node.split("/")
            wanted = re.sub(r"\W", "_", last, flags=re.ASCII) + (f"_{end.output}" if end.output else "")
            if (wanted[0].isdigit() or wanted in _TAKEN) and scopes:
                wanted = f"{re.sub(r'[^A-Za-z_]', '_', scopes[-1])}_{wanted}"
            if wanted[0].isdigit() or wanted[0] == "_":
                wanted = f"value_{wanted.lstrip('_')}"
            name, number = wanted, 0
            while name in self.taken or name in _TAKEN:
                number += 1
                name = f"{wanted}_{number}"
            self.taken.add(name)
            self.names[end] = name
        return self.names[end]


def _usual(value: object) -> str:
    """The dtype that a value has where nothing else decides it."""
    match value:
        case bool():
            return "bool"
        case int():
            return "int32"
        case float():
            return "float32"
        case complex():
            return "complex128"
        case str() | bytes():
            return "string"
        case tuple() if value:
            kinds = {_usual(item) for item in value}
            return "float32" if kinds == {"int32", "float32"} else next(iter(kinds))
        case _:
            return ""


def _has_tensor(value: Operand | None) -> bool:
    match value:
        case Made():
            return True
        case Listed(items):
            return any(map(_has_tensor, items))
        case _:
            return False
