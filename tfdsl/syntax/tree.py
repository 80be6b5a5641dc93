"""The tree of a `.tfg` file: frozen nodes, each with its span. Nothing here knows what a name means."""

from ..record import Record
from ..source import Span


class Tree(Record):
    """Every node of the tree."""

    span: Span


# --- expressions ------------------------------------------------------------------------------


class Expr(Tree):
    """An expression."""


class Constant(Expr):
    """A number, a string, `true`, `false` or `none`."""

    value: object


class Name(Expr):
    id: str


class Unary(Expr):
    """`-x`, `+x`, `not x`."""

    op: str
    operand: Expr


class Binary(Expr):
    op: str
    left: Expr
    right: Expr


class Boolean(Expr):
    """`a and b`, `a or b`."""

    op: str
    left: Expr
    right: Expr


class Compare(Expr):
    """`a < b <= c`: one operator fewer than operands."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]


class Conditional(Expr):
    """`then if condition else otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr


class Argument(Tree):
    name: str | None
    value: Expr


class Call(Expr):
    function: Expr
    arguments: tuple[Argument, ...]


class Attribute(Expr):
    value: Expr
    name: str


class Slice(Expr):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


class Dots(Expr):
    """`...` in an index or a type."""


class Index(Expr):
    value: Expr
    items: tuple[Expr, ...]


class List(Expr):
    items: tuple[Expr, ...]


class Tuple(Expr):
    items: tuple[Expr, ...]


class Clause(Tree):
    """`for a, b in iterable if condition` of a comprehension."""

    targets: tuple["Identifier", ...]
    iterable: Expr
    conditions: tuple[Expr, ...]


class Comprehension(Expr):
    element: Expr
    clauses: tuple[Clause, ...]


class UnknownDim(Tree):
    """`?` in a type."""


class Type(Tree):
    """`float32[batch, 9]`; `dims` is None for a scalar."""

    dtype: str
    dims: tuple[Expr | UnknownDim, ...] | None


class Identifier(Tree):
    """A name where it is bound, or a dotted name where only a name can stand."""

    id: str


# --- statements of the graph half -------------------------------------------------------------


class Statement(Tree):
    """A statement of either half."""


Block = tuple[Statement, ...]


class Seed(Statement):
    value: Expr


class Param(Statement):
    target: Identifier
    type: Type | None
    value: Expr


class Stage(Tree):
    """A source or a transform of `data`."""

    name: str
    arguments: tuple[Argument, ...]


class Data(Statement):
    target: Identifier
    stages: tuple[Stage, ...]


class Placeholder(Statement):
    target: Identifier
    type: Type
    default: Expr | None


class Variable(Statement):
    """`variable` and `shared`."""

    shared: bool
    target: Identifier
    type: Type | None
    value: Expr | None
    options: tuple[Argument, ...]


class Assign(Statement):
    targets: tuple[Identifier, ...]
    value: Expr
    unpack: bool


class ExpressionStatement(Statement):
    value: Expr


class Loss(Statement):
    value: Expr


class Optimize(Statement):
    loss: Expr | None
    optimizer: Expr
    wrt: tuple[Expr, ...] | None
    target: Identifier | None


class Summary(Statement):
    kind: Identifier
    value: Expr
    tag: Expr | None


class Return(Statement):
    values: tuple[Expr, ...]


class Import(Statement):
    """`import "path" as name`, or `from "path" import names` where `names` is not None."""

    path: str
    is_library: bool
    target: Identifier | None
    names: tuple[Identifier, ...] | None


class Scope(Statement):
    target: Identifier
    reuse: bool
    body: Block


class Device(Statement):
    value: Expr
    body: Block


class Container(Statement):
    value: Expr
    body: Block


class After(Statement):
    values: tuple[Expr, ...]
    body: Block


class Graph(Statement):
    target: Identifier
    body: Block


class If(Statement):
    """`if`, `elif` and `else`: pairs of a condition (None for `else`) and a block, of either half."""

    branches: tuple[tuple[Expr | None, Block], ...]


class While(Statement):
    condition: Expr
    body: Block


class For(Statement):
    targets: tuple[Identifier, ...]
    iterable: Expr
    body: Block


class Parameter(Tree):
    name: str
    default: Expr | None


class Def(Statement):
    target: Identifier
    parameters: tuple[Parameter, ...]
    body: Block


# --- statements of the session half -----------------------------------------------------------


class Fed(Tree):
    """`X = value` after `with` or `feed`."""

    target: Identifier
    value: Expr


class Session(Statement):
    target: Identifier | None
    graph: Identifier | None
    body: Block


class Init(Statement):
    values: tuple[Expr, ...] | None


class Saved(Tree):
    """`theta as "weights"`."""

    target: Identifier
    name: Expr | None


class Restore(Statement):
    saved: tuple[Saved, ...]
    path: Expr
    if_exists: bool


class Save(Statement):
    saved: tuple[Saved, ...]
    path: Expr


class Run(Statement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


class Print(Statement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


class Set(Statement):
    target: Identifier
    value: Expr
    feeds: tuple[Fed, ...]


class LogTo(Statement):
    path: Expr


class Log(Statement):
    """Write the summaries with these tags; all of them where there are none."""

    tags: tuple[Identifier, ...]
    feeds: tuple[Fed, ...]


class Expect(Statement):
    condition: Expr
    within: Expr | None
    feeds: tuple[Fed, ...]


class Export(Statement):
    values: tuple[Expr, ...]
    inputs: tuple[Identifier, ...]
    path: Expr


class Feed(Statement):
    feeds: tuple[Fed, ...]


class Stop(Statement):
    condition: Expr
    feeds: tuple[Fed, ...]


class Checkpoint(Statement):
    count: Expr
    unit: str
    path: Expr


class Batching(Tree):
    size: Expr
    order: str | None
    seed: Expr | None


class Train(Statement):
    count: Expr
    unit: str
    data: Identifier | None
    batching: Batching | None
    target: Identifier | None
    options: tuple[Argument, ...]
    body: Block


class Every(Statement):
    count: Expr
    unit: str
    body: Block


class File(Tree):
    body: Block
