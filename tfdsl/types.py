"""Types of the graph's values: dtypes, sizes, shapes.

A size (`Dim`) is an integer, a named size (`batch`), or None if it is unknown. A shape is a tuple of sizes, or
None if the rank is unknown. `Sizes` stores the facts about each named size, because a name means one size
everywhere in a graph.
"""

import math
import re
from typing import Any, TypeAlias

from .narrowing import is_list
from .record import Record, State, field
from .source import Span


class DType(Record):
    """An element type with TensorFlow's name. `kind` is float, int, uint, complex, bool, string, quantized or
    opaque."""

    name: str
    kind: str
    bits: int

    def __str__(self) -> str:
        return self.name

    @property
    def integers(self) -> range:
        """The numbers that an integer dtype holds."""
        return range(2**self.bits) if "uint" in self.name else range(-(2 ** (self.bits - 1)), 2 ** (self.bits - 1))

    @property
    def range_text(self) -> str:
        """The numbers that an integer dtype holds, in a message."""
        return f"{self} holds {self.integers.start} to {self.integers.stop - 1}"


_KINDS = {
    "float": ("float16", "bfloat16", "float32", "float64"),
    "int": ("int8", "int16", "int32", "int64"),
    "uint": ("uint8", "uint16", "uint32", "uint64"),
    "complex": ("complex64", "complex128"),
    "bool": ("bool",),
    "string": ("string",),
}


def _bits(name: str) -> int:
    digits = re.search(r"\d+", name)
    return int(digits[0]) if digits else 8


DTYPES: dict[str, DType] = {name: DType(name, kind, _bits(name)) for kind, names in _KINDS.items() for name in names}
# Dtypes that `raw` ops and a few other ops take. No literal has an opaque dtype.
_RARE_KINDS = {
    "quantized": ("qint8", "quint8", "qint16", "quint16", "qint32"),
    "int": ("int2", "int4"),
    "uint": ("uint2", "uint4"),
    "float": (
        "float4_e2m1fn", "float8_e5m2", "float8_e4m3fn", "float8_e4m3fnuz", "float8_e4m3b11fnuz", "float8_e5m2fnuz",
    ),
    "opaque": ("resource", "variant"),
}  # fmt: skip
RARE: dict[str, DType] = {name: DType(name, kind, _bits(name)) for kind, names in _RARE_KINDS.items() for name in names}
# For floating-point dtypes: the binary digits of a number, the power of two above all numbers, and the smallest
# number.
DIGITS = {
    "float16": (11, 16, -24), "bfloat16": (8, 128, -133), "float32": (24, 128, -149), "float64": (53, 1024, -1074),
    "complex64": (24, 128, -149), "complex128": (53, 1024, -1074),
}  # fmt: skip


def changed(number: int | float, dtype: DType) -> int | float | None:
    """The value of a number in a floating-point dtype, if that is a different integer, infinite or zero. None if only
    its fraction is rounded."""
    if dtype.name not in DIGITS:
        return None
    digits, high, low = DIGITS[dtype.name]
    if isinstance(number, float):
        if digits == 53 or number == 0.0 or not math.isfinite(number):
            return None
        if abs(number) >= math.ldexp(1 - 2.0 ** -(digits + 1), high):
            return math.copysign(math.inf, number)
        return 0.0 if abs(number) <= math.ldexp(1.0, low - 1) else None
    size = abs(number)
    unit = 1 << max(0, size.bit_length() - digits)
    whole, rest = divmod(size, unit)
    nearest = (whole + (rest * 2 > unit or (rest * 2 == unit and whole % 2))) * unit
    if nearest.bit_length() > high:
        return math.inf if number > 0 else -math.inf
    return None if nearest == size else nearest if number > 0 else -nearest


