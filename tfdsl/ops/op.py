"""Defines an op: one row of the table, its signature, and the input of its shape rule.

Input of a rule: an `OpCall` with the types and compile-time values of the arguments. Output: a `TensorType`, a
tuple of them for an op with several outputs (with nested tuples for lists of outputs), or `()` for an operation
without outputs. A rule refuses its arguments with `call.fail(...)`.

A signature looks like Python's: `a: T, b: T, transpose_a: flag = false`. The kinds:

    T U V        a tensor; arguments with the same letter have one dtype, limited by `dtypes`
    [T]          a list of tensors of one dtype
    float32 ...  a tensor of that dtype
    T?           an optional tensor (default none); also after [T] and dtypes
    shape        an integer vector, whose value is used if it is known at compile time
    variable T   a variable (not merely its value)
    flag integer number text integers static
                 a compile-time value: bool, int, float, string, int or list of ints, anything
    function     a function of the program, or an op
    dtype T      a dtype, which decides T unless it is none; `dtype` alone binds nothing

Parameters after `*` are keyword-only.
"""

import re
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any, NoReturn, TypeAlias

from ..diagnostics import NEGATIVE, OPTION, RANK, Message
from ..record import Record, State, field
from ..types import DTYPE_CLASSES, DTYPES, Dim, DType, Nested, Shape, SizeClash, Sizes, TensorType
from .batch import Rule, each
from .flops import Flops, no_flops, per_result, uncounted
from .formula import Formula


class Required(Enum):
    """The default of a required parameter."""

    REQUIRED = "required"


REQUIRED = Required.REQUIRED
# The result of a shape rule, and a shape rule.
Result: TypeAlias = "TensorType | tuple[Result, ...]"
ShapeRule: TypeAlias = "Callable[[OpCall], Result]"


class Parameter(Record):
    """One parameter: `kind` is tensor, tensors, shape, variable, dtype, or a kind of compile-time value."""

    name: str
    kind: str
    group: str = ""  # of dtypes: a letter of the signature, or a dtype
    default: "Nested | DType | Required" = REQUIRED
    optional: bool = False
    by_name: bool = False  # keyword-only

    @property
    def is_tensor(self) -> bool:
        return self.kind in ("tensor", "tensors", "shape", "variable")


_PARAM = re.compile(r"(\w+): (?:(\[)?(variable |dtype )?(\w+)\]?(\?)?)(?: = (.+))?$")
_CONSTANTS: dict[str, bool | None] = {"none": None, "true": True, "false": False}
_STATIC_KINDS = {"flag", "integer", "number", "text", "integers", "static", "function"}


def _default(text: str) -> Nested:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text.startswith('"'):
        return text[1:-1]
    if text.startswith("["):
        return [_default(item.strip()) for item in text[1:-1].split(",") if item.strip()]
    return float(text) if "." in text or "e" in text else int(text)


def parse_signature(text: str) -> tuple[Parameter, ...]:
    """Parse `"x: T, axis: integers = none"` into parameters."""
    params: list[Parameter] = []
    by_name = False
    for part in re.split(r", (?=\w+:)", text) if text else ():
        if part == "*":
            by_name = True
            continue
        match = _PARAM.match(part)
        if match is None:
            raise ValueError(f"bad parameter in the op table: {part!r}")
        name, many, role, kind, optional, default = match.groups()
        value = REQUIRED if default is None else DTYPES[default] if default in DTYPES else _default(default)
        if optional:
            value = None
        if role == "dtype ":
            params.append(Parameter(name, "dtype", kind, value, by_name=by_name))
        elif role == "variable ":
            params.append(Parameter(name, "variable", kind, value, by_name=by_name))
        elif kind == "shape" or kind == "dtype" or kind in _STATIC_KINDS:
            params.append(Parameter(name, kind, "", value, bool(optional), by_name))
        else:
            params.append(Parameter(name, "tensors" if many else "tensor", kind, value, bool(optional), by_name))
    return tuple(params)


class Alike(Enum):
    """Which nodes of an op TensorFlow builds in the same way, except for their names."""

    BY_TYPES = "those whose inputs have the same types, whatever values are known"
    BY_VALUES = "those whose inputs also have the same values, where values are known"
    DRAWN = "none, as each draws its own numbers"
    NEVER = "none"


