"""The plan half of the typed program: the statements of the sessions, and the whole program.

Names in statements are references to nodes.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, cast, get_args
from typing import Literal as _Literal

from ..record import Record
from ..syntax.tree import Unit
from .graph import Field, Graph, HostValue, Origin, Ref, Signature
from .session_expressions import (
    BatchField,
    Feed,
    PlanExpr,
    Shown,
    fetches_of,
    kept_at,
    known_text,
    session_names_of,
)


class Moved(Record):
    """A scope that is called `name` in a file. `scope` is the name of the scope in TensorFlow."""

    scope: str
    name: str

    def of(self, own: str) -> str:
        """The name in the file for the variable `own` of the graph. A variable from outside the scope that is shared
        with it keeps its name."""
        inside = own.removeprefix(f"{self.scope}/")
        return own if inside == own else f"{self.name}/{inside}"


# Variables with their names in a file, "" for their own; None for all variables. A step of an optimizer stands for the
# variables that it keeps.
Pairs = tuple[tuple[Ref, str | Moved], ...] | None


class Uses(Record):
    """What a statement uses itself, without the statements nested in it, which have their own.

    `runs` is executed and the tensors in `values` are fetched, in one execution with `feeds`. `initialises` has the
    variables that the statement may initialise, None for all. `overwrites` has the variables whose values it
    replaces, and `sets` those with a new value computed outside the graph. `path` is the path of a file or folder.
    `stores` has the variables in it with their names there, and `exports` the exported tensors. `binds` has the names
    of the session that it gives values, `remembers` those under which it keeps something for itself from one time to
    the next, and `data` the data set that it goes over.
    """

    runs: tuple[Ref, ...] = ()
    values: tuple[PlanExpr, ...] = ()
    feeds: tuple[Feed, ...] = ()
    initialises: tuple[Ref, ...] | None = ()
    overwrites: tuple[Ref, ...] | None = ()
    sets: tuple[Ref, ...] = ()
    path: PlanExpr | None = None
    stores: tuple[Pairs, ...] = ()
    exports: tuple[Ref, ...] = ()
    binds: tuple[str, ...] = ()
    remembers: tuple[str, ...] = ()
    data: tuple[str, str] | None = None
    body: tuple["Statement", ...] = ()

    @property
    def executes(self) -> list[Ref]:
        """The nodes that it runs or fetches."""
        return [*self.runs, *fetches_of(*self.values)]

    @property
    def expressions(self) -> list[PlanExpr]:
        """All expressions that are evaluated outside the graph."""
        return [*self.values, *(feed.value for feed in self.feeds), *(() if self.path is None else (self.path,))]

    @property
    def session_names(self) -> set[str]:
        """The names of the session whose values it needs, apart from data that it goes over."""
        return session_names_of(*self.expressions)


class SessionStatement(Record):
    """A statement of a session. Each class defines its first words in messages, what it uses, and whether it can be
    part of a training loop inside the graph. A class without one of them fails to load."""

    origin: Origin

    def __init_subclass__(cls) -> None:
        for name in ("word", "uses", "is_in_graph"):
            if name not in cls.__dict__:
                raise TypeError(f"the statement {cls.__name__} does not say {name}")

    if TYPE_CHECKING:
        word: ClassVar[str]

        def uses(self) -> Uses: ...

        def is_in_graph(self) -> bool: ...


class Init(SessionStatement):
    """Initialise these variables, or all of them if `variables` is None, and the variables that the optimizers of these
    steps keep."""

    word = "init"
    variables: tuple[Ref, ...] | None
    steps: tuple[Ref, ...] = ()

    def uses(self) -> Uses:
        overwritten = None if self.variables is None else (*self.variables, *self.steps)
        return Uses(initialises=self.variables, overwrites=overwritten)

    def is_in_graph(self) -> bool:
        return False


class Restore(SessionStatement):
    """Read variables from a checkpoint: pairs of a variable and its name there, or all of them if None."""

    word = "restore"
    path: PlanExpr
    pairs: Pairs
    if_exists: bool

    def uses(self) -> Uses:
        restored = None if self.pairs is None else tuple(ref for ref, _ in self.pairs)
        initialised = None if self.if_exists else ()
        return Uses(
            initialises=initialised, overwrites=restored, path=self.path, stores=(self.pairs,),
            remembers=kept_at(self.path),
        )  # fmt: skip

    def is_in_graph(self) -> bool:
        return False


class Save(SessionStatement):
    word = "save"
    path: PlanExpr
    pairs: Pairs

    def uses(self) -> Uses:
        return Uses(path=self.path, stores=(self.pairs,))

    def is_in_graph(self) -> bool:
        return False


class Run(SessionStatement):
    word = "run"
    refs: tuple[Ref, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(runs=self.refs, feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Print(SessionStatement):
    word = "print"
    items: tuple[Shown, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=tuple(item.value for item in self.items), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Set(SessionStatement):
    word = "set"
    variable: Ref
    value: PlanExpr
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=(self.value,), feeds=self.feeds, sets=(self.variable,))

    def is_in_graph(self) -> bool:
        return False


class LogTo(SessionStatement):
    word = "log to"
    path: PlanExpr

    def uses(self) -> Uses:
        return Uses(path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Log(SessionStatement):
    word = "log"
    summaries: tuple[Ref, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(runs=self.summaries, feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class LogValues(SessionStatement):
    """Write values of the session as the run `run` beside the session's event file. Each has the scalar summary whose
    tag it gets."""

    word = "log"
    run: str
    items: tuple[tuple[Ref, PlanExpr], ...]

    def uses(self) -> Uses:
        return Uses(values=tuple(value for _, value in self.items))

    def is_in_graph(self) -> bool:
        return False


class Expect(SessionStatement):
    word = "expect"
    condition: PlanExpr
    text: str
    sides: tuple[Shown, ...]
    within: PlanExpr | None
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        within = () if self.within is None else (self.within,)
        return Uses(values=(self.condition, *(side.value for side in self.sides), *within), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Stop(SessionStatement):
    word = "stop when"
    condition: PlanExpr
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=(self.condition,), feeds=self.feeds)

    def is_in_graph(self) -> bool:
        return True


class Export(SessionStatement):
    """Write a SavedModel with some signatures. `made` has placeholders with fields of data. The model computes
    these fields from the columns of the data's source."""

    word = "export"
    path: PlanExpr
    signatures: tuple[Signature, ...]
    made: tuple[tuple[Ref, Field], ...] = ()

    @property
    def outputs(self) -> tuple[tuple[str, Ref], ...]:
        """The outputs of all signatures."""
        return tuple(pair for one in self.signatures for pair in one.outputs)

    @property
    def inputs(self) -> tuple[tuple[str, Ref], ...]:
        """The inputs of all signatures."""
        return tuple(pair for one in self.signatures for pair in one.inputs)

    @property
    def given(self) -> frozenset[Ref]:
        """The placeholders whose values are inputs, or made of inputs."""
        return frozenset(ref for _, ref in self.inputs) | {ref for ref, _ in self.made}

    def uses(self) -> Uses:
        return Uses(path=self.path, exports=tuple(ref for one in self.signatures for ref in one.executes))

    def is_in_graph(self) -> bool:
        return False


