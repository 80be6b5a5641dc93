"""Conditions on columns, as `where` takes them.

A condition is a tree of tuples, each with its kind first: ("name", name, value) is a column, or a value of the program
if there is no such column; ("column", name), ("value", value), ("list", items), (operator, operand...), and ("compare",
operator, left, right).
"""

import operator
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

from ..diagnostics import CONDITION_TYPES, CONDITION_VALUE
from ..types import BOOL, STRING
from .schema import DataError, Schema, shown

if TYPE_CHECKING:
    import numpy as np

    from .tables import Block, Words

Condition: TypeAlias = Any  # tuples as above, told apart by patterns
_Cells: TypeAlias = Any  # an array or one value, of any dtype, as operators take them
UNKNOWN = ()  # the value of a name that the program does not have

COMPARISONS = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
ARITHMETIC = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow,
}  # fmt: skip

_WHOLE = ("+", "-", "*", "//", "%")  # whole numbers of whole numbers
_INT64 = 2.0**63 * (1 - 2**-50)


def columns_in(condition: Condition, schema: Schema) -> Iterator[str]:
    """The columns that a condition looks at, and names that are nothing."""
    match condition:
        case ("name", name, value):
            if schema.column(name) is not None or value == UNKNOWN:
                yield name
        case ("column", name):
            yield name
        case ("value", _):
            pass
        case ("compare", _, *parts) | (_, *parts):
            for part in parts:
                yield from columns_in(part, schema)


def texts_in(condition: Condition) -> Iterator[str]:
    """The texts in a condition."""
    match condition:
        case ("value", str() as text):
            yield text
        case ("name" | "column" | "value", *_):
            pass
        case (_, *parts):
            for part in parts:
                if isinstance(part, tuple):
                    yield from texts_in(part)


def looks_for_gaps(condition: Condition, schema: Schema) -> tuple[str, str] | None:
    """A column that a condition compares with `none`, `nan` or the like, and the operator. None if there is none."""
    match condition:
        case ("compare", word, left, right):
            for one, other in ((left, right), (right, left)):
                if one[0] in ("name", "column") and schema.column(one[1]) is not None and _is_nothing(other, schema):
                    return one[1], word
        case ("name" | "column" | "value", *_):
            return None
    return next(
        (found for one in condition[1:] if isinstance(one, tuple) and (found := looks_for_gaps(one, schema))), None
    )


def _is_nothing(part: Condition, schema: Schema) -> bool:
    """Whether a part of a condition stands for a missing value in other languages."""
    match part:
        case ("name", name, value) if value == UNKNOWN:
            return name.lower() in ("none", "nan", "null", "na") and schema.column(name) is None
        case ("name", _, value) | ("value", value):
            return value is None or (isinstance(value, float) and value != value)
    return False


def compared_with_themselves(condition: Condition) -> Iterator[str]:
    """The columns that a condition compares with themselves, as in `age == age`, which keeps the rows that have it."""
    match condition:
        case ("compare", "==", ("name" | "column", name, *_), ("name" | "column", other, *_)) if name == other:
            yield name
        case ("name" | "column" | "value", *_):
            pass
        case (_, *parts):
            for part in parts:
                yield from compared_with_themselves(part)


def checked(condition: Condition, schema: Schema) -> str:
    """What a part of a condition is: "text", "number", "truth" or "list". Refuses operators on other kinds."""
    match condition:
        case ("name", name, value):
            column = schema.column(name)
            return _kind_of(value) if column is None else _kind(column.dtype)
        case ("column", name):
            column = schema.column(name)
            assert column is not None  # checked before
            return _kind(column.dtype)
        case ("value", value):
            return _kind_of(value)
        case ("list", *items):
            kinds = {checked(item, schema) for item in items}
            return kinds.pop() if len(kinds) == 1 else "list"
        case ("and" | "or" | "not" as word, *parts):
            for part in parts:
                if (kind := checked(part, schema)) != "truth":
                    raise _not_taken(word, kind)
            return "truth"
        case ("compare", "in" | "not in" as word, left, right):
            kinds = checked(left, schema), checked(right, schema)
            if kinds[0] != kinds[1] or not _is_list(right):
                kinds = " and ".join(kinds) if _is_list(right) else "a single value"
                raise _not_taken(word, kinds)
            return "truth"
        case ("compare", word, left, right):
            kinds = checked(left, schema), checked(right, schema)
            if kinds[0] != kinds[1] or (kinds[0] == "truth" and word not in ("==", "!=")):
                raise _not_taken(word, " and ".join(kinds))
            return "truth"
        case (word, *parts):
            kinds = [checked(part, schema) for part in parts]
            if set(kinds) != {"number"}:
                raise _not_taken(word, " and ".join(kinds))
            return "number"
    raise AssertionError(condition)