UNREADABLE = ("resource", "variant")  # tensors of these dtypes only matter to the ops that take them
ALL_DTYPES = DTYPES | RARE
DTYPE_NAMES: dict[str, DType] = {**DTYPES, "half": DTYPES["float16"], **RARE}  # by name in programs
FLOAT32, FLOAT64 = DTYPES["float32"], DTYPES["float64"]
INT32, INT64 = DTYPES["int32"], DTYPES["int64"]
BOOL, STRING = DTYPES["bool"], DTYPES["string"]

# The classes of dtypes in signatures of ops.
DTYPE_CLASSES: dict[str, frozenset[DType]] = {
    name: frozenset(d for d in DTYPES.values() if d.kind in kinds)
    for name, kinds in {
        "float": {"float"},
        "int": {"int", "uint"},
        "real": {"float", "int", "uint"},
        "number": {"float", "int", "uint", "complex"},
        "inexact": {"float", "complex"},
        "bool": {"bool"},
        "string": {"string"},
        "any": set(_KINDS),
    }.items()
}
DTYPE_CLASSES["quantized"] = frozenset(dtype for dtype in RARE.values() if dtype.kind == "quantized")
DTYPE_CLASSES["all"] = frozenset(dtype for dtype in ALL_DTYPES.values() if dtype.kind != "opaque")

# The kinds of dtype that a kind of value can become without losing its meaning.
BECOMES: dict[str, tuple[str, ...]] = {
    "bool": ("bool",),
    "int": ("int", "uint", "float", "complex", "quantized"),
    "uint": ("int", "uint", "float", "complex", "quantized"),
    "float": ("float", "complex"),
    "complex": ("complex",),
    "string": ("string",),
}


class Size(Record):
    """A named size, such as `batch` in `float32[batch, 9]`."""

    name: str

    def __str__(self) -> str:
        return self.name


Dim = int | Size | None
Shape = tuple[Dim, ...] | None

# A compile-time value: a scalar, or nested lists of scalars.
Nested: TypeAlias = "bool | int | float | complex | str | bytes | list[Nested] | tuple[Nested, ...] | None"


# TensorFlow for parts that do not import it: the module, and what its functions take and return, which are tensors,
# variables, operations, arrays, numbers, strings, dtypes, and lists of them. The op table says which of these a
# function takes; here it can be any.
TF: TypeAlias = Any
Operand: TypeAlias = Any


def nested_shape(value: object) -> tuple[int, ...]:
    """The shape of nested lists, by the first element of each. `()` for a scalar."""
    if not is_list(value):
        return ()
    return (len(value), *nested_shape(value[0])) if value else (0,)


def dim_text(dim: Dim) -> str:
    return "?" if dim is None else str(dim)


def shape_text(shape: Shape) -> str:
    """`[batch, 9]`, `[]` for a scalar, `[...]` if the rank is unknown."""
    return "[...]" if shape is None else f"[{', '.join(map(dim_text, shape))}]"


class TensorType(Record):
    """The dtype and shape of a tensor. An operation without outputs has no TensorType."""

    dtype: DType
    shape: Shape = None

    @property
    def rank(self) -> int | None:
        return None if self.shape is None else len(self.shape)

    def __str__(self) -> str:
        """`float32[batch, 9]`, or `float32` for a scalar."""
        return self.dtype.name if self.shape == () else f"{self.dtype.name}{shape_text(self.shape)}"


class SizeClash(Exception):
    """Two sizes that must be equal differ."""

    def __init__(self, left: Dim, right: Dim):
        super().__init__(left, right)
        self.left, self.right = left, right


