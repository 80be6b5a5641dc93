"""The compile-time values of an expression in the graph half.

Plain Python values (int, float, complex, bool, str, None, list, tuple, range), `DType` and `Op` are used as they
are. The other kinds are defined here.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import EllipsisType
from typing import TypeAlias, TypeGuard

from ..data.pipeline import Pipeline
from ..data.schema import Schema
from ..diagnostics.spelling import bytes_text, shortened
from ..inputs import PythonOp
from ..ops.op import Op
from ..ops.optimizers import OptimizerRow
from ..ops.raw import RawOp
from ..program import Arg, BatchField, Data, Field, HostValue, PlanExpr, Ref
from ..record import Record
from ..source import Span
from ..syntax import tree as t
from ..types import DTYPE_NAMES, DType, Shape, TensorType
from .names import Names, Space


class Tensor(Record):
    """The output of a node. `span` is the place that made it."""

    ref: Ref
    type: TensorType
    graph: str
    span: Span
    is_variable: bool = False


class Operation(Record):
    """A node without outputs that a session can run. `span` is the place that made it."""

    ref: Ref
    graph: str
    span: Span


NodeValue = Tensor | Operation
NODES = (Tensor, Operation)  # for `isinstance`, which is slower with a union


class ShapeOf(Record):
    """`X.shape`: its sizes, some of them possibly unknown. `text` is the program's text for it."""

    dims: Shape
    text: str


class DataValue(Record):
    """A `data` name, or its `.train` or `.test`."""

    name: str
    part: str
    schema: Schema
    span: Span


class LearnedFact(Record):
    """What a data set has learned of its columns, such as `titanic.mean`. A call names a column."""

    data: str
    word: str


class KnownData(Record):
    """A `data` declaration of another text, and what is known of it."""

    data: Data
    pipeline: Pipeline


class Array(Record):
    """An array of data. Its type is known at compile time, its content only when the program runs."""

    field: Field | BatchField  # of the batch of a training loop
    type: TensorType


class RuntimeValue(Record):
    """epoch, step, a name of the session, or a value computed from them: known only to the running session. `type` is
    that of a name, if it is known. `schema` is set if a training can go over its rows, and `of` for a value of a
    tensor."""

    expr: PlanExpr
    type: TensorType | None = None
    schema: Schema | None = None
    of: Ref | None = None


class Evaluation(Record):
    """The values that an `evaluate` gave a name. `schema` has those with a row for each row of the data."""

    name: str
    fields: Mapping[str, RuntimeValue]
    schema: Schema


class Unbound(Record):
    """The value of a name of the session that may have none yet. `why` says why, about the line of `place`, and `help`
    what to do."""

    place: Span
    why: str
    help: str


class Batch(Record):
    """The current batch of a training loop."""

    schema: Schema
    size: int | None  # its rows, if every batch has the same number
    data: str = ""  # the data that it is of


class Function(Record):
    """A `def` with the names it can see."""

    tree: t.Def
    env: "Env"


class Builtin(Record):
    """A Python function on values known at compile time."""

    name: str
    function: Callable


class Primitive(Record):
    """A function for the bundled libraries only. Other files do not know its name."""

    name: str
    function: Callable


class Optimizer(Record):
    """An optimizer with its arguments, such as the value of `momentum(0.9)`."""

    row: OptimizerRow
    args: Mapping[str, Arg]


class Initializer(Record):
    """A call that lacks only its shape, such as `truncated_normal(stddev=0.1)`: a variable has one. `given` has the
    arguments with their places."""

    op: Op
    given: Mapping[str, "tuple[ExprValue, Span]"]
    span: Span


class Rest(Record):
    """What a parameter such as `**options` has taken: arguments by name, with their places and those of the whole."""

    given: Mapping[str, "tuple[ExprValue, Span, Span | None]"]


class Namespace(Record):
    """The names of a scope, which may be several blocks or a call, or of an imported file, which has no `scopes`."""

    env: "Env"
    paths: tuple[tuple[str, ...], ...]
    name: str
    scopes: "tuple[Space[ExprValue], ...]" = ()


class Lister(Record):
    """`variables` or `trainable_variables`: a function that lists variables of scopes."""

    name: str
    trainable: bool


class Outputs(list["ExprValue"]):
    """The outputs of an op with several outputs, also available by name: `found.values`. `span` is the call."""

    def __init__(self, values: "Sequence[ExprValue]", names: Sequence[str], span: Span | None = None):
        super().__init__(values)
        self.names, self.span = names, span


class Results(tuple["ExprValue", ...]):
    """The values of a function that returns several. `span` is its call. `names` are what its `return` calls them, or
    first, second, ..."""

    names: Sequence[str]
    span: Span

    @classmethod
    def of(cls, values: "Iterable[ExprValue]", names: Sequence[str], span: Span) -> "Results":
        made = cls(values)
        made.names, made.span = names, span
        return made


class LaterValue(Record):
    """`later n`: a value that a line further down in the block gives the name."""

    name: str
    span: Span
    env: "Env"


