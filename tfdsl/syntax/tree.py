"""The tree of a `.tfg` file: frozen nodes, each with its span. Nothing here knows what a name means."""

from dataclasses import dataclass

from ..source import Span


@dataclass(frozen=True, slots=True)
class Tree:
    """Every node of the tree."""

    span: Span


# --- expressions ------------------------------------------------------------------------------


class Expr(Tree):
    """An expression."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Constant(Expr):
    """A number, a string, `true`, `false` or `none`."""

    value: object


@dataclass(frozen=True, slots=True)
class Name(Expr):
    id: str


@dataclass(frozen=True, slots=True)
class Unary(Expr):
    """`-x`, `+x`, `not x`."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary(Expr):
    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Boolean(Expr):
    """`a and b`, `a or b`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Compare(Expr):
    """`a < b <= c`: one operator fewer than operands."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Conditional(Expr):
    """`then if condition else otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr


@dataclass(frozen=True, slots=True)
class Argument(Tree):
    name: str | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Call(Expr):
    function: Expr
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Attribute(Expr):
    value: Expr
    name: str


@dataclass(frozen=True, slots=True)
class Slice(Expr):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


@dataclass(frozen=True, slots=True)
class Dots(Expr):
    """`...` in an index or a type."""


@dataclass(frozen=True, slots=True)
class Index(Expr):
    value: Expr
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class List(Expr):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Tuple(Expr):
    items: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Clause(Tree):
    """`for a, b in iterable if condition` of a comprehension."""

    targets: tuple["Identifier", ...]
    iterable: Expr
    conditions: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Comprehension(Expr):
    element: Expr
    clauses: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class UnknownDim(Tree):
    """`?` in a type."""


@dataclass(frozen=True, slots=True)
class Type(Tree):
    """`float32[batch, 9]`; `dims` is None for a scalar."""

    dtype: str
    dims: tuple[Expr | UnknownDim, ...] | None


@dataclass(frozen=True, slots=True)
class Identifier(Tree):
    """A name where it is bound, or a dotted name where only a name can stand."""

    id: str


# --- statements of the graph half -------------------------------------------------------------


class Statement(Tree):
    """A statement of either half."""

    __slots__ = ()


Block = tuple[Statement, ...]


@dataclass(frozen=True, slots=True)
class Seed(Statement):
    value: Expr


@dataclass(frozen=True, slots=True)
class Param(Statement):
    target: Identifier
    type: Type | None
    value: Expr


@dataclass(frozen=True, slots=True)
class Stage(Tree):
    """A source or a transform of `data`."""

    name: str
    arguments: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Data(Statement):
    target: Identifier
    stages: tuple[Stage, ...]


@dataclass(frozen=True, slots=True)
class Placeholder(Statement):
    target: Identifier
    type: Type
    default: Expr | None


@dataclass(frozen=True, slots=True)
class Variable(Statement):
    """`variable` and `shared`."""

    shared: bool
    target: Identifier
    type: Type | None
    value: Expr | None
    options: tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    targets: tuple[Identifier, ...]
    value: Expr
    unpack: bool


@dataclass(frozen=True, slots=True)
class ExpressionStatement(Statement):
    value: Expr


@dataclass(frozen=True, slots=True)
class Loss(Statement):
    value: Expr


@dataclass(frozen=True, slots=True)
class Optimize(Statement):
    loss: Expr | None
    optimizer: Expr
    wrt: tuple[Expr, ...] | None
    target: Identifier | None


@dataclass(frozen=True, slots=True)
class Summary(Statement):
    kind: Identifier
    value: Expr
    tag: Expr | None


@dataclass(frozen=True, slots=True)
class Return(Statement):
    values: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Import(Statement):
    """`import "path" as name`, or `from "path" import names` where `names` is not None."""

    path: str
    is_library: bool
    target: Identifier | None
    names: tuple[Identifier, ...] | None


@dataclass(frozen=True, slots=True)
class Scope(Statement):
    target: Identifier
    reuse: bool
    body: Block


@dataclass(frozen=True, slots=True)
class Device(Statement):
    value: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class Container(Statement):
    value: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class After(Statement):
    values: tuple[Expr, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Graph(Statement):
    target: Identifier
    body: Block


@dataclass(frozen=True, slots=True)
class If(Statement):
    """`if`, `elif` and `else`: pairs of a condition (None for `else`) and a block, of either half."""

    branches: tuple[tuple[Expr | None, Block], ...]


@dataclass(frozen=True, slots=True)
class While(Statement):
    condition: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class For(Statement):
    targets: tuple[Identifier, ...]
    iterable: Expr
    body: Block


@dataclass(frozen=True, slots=True)
class Parameter(Tree):
    name: str
    default: Expr | None


@dataclass(frozen=True, slots=True)
class Def(Statement):
    target: Identifier
    parameters: tuple[Parameter, ...]
    body: Block


# --- statements of the session half -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fed(Tree):
    """`X = value` after `with` or `feed`."""

    target: Identifier
    value: Expr


@dataclass(frozen=True, slots=True)
class Session(Statement):
    target: Identifier | None
    graph: Identifier | None
    body: Block


@dataclass(frozen=True, slots=True)
class Init(Statement):
    values: tuple[Expr, ...] | None


@dataclass(frozen=True, slots=True)
class Saved(Tree):
    """`theta as "weights"`."""

    target: Identifier
    name: Expr | None


@dataclass(frozen=True, slots=True)
class Restore(Statement):
    saved: tuple[Saved, ...]
    path: Expr
    if_exists: bool


@dataclass(frozen=True, slots=True)
class Save(Statement):
    saved: tuple[Saved, ...]
    path: Expr


@dataclass(frozen=True, slots=True)
class Run(Statement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Print(Statement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Set(Statement):
    target: Identifier
    value: Expr
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class LogTo(Statement):
    path: Expr


@dataclass(frozen=True, slots=True)
class Log(Statement):
    """Write the summaries with these tags; all of them where there are none."""

    tags: tuple[Identifier, ...]
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Expect(Statement):
    condition: Expr
    within: Expr | None
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Export(Statement):
    values: tuple[Expr, ...]
    inputs: tuple[Identifier, ...]
    path: Expr


@dataclass(frozen=True, slots=True)
class Feed(Statement):
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Stop(Statement):
    condition: Expr
    feeds: tuple[Fed, ...]


@dataclass(frozen=True, slots=True)
class Checkpoint(Statement):
    count: Expr
    unit: str
    path: Expr


@dataclass(frozen=True, slots=True)
class Batching(Tree):
    size: Expr
    order: str | None
    seed: Expr | None


@dataclass(frozen=True, slots=True)
class Train(Statement):
    count: Expr
    unit: str
    data: Identifier | None
    batching: Batching | None
    target: Identifier | None
    options: tuple[Argument, ...]
    body: Block


@dataclass(frozen=True, slots=True)
class Every(Statement):
    count: Expr
    unit: str
    body: Block


@dataclass(frozen=True, slots=True)
class File(Tree):
    body: Block