class Write(SessionStatement):
    """Write values to a file, each with its name there."""

    word = "write"
    path: PlanExpr
    items: tuple[Shown, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=tuple(item.value for item in self.items), feeds=self.feeds, path=self.path)

    def is_in_graph(self) -> bool:
        return False


class Bind(SessionStatement):
    """Give names of the session values, from one execution. A value with a name in `dtypes` is converted to it."""

    word = "NAME ="
    names: tuple[str, ...]
    values: tuple[PlanExpr, ...]
    dtypes: tuple[str, ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=self.values, feeds=self.feeds, binds=self.names)

    def is_in_graph(self) -> bool:
        return False


class Evaluated(Record):
    """A tensor that an `evaluate` evaluates, called `field` if there are several. A training over the values finds it
    as `column`. `value` computes it from what is fetched; `dtype` is that of the result."""

    tensor: Ref
    field: str
    column: str
    value: PlanExpr
    dtype: str


Combination = _Literal["fixed", "rows", "mean", "sum", "made"]


class Evaluate(SessionStatement):
    """Give a name the values of some tensors over all `rows` of a data set or of a part of it, in their order; several
    names get one each. `size` is the batch size, None for all rows at once. `combined` says how the values of the
    batches are combined: by concatenation of rows, as a mean weighed by the rows, as a sum, or as a value that is the
    same for all. A value that depends on means and sums is computed from their totals over all rows.
    """

    word = "NAME = evaluate"
    names: tuple[str, ...]
    items: tuple[Evaluated, ...]
    data: tuple[str, str]
    rows: int
    size: int | None
    combined: tuple[tuple[Ref, Combination], ...]
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        values = tuple(item.value for item in self.items)
        return Uses(values=values, feeds=self.feeds, binds=self.names, data=self.data)

    def is_in_graph(self) -> bool:
        return False


class Checkpoint(SessionStatement):
    word = "checkpoint"
    count: int | float
    unit: Unit
    path: PlanExpr

    def uses(self) -> Uses:
        return Uses(path=self.path, stores=(None,))

    def is_in_graph(self) -> bool:
        return False


class If(SessionStatement):
    """Run one of two blocks, by a value that only the session knows. An `elif` is an `If` in the other block."""

    word = "if"
    condition: PlanExpr
    feeds: tuple[Feed, ...]
    then: tuple["Statement", ...]
    otherwise: tuple["Statement", ...]

    def uses(self) -> Uses:
        return Uses(values=(self.condition,), feeds=self.feeds, body=(*self.then, *self.otherwise))

    def is_in_graph(self) -> bool:
        return False


class Keep(SessionStatement):
    """Write all variables to a checkpoint when a value is better than it has been before in this training. `state` is
    the name under which the session keeps the best value."""

    word = "keep"
    value: PlanExpr
    text: str
    highest: bool
    path: PlanExpr
    state: str
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        remembers = (self.state, *kept_at(self.path))
        return Uses(values=(self.value,), feeds=self.feeds, path=self.path, stores=(None,), remembers=remembers)

    def is_in_graph(self) -> bool:
        return False


