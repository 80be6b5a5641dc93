"""Values that a graph holds: constants, attributes, and how source writes them."""

import math
from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from ..lowering.tf import AttrValue, tf, v1
from ..narrowing import is_list
from ..program import HostValue
from ..record import Record
from ..types import Size, TensorType
from .graph import GraphNode

MOST_IN_TEXT = 20  # the most numbers of a constant in source; larger constants go to a file


class LiftedParameter(Record):
    """A number that a function takes as a parameter. `like` is the number in one of its calls."""

    name: str
    like: "HostValue | bytes"


def constant_value(node: GraphNode) -> np.ndarray | None:
    """The value of a Const."""
    return v1.make_ndarray(node.attrs["value"].tensor) if node.op == "Const" else None


def dtype_name(number: int) -> str:
    """The name of a dtype in an attribute, without a reference."""
    return tf.as_dtype(number).base_dtype.name


def attribute(value: AttrValue) -> Any:  # of as many types as attributes have
    """The value of an attribute: dtypes by name, shapes as lists with None for unknown sizes, None for an unknown rank,
    tensors as arrays."""
    kind = value.WhichOneof("value")
    match kind:
        case None:
            return None
        case "s":
            return _text(value.s)
        case "type":
            return dtype_name(value.type)
        case "shape":
            return None if value.shape.unknown_rank else [None if d.size < 0 else d.size for d in value.shape.dim]
        case "tensor":
            return v1.make_ndarray(value.tensor)
        case "list":
            found = value.list
            if found.type:
                return [dtype_name(one) for one in found.type]
            if found.shape:
                return [attribute(AttrValue(shape=one)) for one in found.shape]
            if found.s:
                return [_text(one) for one in found.s]
            return [*found.i, *map(_shortest, found.f), *found.b, *found.func]
        case "f":
            return _shortest(value.f)
        case _:
            return getattr(value, kind)


def _shortest(value: float) -> float:
    """The number with the fewest digits that is the same float32."""
    return float(str(np.float32(value)))


def _text(value: bytes) -> str | bytes:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value


def plain(value: np.ndarray) -> Any:  # a number, or tuples as deep as the rank
    """An array as a number, a string or nested tuples of them."""
    return frozen(value.tolist())


def frozen(value: Any) -> Any:  # as deep as it is
    """The value with tuples for all lists, and text for bytes that are text."""
    if is_list(value):
        return tuple(map(frozen, value))
    return _text(value) if isinstance(value, bytes) else value


def is_splat(value: np.ndarray) -> bool:
    """Whether all elements of an array are the same bits."""
    flat = value.reshape(-1)
    return value.size > 1 and flat.dtype.kind in "fiub" and flat.tobytes() == flat[:1].tobytes() * flat.size


def type_text(type: TensorType) -> str:
    """A type as a placeholder has it: `float32[?, 784]`."""
    if type.shape is None:
        return f"{type.dtype}[...]"
    sizes = ", ".join(
        "?" if size is None else size.name if isinstance(size, Size) else str(size) for size in type.shape
    )
    return f"{type.dtype}[{sizes}]"


def value_text(value: object, dtype: str) -> str:
    """A number, string or list as source writes it. Floats have the fewest digits that give the same value back."""
    match value:
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case str():
            return _quoted(value)
        case bytes():
            return "b" + _quoted_bytes(value)
        case float():
            return _float_text(value, dtype)
        case complex():
            return f"complex({_float_text(value.real, dtype)}, {_float_text(value.imag, dtype)})"
        case _ if is_list(value):
            return f"[{', '.join(value_text(item, dtype) for item in value)}]"
        case int():
            return str(value)
        case LiftedParameter(name):
            return name
        case _:
            raise AssertionError(value)


def _float_text(value: float, dtype: str) -> str:
    if math.isnan(value):
        is_computed = math.copysign(1, value) == math.copysign(1, math.inf - math.inf)  # the processor chooses its sign
        return "(1e999 - 1e999)" if is_computed else "-(1e999 - 1e999)"
    if math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    short = str(np.float32(value)) if dtype == "float32" else repr(value)
    text = short if dtype != "float32" or np.float32(float(short)) == np.float32(value) else repr(value)
    return text if any(c in text for c in ".en") else f"{text}.0"


def _quoted(text: str) -> str:
    return '"' + "".join(map(_escaped, text)) + '"'


def _escaped(character: str) -> str:
    match character:
        case '"' | "\\":
            return f"\\{character}"
        case "\n":
            return "\\n"
        case "\t":
            return "\\t"
        case _ if character.isprintable():
            return character
        case _:
            code = ord(character)
            return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65536 else f"\\U{code:08x}"


def _quoted_bytes(value: bytes) -> str:
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in (34, 92) else f"\\x{b:02x}" for b in value) + '"'


def usual_dtype(value: object) -> str:
    """The dtype of a value if nothing else decides it."""
    match value:
        case LiftedParameter(like=like):
            return usual_dtype(like)
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
            kinds = {
                usual_dtype(item) for item in cast(Sequence[object], value)
            }  # the pattern does not know the element type
            return "float32" if kinds == {"int32", "float32"} else next(iter(kinds))
        case _:
            return ""