class Sizes(State):
    """The facts about a graph's named sizes: where each was declared, and its value if known.

    `equals` maps a name to the size it must equal (a number or another name) and the place that requires it. `here`
    is the place of the statement being analysed. `met` has the named sizes that broadcast against a number above 1:
    they can only be 1 or that number.
    """

    declared: dict[str, Span] = field(default_factory=dict[str, Span])
    equals: dict[str, tuple[Dim, Span | None]] = field(default_factory=dict[str, tuple[Dim, Span | None]])
    here: Span | None = None
    met: list[tuple[Size, int]] = field(default_factory=list[tuple[Size, int]])

    def resolve(self, dim: Dim) -> Dim:
        """The number or the representative name of a size."""
        while isinstance(dim, Size) and dim.name in self.equals:
            dim = self.equals[dim.name][0]
        return dim

    def origin(self, dim: Dim) -> Span | None:
        """The place that fixed a named size to a number, or else declared it."""
        if not isinstance(dim, Size):
            return None
        if dim.name in self.equals:
            return self.equals[dim.name][1]
        return self.declared.get(dim.name)

    def same(self, left: Dim, right: Dim) -> Dim:
        """Require two sizes to be equal and return the known one. Raises `SizeClash` if they cannot be equal."""
        a, b = self.resolve(left), self.resolve(right)
        if a is None:
            return right
        if b is None or a == b:
            return left
        if isinstance(a, int) and isinstance(b, int):
            raise SizeClash(left, right)
        name, other = (a, b) if isinstance(a, Size) else (b, a)
        assert isinstance(name, Size)  # one of them is a name, since they are not both ints
        self.equals[name.name] = (other, self.here)
        return other if isinstance(other, int) else left

    def broadcast(self, left: Dim, right: Dim) -> Dim:
        """The size that two sizes broadcast to, as in NumPy. Raises `SizeClash` if they do not broadcast."""
        a, b = self.resolve(left), self.resolve(right)
        if a == 1:
            return right
        if b == 1:
            return left
        if a == b:
            return left
        if isinstance(a, int) and isinstance(b, int):
            raise SizeClash(left, right)
        for name, number in ((a, b), (b, a)):
            if isinstance(name, Size) and isinstance(number, int):
                self.met.append((name, number))
        # A size above 1 wins over an unknown one, which can only be that size or 1.
        return left if isinstance(a, int) else right if isinstance(b, int) else None

    def paired(self, tall: Shape, short: Shape) -> tuple[int, int] | None:
        """An axis of each shape whose sizes may be equal but which do not meet in broadcasting, because `short` lacks
        the axis of `tall`: for `[n, 1]` and `[n]` these are axes 0 and 0, and the result is `[n, n]`."""
        if tall is None or short is None:
            return None
        gap = len(tall) - len(short)
        for at in range(gap):
            for other, size in enumerate(short):
                if self.resolve(tall[gap + other]) == 1 and self._may_be_one(tall[at], size):
                    return at, other
        return None

    def _may_be_one(self, left: Dim, right: Dim) -> bool:
        a, b = self.resolve(left), self.resolve(right)
        unknown = None in (a, b) and not (isinstance(a, int) or isinstance(b, int))
        return unknown or (a == b and a not in (None, 1))


class SizeMismatch(Exception):
    """An array does not fit the fed tensor. With `size`, a named size is `first` elsewhere and `second` here."""

    def __init__(self, size: str = "", first: int = 0, first_name: str = "", second: int = 0):
        super().__init__()
        self.size, self.first, self.first_name, self.second = size, first, first_name, second


def match_shape(
    declared: Shape, actual: Shape, bound: dict[str, tuple[int, str]], sizes: Sizes | None = None, name: str = ""
) -> None:
    """Check a fed shape against the declared one. `bound` collects the named sizes: their number and its origin."""
    if declared is None or actual is None:
        return
    if len(declared) != len(actual):
        raise SizeMismatch
    for wanted, found in zip(declared, actual, strict=True):
        if sizes is not None:
            wanted = sizes.resolve(wanted)
        if found is None or wanted is None or not isinstance(found, int):
            continue
        if isinstance(wanted, int):
            if wanted != found:
                raise SizeMismatch
            continue
        first, first_name = bound.setdefault(wanted.name, (found, name))
        if first != found:
            raise SizeMismatch(wanted.name, first, first_name, found)