class StopAfter(SessionStatement):
    """End the training if a value has not become better, by more than `by`, for a number of epochs, batches or steps.
    `state` is the name under which the session keeps the best value and when it was."""

    word = "stop after"
    count: int
    unit: Unit
    value: PlanExpr
    text: str
    highest: bool
    by: float
    state: str
    feeds: tuple[Feed, ...]

    def uses(self) -> Uses:
        return Uses(values=(self.value,), feeds=self.feeds, remembers=(self.state,))

    def is_in_graph(self) -> bool:
        return False


class Every(SessionStatement):
    """Run a block at some steps: before the step at which a count, from 0, is a multiple of `count`, or `after` the
    step with which such a number of them has ended."""

    word = "every"
    count: int | float
    unit: Unit
    body: tuple["Statement", ...]
    after: bool = False

    def uses(self) -> Uses:
        return Uses(body=self.body)

    def is_in_graph(self) -> bool:
        return not self.after and self.unit != "second" and all(one.is_in_graph() for one in self.body)


EngineName = _Literal["step", "loop", "xla", "auto"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)
OnNan = _Literal["stop", "ignore"]
ON_NAN: tuple[OnNan, ...] = get_args(OnNan)


class Train(SessionStatement):
    """A training loop. `body` ends with a `Run` for each optimizer if the program runs none itself.

    `data` is a data set and its part ("housing", "train"), None for a loop without data. `size` is the batch size,
    None for all rows. `engine` is one of `ENGINES`. `on_nan` is one of `ON_NAN` and decides what happens when the
    loss is not a number. Both are "" if the program does not set them.
    """

    word = "train"
    count: int
    unit: Unit
    data: tuple[str, str] | None
    size: int | None
    order: str
    seed: int
    body: tuple["Statement", ...]
    engine: EngineName | _Literal[""] = ""
    on_nan: OnNan | _Literal[""] = ""

    def uses(self) -> Uses:
        return Uses(body=self.body, data=self.data)

    def is_in_graph(self) -> bool:
        return False


# All statements. Code that matches over statements and misses one fails type checking.
Statement = (
    Init
    | Restore
    | Save
    | Run
    | Print
    | Set
    | LogTo
    | Log
    | LogValues
    | Expect
    | Stop
    | Export
    | Write
    | Bind
    | Evaluate
    | If
    | Keep
    | StopAfter
    | Checkpoint
    | Every
    | Train
)


class Session(Record):
    """One session. `initialise` is true if every variable is initialised when it opens."""

    name: str
    graph: str
    initialise: bool
    body: tuple["Statement", ...]
    origin: Origin


def walk(statements: Iterable[Statement]) -> list[Statement]:
    """All statements. Statements in a loop follow the loop."""
    found: list[Statement] = []
    for statement in statements:
        found.append(statement)
        found += walk(statement.uses().body)
    return found


def names_given(statements: Iterable[Statement]) -> frozenset[str]:
    """The names of the session that get values from statements."""
    return frozenset(name for one in walk(statements) for name in one.uses().binds)


def batch_fields(training: "Train") -> tuple[str, ...]:
    """The fields of batches that a training uses, in the order of their first use."""
    found: dict[str, None] = {}
    todo: list[object] = [training.body]
    while todo:
        match todo.pop():
            case BatchField(field=field):
                if field != "rows":
                    found[field] = None
            case Evaluate():  # it has batches of its own
                pass
            case Record() as record:
                todo += (getattr(record, name) for name in reversed(record.__match_args__))
            case items:
                todo += reversed(cast(tuple[object, ...], items)) if isinstance(items, tuple) else ()  # of any fields
    return tuple(found)


# --- the whole --------------------------------------------------------------------------------


class Param(Record):
    name: str
    type: str  # int, float, bool, str, list or none
    value: HostValue


class DataStage(Record):
    """A source or a transform with all its arguments."""

    name: str
    arguments: Mapping[str, HostValue]


class Data(Record):
    """A `data` declaration. Its paths are relative to `folder`."""

    name: str
    source: DataStage
    transforms: tuple[DataStage, ...]
    folder: str
    rows: int
    columns: int
    origin: Origin


class Program(Record):
    """A checked program."""

    path: str
    params: tuple[Param, ...]
    data: tuple[Data, ...]
    graphs: tuple[Graph, ...]
    sessions: tuple[Session, ...]

    def graph(self, name: str = "") -> Graph:
        return next(g for g in self.graphs if g.name == name)


def checkpoint_folders(program: Program, only: str | None = None) -> dict[str, Origin]:
    """The checkpoint folders of a program's trainings, or of those in one session, with the places that name them."""
    result: dict[str, Origin] = {}
    for session in program.sessions:
        for statement in walk(session.body) if only in (None, session.name) else ():
            if isinstance(statement, Checkpoint):
                folder = known_text(statement.path)
                assert folder is not None  # analysis/sessions/paths.py refuses other paths
                result.setdefault(folder, statement.origin)
    return result