class Op(Record):
    """A row of the op table.

    `tf` is the TensorFlow symbol below `tf.compat.v1`. `dtypes` gives each dtype letter its allowed classes of dtypes
    (`types.DTYPE_CLASSES`, separated by spaces). `options` gives a parameter its allowed values, or the least one.
    `example` is an expression that works on its own.
    """

    name: str
    signature: str
    rule: "ShapeRule"
    tf: str
    doc: str
    example: str
    group: str
    batch: Rule  # how a batch goes through it
    dtypes: Mapping[str, str] = {}
    options: Mapping[str, tuple[str, ...] | int] = {}
    compares: bool = False  # it compares elements: comparing every pair of rows is rarely intended
    applies: str = ""  # the activation that it applies to its logits, which must not be applied before
    flops: Flops | None = None  # how many floating-point operations it does; by default as `counted` says
    arranges: bool = False  # its elements are those of its first argument, perhaps in a different shape or dtype
    writes: bool = False  # it changes the variable `ref`
    draws_alone: bool = False  # it draws from a hidden state, so a copy of it draws different numbers
    by_shape: bool = False  # its value depends on the shapes of its arguments, not on their values
    # The ranks or sizes of arguments whose ranks the kernel does not check.
    ranks: Mapping[str, int | tuple[int | None, ...]] = {}
    sized: str = ""  # the argument with a shape, whose sizes the kernel does not check
    pairs: tuple[str, ...] = ()  # indices and updates, whose ranks the kernel does not check
    classes: tuple[str, ...] = ()  # arguments with a row for each of `num_classes`; the kernel reads only a few rows
    gathers: tuple[str, ...] = ()  # arguments of which TensorFlow reads only some rows if they are variables
    sliced: str = ""  # the argument with slices of `ref`, whose sizes the kernel does not check
    windows: tuple[str, str] | None = None  # the argument that windows slide over, and the one with their sizes
    lowered: str = ""  # the function of `lowering/` that builds it, if calling `tf` is not enough
    no_gradient: str = ""  # the floating-point arguments that receive no gradient; "*" for all
    product: bool = False  # the gradient to one of its first two tensors reads the other
    modes: str = ""  # the parameters that matter only in training
    for_whole: str = ""  # what to use instead for integers
    cuts: bool = False  # it turns negative values into 0
    keeps_zero: bool = False  # if its first argument is 0 everywhere, it is too
    binary: str = ""  # the argument whose elements are labels of 0 and 1
    numbers: str = ""  # the argument whose elements are class numbers, one for each column of its logits
    in_nn: str = ""  # the equivalent function of the library nn that takes more shapes
    named: bool = True  # `tf` takes `name`; otherwise an identity after it carries the name of the node
    formula: Formula | None = None  # its formula for scalars, for symbolic gradients
    outputs: str = ""  # the names of its outputs, if these are several things; lists of one thing have none
    operator: str = ""  # how programs write it: `+`, or `unary -`
    node: str = ""  # the name that TensorFlow gives the node of the operator
    python: Callable[..., object] | None = None  # the Python function of the same name, which computes with numbers
    alike: Alike = Alike.BY_VALUES  # which of its nodes TensorFlow builds in the same way
    regions: tuple[str, ...] = ()  # the functions that its nodes apply, by what pictures call them
    folds: bool = False  # the function gets its own last value too
    stacks: bool = False  # it stacks what the function returns for each element
    picture: str = ""  # how pictures show it; a plain operation if empty

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def passes_gradient(self, argument: str) -> bool:
        """Whether a gradient flows through the op to an argument."""
        return self.no_gradient != "*" and argument not in self.no_gradient.split()

    @cached_property
    def params(self) -> tuple[Parameter, ...]:
        return parse_signature(self.signature)

    @cached_property
    def named_params(self) -> dict[str, Parameter]:
        """The parameters by name, in order."""
        return {param.name: param for param in self.params}

    @cached_property
    def param_names(self) -> list[str]:
        return list(self.named_params)

    @cached_property
    def required(self) -> tuple[str, ...]:
        """The names of the parameters without a default."""
        return tuple(param.name for param in self.params if param.default is REQUIRED)

    @cached_property
    def grouped_params(self) -> tuple[Parameter, ...]:
        """The parameters that have a dtype, or decide one."""
        return tuple(param for param in self.params if param.group)

    @cached_property
    def fixed_params(self) -> tuple[Parameter, ...]:
        """The parameters that are tensors of one dtype only."""
        return tuple(param for param in self.params if param.kind == "tensor" and param.group in DTYPES)

    @cached_property
    def handles(self) -> list[str]:
        """The parameters that take a variable itself instead of its value."""
        return [param.name for param in self.params if param.kind == "variable"]

    @property
    def counted(self) -> Flops:
        """The rule for its floating-point operations: that of its row, or else one for each element of the result if it
        goes element by element."""
        if self.flops is not None:
            return self.flops
        if self.arranges or self.by_shape:
            return no_flops
        return per_result() if self.batch is each else uncounted

    @cached_property
    def makes_shape(self) -> bool:
        """Whether it makes a tensor of a shape that is its argument, out of nothing but that and options."""
        shapes = [param.name for param in self.params if param.kind == "shape"]
        return shapes == ["shape"] and (self.params[0].name == "shape" or self.takes_seed)

    @cached_property
    def takes_seed(self) -> bool:
        return any(param.name == "seed" for param in self.params)

    @cached_property
    def draws(self) -> bool:
        """Whether it draws different numbers each time, from a state that starts with its `seed`."""
        return any(param.name == "seed" and param.kind == "integer" for param in self.params)

    def typed(self, call: "OpCall") -> "Result":
        """The result of the rule for a call. Checks the options first."""
        for name, limit in self.options.items():
            value = call[name]
            if isinstance(limit, (int, float)):
                if isinstance(value, (int, float)) and value < limit:
                    call.fail(NEGATIVE, name, param=name, value=value, least=limit)
            elif value is not None:
                call.option(name, *limit)
        return self.rule(call)

    def allowed(self, group: str) -> frozenset[DType]:
        """The dtypes that a dtype letter allows."""
        if group not in self._allowed:
            self._allowed[group] = self._dtypes_of(group)
        return self._allowed[group]

    @cached_property
    def _allowed(self) -> dict[str, frozenset[DType]]:
        return {}

    def _dtypes_of(self, group: str) -> frozenset[DType]:
        names = self.dtypes.get(group, group if group in DTYPES else "any").split()
        return frozenset(dtype for n in names for dtype in (DTYPE_CLASSES[n] if n in DTYPE_CLASSES else (DTYPES[n],)))