def _not_taken(word: str, kinds: str) -> DataError:
    return DataError(CONDITION_TYPES, param="condition", operator=word, kinds=kinds, ways="")


def _is_list(condition: Condition) -> bool:
    match condition:
        case ("list", *_):
            return True
        case ("value", value) | ("name", _, value):
            return isinstance(value, tuple) and value != UNKNOWN
    return False


def _kind(dtype: object) -> str:
    return "text" if dtype == STRING else "truth" if dtype == BOOL else "number"


def _kind_of(value: object) -> str:
    if isinstance(value, tuple):
        kinds = {_kind_of(one) for one in value}
        return kinds.pop() if len(kinds) == 1 else "list"
    if isinstance(value, str):
        return "text"
    if isinstance(value, bool):
        return "truth"
    return "number" if isinstance(value, (int, float)) else shown(str(value))


def holds(condition: Condition, block: "Block", words: "Words") -> "np.ndarray":
    """For each row whether a condition holds. It does not if a cell that it looks at is missing."""
    import numpy as np

    from .tables import absent

    rows = len(next(iter(block.values())))
    known = np.ones(rows, bool)

    def value(part: Condition) -> _Cells:
        match part:
            case ("name", name, _) if name in block:
                return column(name)
            case ("column", name):
                return column(name)
            case ("name", _, found) | ("value", found):
                if found == UNKNOWN:
                    raise ValueError(f"there is no column {part[1]} here")
                return found
            case ("list", *items):
                return tuple(map(value, items))
            case ("and", left, right):
                return value(left) & value(right)
            case ("or", left, right):
                return value(left) | value(right)
            case ("not", inner):
                return np.logical_not(value(inner))
            case ("compare", "in" | "not in" as word, left, right):
                found = compared("==", value(left), None, tuple(value(right)))
                return found if word == "in" else np.logical_not(found)
            case ("compare", word, left, right):
                return compared(word, value(left), value(right))
            case ("-", inner):
                return -value(inner)
            case (word, left, right):
                return computed(word, value(left), value(right))
        raise AssertionError(part)

    def column(name: str) -> "np.ndarray":
        nonlocal known
        cells = block[name]
        known = known & ~absent(cells)
        if name in words:
            texts = np.array([*words[name], ""], object)  # a missing cell takes the last
            return texts[cells]
        return cells

    def computed(word: str, left: _Cells, right: _Cells) -> _Cells:
        """Arithmetic in float64, or in int64 for whole numbers whose result it can hold."""
        near = ARITHMETIC[word](np.float64(1) * left, np.float64(1) * right)
        kinds = np.asarray(left).dtype.kind + np.asarray(right).dtype.kind
        is_whole = kinds == "ii" and word in _WHOLE and bool((np.abs(near) < _INT64).all())
        return ARITHMETIC[word](left, right) if is_whole else near

    def compared(word: str, left: _Cells, right: _Cells, options: tuple[object, ...] | None = None) -> "np.ndarray":
        if options is not None:
            result = np.zeros(rows, bool)
            for option in options:
                result |= np.asarray(COMPARISONS["=="](left, option), bool)
            return result
        return np.asarray(COMPARISONS[word](left, right), bool)

    try:
        with np.errstate(all="raise", under="ignore"):
            found = np.broadcast_to(np.asarray(value(condition), bool), rows)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise DataError(CONDITION_VALUE, param="condition", reason=str(error)) from None
    return found & known
