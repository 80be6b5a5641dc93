"""The tree of a `.tfg` file: frozen nodes, each with its span. Names have no meaning yet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, TypeAlias

from ..diagnostics import Diagnostic
from ..record import Record
from ..source import Span


class Tree(Record):
    """The base of all nodes."""

    span: Span


# --- expressions ------------------------------------------------------------------------------


class ExprTree(Tree):
    """An expression."""


CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "none": None}


class Constant(ExprTree):
    """A number, a string, bytes, `true`, `false` or `none`."""

    value: bool | int | float | complex | str | bytes | None


class Name(ExprTree):
    id: str


class Unary(ExprTree):
    """`-x`, `+x`, `not x`."""

    op: str
    operand: Expr


class Binary(ExprTree):
    op: str
    left: Expr
    right: Expr


class Boolean(ExprTree):
    """`a and b`, `a or b`."""

    op: str
    left: Expr
    right: Expr


class Compare(ExprTree):
    """`a < b <= c`: one operator less than operands."""

    ops: tuple[str, ...]
    operands: tuple[Expr, ...]


class Conditional(ExprTree):
    """`then if condition else otherwise`."""

    condition: Expr
    then: Expr
    otherwise: Expr


class Argument(Tree):
    """An argument of a call. `**options` are several."""

    name: str | None
    value: Expr
    is_rest: bool = False


class Later(ExprTree):
    """`later n`: a name that is bound further down, for the input of a loop of TensorFlow 1."""

    id: str


class Call(ExprTree):
    function: Expr
    arguments: tuple[Argument, ...]


class Attribute(ExprTree):
    value: Expr
    name: str


class Slice(ExprTree):
    start: Expr | None
    stop: Expr | None
    step: Expr | None


class Dots(ExprTree):
    """`...` in an index or a type."""


class Index(ExprTree):
    value: Expr
    items: tuple[Expr, ...]


class List(ExprTree):
    items: tuple[Expr, ...]


class Tuple(ExprTree):
    items: tuple[Expr, ...]


class Clause(Tree):
    """`for a, b in iterable if condition` of a comprehension."""

    targets: tuple[Identifier, ...]
    iterable: Expr
    conditions: tuple[Expr, ...]


class Comprehension(ExprTree):
    element: Expr
    clauses: tuple[Clause, ...]


class UnknownDim(Tree):
    """`?` in a type."""


class Type(Tree):
    """`float32[batch, 9]`; `dims` is None for a scalar."""

    dtype: str
    dims: tuple[Expr | UnknownDim, ...] | None


class Identifier(Tree):
    """A name at its binding, or a dotted name where only a name is allowed."""

    id: str


class Entry(Tree):
    key: Expr
    value: Expr


class Dictionary(ExprTree):
    """`{"age": float32}`."""

    entries: tuple[Entry, ...]


Expr = (
    Constant
    | Name
    | Unary
    | Binary
    | Boolean
    | Compare
    | Conditional
    | Later
    | Call
    | Attribute
    | Slice
    | Dots
    | Index
    | List
    | Tuple
    | Comprehension
    | Dictionary
)


# --- statements of the graph half -------------------------------------------------------------


Unit = Literal["epoch", "batch", "step", "second"]  # units that trainings and blocks count


class StatementTree(Tree):
    """A statement of either half."""


Block = tuple["Statement", ...]


class Seed(StatementTree):
    value: Expr


class GraphVersion(StatementTree):
    """`graph_version 21`: the version of the TensorFlow that made the graph."""

    value: Expr


class Param(StatementTree):
    target: Identifier
    type: Type | None
    value: Expr


class Stage(Tree):
    """A source or a transform of `data`."""

    name: str
    arguments: tuple[Argument, ...]


class Data(StatementTree):
    target: Identifier
    stages: tuple[Stage, ...]


class ScopeName(Tree):
    """`as head` after a call: the name of the scope that it opens. `reuse` takes the variables of the call with that
    name."""

    target: Identifier
    reuse: bool


class NodeName(Tree):
    """`as "loss/error"` after a value: the whole name of its node."""

    text: Constant


class Placeholder(StatementTree):
    target: Identifier
    type: Type
    default: Expr | None
    node: NodeName | None


class Variable(StatementTree):
    """`variable` and `shared`."""

    shared: bool
    target: Identifier
    type: Type | None
    value: Expr | None
    options: tuple[Argument, ...]
    node: NodeName | None


class Assign(StatementTree):
    targets: tuple[Identifier, ...]
    value: Expr
    unpack: bool
    name: ScopeName | NodeName | None


class ExpressionStatement(StatementTree):
    value: Expr
    name: ScopeName | NodeName | None


class Loss(StatementTree):
    value: Expr


class Optimize(StatementTree):
    loss: Expr | None
    optimizer: Expr
    options: tuple[Argument, ...]
    wrt: tuple[Expr, ...] | None
    target: Identifier | None
    node: NodeName | None


class ApplyGradients(StatementTree):
    """`apply GRADIENTS to VARIABLES with OPTIMIZER`."""

    gradients: tuple[Expr, ...]
    variables: tuple[Expr, ...]
    optimizer: Expr
    options: tuple[Argument, ...]
    target: Identifier | None
    node: NodeName | None


class Summary(StatementTree):
    kind: Identifier
    value: Expr
    tag: Expr | None


class Signature(StatementTree):
    """`signature "serving_default": p as "scores" with X`."""

    name: Constant
    outputs: tuple[Saved, ...]
    inputs: tuple[Saved, ...]


class Return(StatementTree):
    values: tuple[Expr, ...]
    name: ScopeName | NodeName | None
    after: tuple[Expr, ...] = ()  # in a function of the graph: the nodes that its calls wait for


class Import(StatementTree):
    """`import "path" as name`, or `from "path" import names` where `names` is not None."""

    path: str
    is_library: bool
    target: Identifier | None
    names: tuple[Identifier, ...] | None


class Scope(StatementTree):
    target: Identifier
    reuse: bool
    body: Block


class Device(StatementTree):
    value: Expr
    body: Block


class Container(StatementTree):
    value: Expr
    body: Block


class After(StatementTree):
    values: tuple[Expr, ...]
    body: Block


class Graph(StatementTree):
    target: Identifier
    body: Block


class If(StatementTree):
    """`if`, `elif` and `else`: pairs of a condition (None for `else`) and a block, in either half."""

    branches: tuple[tuple[Expr | None, Block], ...]


class While(StatementTree):
    condition: Expr
    body: Block


class For(StatementTree):
    targets: tuple[Identifier, ...]
    iterable: Expr
    body: Block


class DefParameter(Tree):
    """A parameter of a function. `**options` takes all arguments by name that no other parameter takes."""

    name: str
    default: Expr | None
    is_rest: bool = False

    @property
    def text(self) -> str:
        """The parameter on one line."""
        if self.is_rest:
            return f"**{self.name}"
        return self.name if self.default is None else f"{self.name}={self.default.span.one_line}"


class Def(StatementTree):
    target: Identifier
    parameters: tuple[DefParameter, ...]
    body: Block


class FunctionInput(Tree):
    """`x: float32[?, 2]`, an input of a function of the graph."""

    target: Identifier
    type: Type
    attributes: tuple[Argument, ...]
    node: NodeName | None


class FunctionOutput(Tree):
    """`float32` or `y: float32` after the arrow of a function of the graph."""

    name: str
    type: Type
    node: NodeName | None


class GraphFunction(StatementTree):
    """`function f(x: float32) -> (float32):`, a function of the graph, which ops call."""

    target: Identifier
    inputs: tuple[FunctionInput, ...]
    outputs: tuple[FunctionOutput, ...]
    attributes: tuple[Argument, ...]
    node: NodeName | None
    body: Block


# --- statements of the session half -----------------------------------------------------------


class Fed(Tree):
    """`X = value` after `with` or `feed`."""

    target: Identifier
    value: Expr


class Session(StatementTree):
    target: Identifier | None
    graph: Identifier | None
    body: Block


class SimpleStatement(StatementTree):
    """A statement that binds no name and has no block. The strings among its values can have values in braces."""


class Init(SimpleStatement):
    values: tuple[Expr, ...] | None


class Saved(Tree):
    """`theta as "weights"`, in a checkpoint or a signature."""

    target: Identifier
    name: Expr | None


class Restore(SimpleStatement):
    saved: tuple[Saved, ...]
    path: Expr
    if_exists: bool


class Save(SimpleStatement):
    saved: tuple[Saved, ...]
    path: Expr


class Run(SimpleStatement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


class Print(SimpleStatement):
    values: tuple[Expr, ...]
    feeds: tuple[Fed, ...]


class Set(SimpleStatement):
    target: Identifier
    value: Expr
    feeds: tuple[Fed, ...]


class LogTo(SimpleStatement):
    path: Expr


class Log(SimpleStatement):
    """Write the summaries with these tags or the values of these names of the session, or all summaries without any. A
    tag in quotes is a constant."""

    tags: tuple[Name | Constant, ...]
    feeds: tuple[Fed, ...]


class Expect(SimpleStatement):
    condition: Expr
    within: Expr | None
    feeds: tuple[Fed, ...]


class ExportInput(Tree):
    """`X`, or `X = titanic.features`, in an `export`."""

    target: Identifier
    value: Expr | None


class Export(SimpleStatement):
    values: tuple[Expr, ...]
    inputs: tuple[ExportInput, ...]
    path: Expr


class Valued(Tree):
    """`accuracy as NAME`, a value to write or to evaluate."""

    value: Expr
    target: Identifier | None


class Write(SimpleStatement):
    values: tuple[Valued, ...]
    path: Expr
    feeds: tuple[Fed, ...]


class Bind(StatementTree):
    """`a, b = EXPR`."""

    targets: tuple[Identifier, ...]
    value: Expr
    feeds: tuple[Fed, ...]


class Evaluate(StatementTree):
    """`targets = evaluate ... on data in batches of size as batch`."""

    targets: tuple[Identifier, ...]
    values: tuple[Valued, ...]
    data: Identifier
    size: Expr | None
    batch: Identifier | None
    feeds: tuple[Fed, ...]


class Feed(SimpleStatement):
    feeds: tuple[Fed, ...]


class Stop(SimpleStatement):
    condition: Expr
    feeds: tuple[Fed, ...]


class StopAfter(SimpleStatement):
    """`stop after 5 epochs without lower test.mse by 0.01`."""

    count: Expr
    unit: Unit
    highest: bool
    value: Expr
    by: Expr | None


class Keep(SimpleStatement):
    """`keep lowest test.mse to "best.ckpt"`."""

    highest: bool
    value: Expr
    path: Expr


class Checkpoint(SimpleStatement):
    count: Expr
    unit: Unit
    path: Expr


class Batching(Tree):
    size: Expr
    order: str | None
    seed: Expr | None


class Train(StatementTree):
    count: Expr
    unit: Unit
    data: Identifier | None
    batching: Batching | None
    target: Identifier | None
    options: tuple[Argument, ...]
    body: Block


class Every(StatementTree):
    """`every` and `after every`."""

    count: Expr
    unit: Unit
    body: Block
    after: bool


class Broken(StatementTree):
    """A statement with a syntax error, in either half. The span is its text, without its block.

    `word` is the word of the statement that it most likely is, or "". `targets` are the names that it most likely
    binds; `is_unread` says whether it binds some that cannot be read.
    """

    word: str
    targets: tuple[Identifier, ...]
    is_unread: bool
    body: Block


class File(Tree):
    """A whole text. `errors` are those of its syntax, in order; what they are in is `Broken`."""

    body: Block
    errors: tuple[Diagnostic, ...] = ()


# The values of a node's fields.
Part: TypeAlias = "Tree | tuple[Part, ...] | Span | bool | int | float | complex | str | None"


def trees(part: Part) -> Iterator[Tree]:
    """The nodes of a part of the tree."""
    todo = [part]
    while todo:
        match todo.pop():
            case Tree() as node:
                yield node
                todo += [getattr(node, name) for name in type(node).__match_args__ if name != "span"]
            case tuple() as parts:
                todo += parts
            case _:
                pass


# All statements. Code that matches over statements and misses one fails type checking. `If`, `For` and `Broken` are
# in both halves.
GraphStatement = (
    Seed
    | GraphVersion
    | Param
    | Data
    | Placeholder
    | Variable
    | Assign
    | ExpressionStatement
    | Loss
    | Optimize
    | ApplyGradients
    | Summary
    | Signature
    | Return
    | Import
    | Scope
    | Device
    | Container
    | After
    | Graph
    | While
    | Def
    | GraphFunction
    | Session
)
SessionStatement = (
    Init
    | Restore
    | Save
    | Run
    | Print
    | Set
    | LogTo
    | Log
    | Expect
    | Export
    | Write
    | Bind
    | Evaluate
    | Feed
    | Stop
    | StopAfter
    | Keep
    | Checkpoint
    | Train
    | Every
)
Statement = GraphStatement | SessionStatement | If | For | Broken
Feeding = Run | Print | Set | Log | Expect | Stop | Write | Bind  # those that `with` can feed