class RuleRefused(Exception):
    """A shape rule refuses its arguments or doubts them: a message of the catalogue with its details."""

    def __init__(self, message: Message, params: tuple[str, ...], details: Mapping[str, object]):
        super().__init__(message.code)
        self.message, self.params, self.details = message, params, details


class OpCall(State):
    """The arguments of an op call, as its shape rule sees them.

    `call["x"]` is the TensorType of a tensor argument (a tuple for a list, None for an optional argument that is
    missing) or the value of a compile-time argument. `values` has the known values of tensor arguments (nested lists,
    with None for unknown elements). `shapes` has the sizes in shape arguments, also those that the graph takes from
    other tensors.
    """

    op: Op
    arguments: Mapping[str, object]
    values: Mapping[str, object]
    groups: Mapping[str, DType]
    sizes: Sizes
    by_position: frozenset[str] = frozenset()  # the arguments given by position
    shapes: Mapping[str, Shape] = field(default_factory=dict[str, Shape])
    warnings: list[RuleRefused] = field(default_factory=list[RuleRefused])

    def __getitem__(self, name: str) -> Any:  # the type depends on the signature, which the rule knows
        return self.arguments[name]

    def dtype(self, group: str = "T") -> DType:
        return self.groups[group]

    def known(self, name: str) -> Any:  # a number, or nested lists as deep as the rank
        """The value of a tensor argument if it is known at compile time, else None."""
        return self.values.get(name)

    def fail(self, message: Message, *params: str, **details: object) -> NoReturn:
        """Refuse the call. `params` are the arguments to blame; the error shows their origins."""
        raise RuleRefused(message, params, details)

    def warn(self, message: Message, *params: str, **details: object) -> None:
        """Warn about the call and continue. The arguments are those of `fail`."""
        self.warnings.append(RuleRefused(message, params, details))

    def option(self, param: str, *allowed: object) -> object:
        """An argument that must have one of a few values."""
        if self[param] not in allowed:
            written = [f'"{one}"' if isinstance(one, str) else str(one) for one in (self[param], *allowed)]
            shown = [{"True": "true", "False": "false", "None": "none"}.get(one, one) for one in written]
            self.fail(OPTION, param, param=param, value=shown[0], allowed=" or ".join(shown[1:]))
        return self[param]

    def same(self, left: Dim, right: Dim, message: Message, *params: str, **details: object) -> Dim:
        """The common value of two sizes. Fails with `message`, `left` and `right` if they differ."""
        try:
            return self.sizes.same(left, right)
        except SizeClash:
            self.fail(message, *params, left=left, right=right, **details)

    def shape(self, name: str, is_vector: bool = True) -> Shape:
        """The sizes in a `shape` argument: None for an unknown rank, with None for an unknown size. A single number
        is a shape unless it must be a vector."""
        value: Dim | list[Dim] | tuple[Dim, ...] = self.known(name)
        given = self.arguments[name]
        if isinstance(given, TensorType) and given.rank not in ((None, 1) if is_vector else (None, 0, 1)):
            self.fail(RANK, name, param=name, wanted=1, type=given)
        if name in self.shapes:
            return self.shapes[name]
        if value is None:
            sizes = given.shape if isinstance(given, TensorType) else None
            rank = sizes[0] if sizes else None if sizes is None else 1
            return (None,) * rank if isinstance(rank, int) else None
        return tuple(value) if isinstance(value, (list, tuple)) else (value,)
