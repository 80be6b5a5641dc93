"""Writes the nodes and values of a program as phrases, in the syntax of the language."""

from collections.abc import Callable, Mapping
from typing import assert_never

from ..diagnostics.spelling import bytes_text, visible
from ..lift.expression_text import ATOM, LEVELS
from ..ops.op import REQUIRED, Op
from ..program import Arg, Back, Field, HostValue, Literal, Node, Pack, Ref, Refs, Static
from ..record import Record, replace
from ..types import DType
from .inventory import Mention, Phrase, joined

_CHOICE = ["condition", "x", "y"]


class Expression(Record):
    """A phrase of an expression, and how tightly it binds."""

    phrase: Phrase
    level: int = ATOM

    def within(self, level: int) -> Phrase:
        """The phrase as an operand of an operator."""
        match self.phrase:
            case (Mention() as one,):
                return (replace(one, within=level),)
            case _:
                return bracketed(self.phrase, self.level, level)


def bracketed(phrase: Phrase, level: int, within: int) -> Phrase:
    """A phrase in brackets, unless it binds tightly enough."""
    return phrase if level >= within else joined((("(",), phrase, (")",)))


def value_text(value: HostValue) -> str:
    """A value known while compiling, as the language writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return str(value).lower()
        case str():
            return f'"{visible(value)}"'
        case bytes():
            return bytes_text(value)
        case tuple():
            return f"[{', '.join(map(value_text, value))}]"
        case int() | float() | complex():
            return repr(value)


def literal_text(literal: Literal) -> str:
    """A literal. Numbers are written in the form of its dtype: 1 as a float32 is 1.0."""
    return value_text(_of_dtype(literal.value, literal.dtype))


def _of_dtype(value: HostValue, dtype: str) -> HostValue:
    if isinstance(value, tuple):
        return tuple(_of_dtype(one, dtype) for one in value)
    if isinstance(value, int) and not isinstance(value, bool) and "float" in dtype:
        return float(value) if abs(value) < 2**53 else value
    return value


class Expressions:
    """Writes the expressions of one graph. `tensor` writes a tensor, as a mention or as an expression. `data` writes
    the name of a data set."""

    def __init__(self, tensor: Callable[[Ref], Expression], data: Callable[[str], Phrase]):
        self._tensor, self._data = tensor, data

    def node(self, node: Node, omitted: Mapping[str, Arg] | None = None) -> Expression:
        """The expression that a node computes. Arguments with their default value, or with the value that `omitted`
        has for them, are left out."""
        row = node.row
        given = {name: arg for name, arg in node.args.items() if not _is_default(row, name, arg)}
        given = {name: arg for name, arg in given.items() if (omitted or {}).get(name) != arg}
        if node.is_index:
            return Expression(joined((self.argument(node.args["x"]).within(ATOM), ("[",), self._index(node), ("]",))))
        if row is None:
            parts = [joined(((f"{name}=",), self.argument(given[name]).phrase)) for name in sorted(given)]
            return Expression(joined(((f"{node.op}(",), joined(parts, ", "), (")",))))
        required = [param.name for param in row.params if param.default is REQUIRED]
        if row.operator == "if" and len(given) == len(_CHOICE):
            required = _CHOICE
        if row.operator in LEVELS and given.keys() == set(required):
            return self._operator(row, [self.argument(given[name]) for name in required])
        parts: list[Phrase] = []
        by_position = True
        for param in row.params:
            if param.name not in given:
                by_position = False
                continue
            phrase = self._given(param.kind, given[param.name])
            by_position = by_position and param.default is REQUIRED
            parts.append(phrase if by_position else joined(((f"{param.name}=",), phrase)))
        others = [name for name in given if name not in row.named_params]
        parts += [joined(((f"{name}=",), self.argument(given[name]).phrase)) for name in others]
        return Expression(joined(((f"{node.op}(",), joined(parts, ", "), (")",))) if parts else (node.op,))

    def _given(self, kind: str, arg: Arg) -> Phrase:
        if kind == "dtype" and isinstance(arg, Static):
            return (str(arg.value),)
        return self.argument(arg).phrase

    def _operator(self, row: Op, operands: list[Expression]) -> Expression:
        sign, level = row.operator, LEVELS[row.operator]
        match operands:
            case [one]:
                return Expression(
                    joined(((sign.removeprefix("unary ") + " " * sign.isalpha(),), one.within(level))), level
                )
            case [one, two]:
                is_right, is_chained = sign == "**", level == LEVELS["<"]
                pair = one.within(level + (is_right or is_chained)), two.within(level + (not is_right))
                return Expression(joined(pair, f" {sign} "), level)
            case _:
                condition, one, two = (operand.within(level + 1) for operand in operands)
                return Expression(joined((one, (" if ",), condition, (" else ",), two)), level)

    def _index(self, node: Node) -> Phrase:
        items = node.items("index")
        return joined(
            (
                joined((self._bound(one) for one in item.items[: 2 + (item.items[2] != Static(None))]), ":")
                if isinstance(item, Refs)
                else self.argument(item).phrase
                for item in items
            ),
            ", ",
        )

    def _bound(self, arg: Arg) -> Phrase:
        return () if arg == Static(None) else self.argument(arg).phrase

    def argument(self, arg: Arg) -> Expression:
        match arg:
            case Ref():
                return self._tensor(arg)
            case Back(value):
                return self._tensor(value)
            case Literal():
                return Expression((literal_text(arg),))
            case Static(value):
                return Expression((value_text(value),))
            case Field():
                rest = str(arg).removeprefix(arg.data)
                return Expression(joined((self._data(arg.data), (rest,))))
            case Pack(items=items) | Refs(items=items):
                return Expression(joined((("[",), joined((self.argument(one).phrase for one in items), ", "), ("]",))))
            case _:
                assert_never(arg)


def _is_default(row: Op | None, name: str, arg: Arg) -> bool:
    """Whether an argument has its default value."""
    param = row.named_params.get(name) if row is not None else None
    if param is None or param.default is REQUIRED or not isinstance(arg, (Static, Literal)):
        return False
    if isinstance(param.default, DType):
        return arg.value == param.default.name
    default = tuple(param.default) if isinstance(param.default, list) else param.default
    return type(arg.value) is type(default) and arg.value == default
