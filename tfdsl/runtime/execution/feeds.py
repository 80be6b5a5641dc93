"""Converts fed values to the dtypes of their tensors, and checks them before TensorFlow does."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

import numpy as np

from ...diagnostics import FEED_DTYPE, FEED_ROUNDED, FEED_SHAPE, FEED_SIZE, MASKED, Diagnostic, Message, Note, TfgError
from ...diagnostics.spelling import shortened
from ...given import is_masked
from ...lowering.tf import tf
from ...program import Origin
from ...types import BECOMES, DIGITS, DTYPES, DType, SizeMismatch, TensorType, match_shape, shape_text

_NUMBERS = ("int", "uint", "float", "bool", "complex")  # how names of dtypes begin in pandas and polars

# NumPy's kinds, in words.
_KINDS = {
    "b": "bool", "i": "int", "u": "uint", "f": "float", "c": "complex", "S": "string", "U": "string", "O": "string",
}  # fmt: skip


def convert(
    value: object, type: TensorType, name: str, origin: Origin | None, warn: Callable[[Diagnostic], None] | None = None
) -> np.ndarray:
    """A fed value as an array with the tensor's dtype. Integers may become floats, but not the reverse. `warn` is
    called with a warning if they become other numbers."""
    if is_masked(value) or (isinstance(value, (list, tuple)) and any(map(is_masked, value))):
        raise _error(MASKED, origin, name=name)
    is_bytes = type.dtype.kind == "string" and not isinstance(value, (np.ndarray, np.generic))
    try:
        array = np.asarray(value, object if is_bytes else None)  # an array of bytes would lose zeros at the end
    except UnicodeDecodeError:  # text among bytes
        array = np.asarray(value, object)
    except ValueError:
        raise _error(FEED_SHAPE, origin, name=name, declared=type, actual="rows of different lengths") from None
    wanted = _numpy_dtype(type.dtype)
    if array.dtype == wanted and type.dtype.kind != "string":
        return array
    fields = [field[0] for field in (wanted.fields or {}).values()]
    if array.dtype in fields:  # quantized numbers, as a session returns them
        return np.ascontiguousarray(array).view(wanted)
    # An empty list has no kind: NumPy makes it float. Dtypes that NumPy does not know, such as bfloat16, have kind V.
    known = DTYPES.get(array.dtype.name)
    is_text = type.dtype.kind == "string"
    if array.dtype.kind == "O" and array.size and not is_text and all(isinstance(one, int) for one in array.flat):
        raise _error(FEED_DTYPE, origin, name=name, declared=type, actual="a whole number of more than 64 bits")
    kind = type.dtype.kind if array.size == 0 else known.kind if known else _KINDS.get(array.dtype.kind, "")
    if type.dtype.kind not in BECOMES.get(kind, ()):
        raise _error(FEED_DTYPE, origin, _without_text(value), name=name, declared=type, actual=_shown(array))
    if type.dtype.kind == "string":
        array = array.astype(object)
        for one in array.flat:
            if not isinstance(one, (str, bytes)):
                raise _error(FEED_DTYPE, origin, name=name, declared=type, actual=repr(one))
        return array
    with np.errstate(over="ignore"):
        result = array.astype(wanted)
    if kind in ("int", "uint") and type.dtype.kind in ("int", "uint") and not np.array_equal(result, array):
        raise _error(FEED_DTYPE, origin, name=name, declared=type, actual="numbers that it cannot hold")
    if warn is not None and type.dtype.name in DIGITS:
        different = _changed(array, result, DIGITS[type.dtype.name][0])
        if different.any():
            at = np.unravel_index(np.argmax(different), different.shape)
            details = {"name": name, "dtype": type.dtype, "value": array[at], "rounded": f"{result[at].real:.0f}"}
            warn(Diagnostic(FEED_ROUNDED, origin.span if origin else None, details))
    return result


def _shown(array: np.ndarray) -> str:
    """A value that cannot be fed, in words: an element that is no number, or the dtype and shape of the array."""
    numbers = (bool, int, float, complex, np.bool, np.number)
    other = next((one for one in array.flat if not isinstance(one, numbers)), 0) if array.dtype.kind in "USO" else 0
    match other:
        case str() if array.shape == () or array.dtype.kind == "O":
            text = f'the string "{shortened(other, 30)}"'
        case None:
            text = "None"
        case str() | bytes() | int():
            kind = "string" if array.dtype.kind in "US" else array.dtype
            return f"{kind}{shape_text(array.shape) if array.shape else ''}"
        case _:
            text = f"an object of the class {type(other).__name__}"
    return text if array.shape == () else f"{'a list' if array.ndim == 1 else 'lists'} with {text}"


@cache
def _numpy_dtype(dtype: DType) -> np.dtype:
    return np.dtype(object if dtype.kind == "string" else tf.as_dtype(dtype.name).as_numpy_dtype)


def _changed(array: np.ndarray, result: np.ndarray, digits: int) -> np.ndarray | np.bool:
    """Where integers changed or became infinite in a dtype with this many bits of precision."""
    if array.dtype.kind not in "iu":
        return np.isinf(result) & ~np.isinf(array)
    if array.dtype.itemsize * 8 <= digits:
        return np.False_
    with np.errstate(invalid="ignore"):
        return np.real(result).astype(array.dtype) != array


def check_shapes(feeds: Iterable[tuple[str, TensorType, np.ndarray, Origin | None]]) -> None:
    """Check ranks, sizes and named sizes of all values that are fed together."""
    bound: dict[str, tuple[int, str]] = {}
    for name, type, array, origin in feeds:
        try:
            match_shape(type.shape, array.shape, bound, name=name)
        except SizeMismatch as error:
            if error.size:
                raise _error(
                    FEED_SIZE, origin, size=error.size, first=error.first, first_name=error.first_name,
                    second=error.second, second_name=name,
                ) from None  # fmt: skip
            single = "a single string" if type.dtype.kind == "string" else "a single number"
            actual = f"{type.dtype}{shape_text(array.shape)}" if array.shape else single
            raise _error(FEED_SHAPE, origin, _as_column(type, array), name=name, declared=type, actual=actual) from None


def _as_column(type: TensorType, array: np.ndarray) -> str:
    """A help line if one number per row is fed to a placeholder with one column, or the reverse. "" otherwise."""
    if type.rank == 2 and array.ndim == 1 and type.shape and type.shape[1] == 1:
        return "make it a column: value.reshape(-1, 1)"
    if type.rank == 1 and array.ndim == 2 and array.shape[1] == 1:
        return "take its column: value[:, 0]"
    return ""


# Recognises the tables of any library without importing it.
def _without_text(value: Any) -> str:
    """A help line for a fed table that has columns without numbers. "" for anything else."""
    if not hasattr(value, "columns") or not hasattr(value, "dtypes"):
        return ""
    kinds = {str(name): str(dtype) for name, dtype in zip(value.columns, value.dtypes, strict=True)}
    other = {name: kind for name, kind in kinds.items() if not kind.lower().startswith(_NUMBERS)}
    if not other:
        return ""
    shown = shortened(", ".join(f"{name} ({kind})" for name, kind in other.items()), 60)
    way = "feed the columns that are numbers, or give the table as data, which can encode text"
    return f"the table has columns that are not numbers: {shown}; {way}"


def _error(message: Message, origin: Origin | None, help: str = "", **details: object) -> TfgError:
    span, chain = (origin.span, origin.chain) if origin else (None, ())
    notes: tuple[Note, ...] = ()
    return TfgError([Diagnostic(message, span, details, notes, help, chain)])