class Pending(Record):
    """An input of a merge whose name is bound further down. `env` has the name, `node` is the merge, `at` is the
    position of the input, and `span` is the place of `later`."""

    name: str
    env: "Env"
    node: int
    at: int
    span: Span


class LibraryFunction(Record):
    """A function of the graph, which ops call. `name` is its name in TensorFlow."""

    name: str
    span: Span
    graph: str


class ErrorValue(Record):
    """The value of a name whose statement failed. Using it reports nothing more."""


Callee = Function | Builtin | Primitive | Op | RawOp | PythonOp | OptimizerRow
# All values of expressions. A sequence is a list or a tuple.
ExprValue: TypeAlias = (
    bool | int | float | complex | str | bytes | range | Sequence["ExprValue"] | NodeValue | Array | RuntimeValue
    | ShapeOf | Evaluation | Unbound | DataValue | LearnedFact | Batch | DType | Callee | Lister | Optimizer
    | Initializer | Rest | Namespace | Outputs | Results | LaterValue | LibraryFunction | ErrorValue | None
)  # fmt: skip
Env: TypeAlias = Names[ExprValue]
IndexItem = ExprValue | slice | EllipsisType  # what stands in the brackets of an index


def as_dtype(value: ExprValue) -> DType | None:
    """The dtype that a value means where a dtype is needed: `float32`, "float32", or `bool`, which is also a
    function."""
    match value:
        case DType():
            return value
        case Builtin(name=name) | str(name):
            return DTYPE_NAMES.get(name)
    return None


def as_dtypes(a: ExprValue, b: ExprValue) -> tuple[ExprValue, ExprValue]:
    """The sides of a comparison. Next to a dtype, the name of a dtype becomes a dtype too."""
    if isinstance(a, DType):
        b = [as_dtype(item) or item for item in b] if isinstance(b, (list, tuple)) else as_dtype(b) or b
    elif isinstance(b, DType):
        a = as_dtype(a) or a
    return a, b


HOST = (int, float, complex, bool, str, bytes, type(None), list, tuple, range)
PLAIN = frozenset((int, float, complex, bool, str, bytes, type(None)))  # the types of plain values that are no lists
Host: TypeAlias = "bool | int | float | complex | str | bytes | list[Host] | tuple[Host, ...] | range | None"


def is_host(value: object) -> TypeGuard[Host]:
    """Whether a value is a plain Python value without tensors."""
    kind = type(value)
    if kind in PLAIN:
        return True
    if kind is Tensor:
        return False
    if isinstance(value, (list, tuple)):
        return all(map(is_host, value))
    return isinstance(value, HOST)


def freeze(value: Host) -> HostValue:
    """Nested lists as nested tuples."""
    return tuple(map(freeze, value)) if isinstance(value, (list, tuple, range)) else value


def in_graph(value: ExprValue) -> "TypeGuard[Tensor | Operation | Array]":
    """Whether a value is in the graph, or data."""
    return type(value) in _IN_GRAPH


_IN_GRAPH = frozenset((Tensor, Operation, Array))


def has_tensor(value: ExprValue) -> bool:
    """Whether a value is in the graph, is data, or is a list with such a value."""
    return any(map(has_tensor, value)) if isinstance(value, (list, tuple)) else in_graph(value)


def describe(value: object) -> str:
    """Describe a value for a message."""
    match value:
        case Operation():
            return "an operation without output"
        case Tensor(type=type, is_variable=True):
            return f"a variable of {type}"
        case Tensor(type=type):
            return f"a tensor of {type}"
        case Array(type=type):
            return f"data of {type}"
        case bool():
            return "true" if value else "false"
        case None:
            return "none"
        case int() | float() | complex():
            return f"the number {value}" if len(f"{value}") <= 40 else "a huge number"
        case str():
            return f'the string "{shortened(value, 30)}"'
        case bytes():
            return f"the bytes {shortened(bytes_text(value), 30)}"
        case Outputs() | Results() if value.span is not None:
            return f"the {len(value)} values of {shortened(value.span.one_line, 40)}"
        case list() | tuple() | range():
            return "a list"
        case ShapeOf():
            return "a shape"
        case DataValue():
            return f"the data {value.name}"
        case LearnedFact():
            return f"what {value.data} has learned"
        case Batch():
            return "a batch"
        case Function():
            return f"the function {value.tree.target.id}"
        case Op() | RawOp() | Builtin() | Primitive() | PythonOp() | Lister():
            return f"the function {value.name}"
        case OptimizerRow() | Optimizer():
            return "an optimizer"
        case Initializer():
            return f"{value.op.name} without a shape"
        case Rest():
            return "named arguments"
        case DType():
            return f"the dtype {value}"
        case Namespace():
            return f"the scope {value.name}"
        case LaterValue():
            return f"the {value.name} of a later line"
        case LibraryFunction():
            return f"the graph function {value.name}"
        case RuntimeValue():
            return "a value of the running session"
        case Evaluation():
            return "the values of an evaluate"
        case _:
            return "a value"
