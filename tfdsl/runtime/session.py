"""Runs the sessions of a program: each opens one `tf.Session`, runs its statements in order, closes it."""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..access import access_of
from ..diagnostics import (
    CALL_SLOW,
    EXPECT_FAILED,
    LOG_SHARED,
    NO_MEMORY,
    RUN_FAILED,
    VARIABLE_CLEARED,
    VARIABLE_GONE,
    Diagnostic,
    Note,
    TfgError,
)
from ..lowering.blame import failed_op
from ..lowering.failures import failure, plain_reason
from ..lowering.graph import BuiltGraph
from ..lowering.tf import tf, v1
from ..program import (
    Checkpoint,
    Counter,
    Expect,
    Export,
    Feed,
    Fetch,
    Init,
    Log,
    LogTo,
    Origin,
    PlanExpr,
    Print,
    Ref,
    Restore,
    Run,
    Save,
    Session,
    Set,
    Shown,
    Stop,
    Train,
    Value,
    fetches_of,
    known_text,
)
from ..render import render_text
from ..source import Span
from .checkpoint.manager import Kept, Resume
from .cluster.recovery import Place, Recovery
from .execution import evaluate as host
from .execution import random_state
from .execution.cluster_session import Late, Lost
from .execution.data_session import DataSession
from .execution.determinism import determinism, is_seeded, opening_is_seeded
from .execution.devices import check_devices
from .execution.feeds import check_shapes, convert
from .execution.in_order import InOrder
from .execution.nan import Health, Watch
from .execution.savers import Savers
from .execution.streams import Streams
from .execution.trace import FIRST_STEP, OTHER, SETUP, STEP
from .files.event_log import EventLog
from .options import Options
from .result import Interrupted, Result
from .statements.export import export, exported

if TYPE_CHECKING:
    from .training.select import Engines


@dataclass(slots=True)
class SessionRun:
    """One open session. `around` is what its statements can see besides the graph."""

    plan: Session
    built: BuiltGraph
    session: v1.Session
    savers: Savers
    options: Options
    result: Result
    around: host.Surroundings
    number: int = 0  # of the session in the program
    log: EventLog | None = None
    step: int = 0
    resumed: bool = False  # from a checkpoint
    streams: Streams | None = None  # of the random ops, where a training runs in the graph
    engines: "Engines | None" = None  # of its trainings
    recovery: Recovery | None = None  # on a cluster
    at: int = 0  # the statement that is run
    health: Health = field(init=False)  # of its variables
    watch: Watch | None = None  # over the losses, while it trains
    in_order: InOrder = field(init=False)
    warned: set[tuple[str, Span | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.health = Health(self.built, self._values)
        self.in_order = InOrder(self)

    def begin(self) -> None:
        """Give variables and random ops what they have when the session opens."""
        if not self.built.setting.soft_placement:
            check_devices(self.built, self.session)
        random_state.initialise(self)
        if self.options.share is not None and not self.options.share.part.is_chief:
            return  # whose variables the chief initialises
        copier = self.engines.copier if self.options.deterministic and self.recovery is None else None
        with determinism(copier is not None and opening_is_seeded(self.built, copier)):
            if self.plan.initialise:
                if self.recovery is not None:
                    self.recovery.forget()
                self.initialise(None, self.plan.origin)
            else:
                self.initialise_slots(self.plan.origin)

    def warn(self, warning: Diagnostic) -> None:
        """Say a warning, once for each place."""
        if (warning.code, warning.span) not in self.warned:
            self.warned.add((warning.code, warning.span))
            self.options.note(render_text(warning).rstrip())

    def hold(self, place: Place, always: bool = False) -> bool:
        """On a cluster, keep the state of this moment, to go on with when a server is lost."""
        return self.recovery is not None and self.recovery.hold(place, always)

    # --- executing the graph --------------------------------------------------------------

    def execute(self, fetches: list, feeds: Iterable[Feed], origin: Origin, kind: int = OTHER) -> list:
        """One execution of the graph. What fails in it is reported at the line of the node that failed."""
        feed_dict = self.feed_dict(feeds)

        def call(fetches: list, feed_dict: dict) -> list:
            if self.options.tracer is None:
                return self.session.run(fetches, feed_dict)
            return self.options.tracer.run(kind, self.built, self.session, fetches, feed_dict)

        try:
            return self.in_order.execute(fetches, feed_dict, origin, call)
        except tf.errors.OpError as error:
            had_values = self.recovery is not None and self.plan.initialise
            raise run_failure(self.built, error, origin, had_values) from error
        except (ValueError, TypeError, RuntimeError) as error:
            raise failure(RUN_FAILED, origin, reason=plain_reason(error)) from error

    def feed_dict(self, feeds: Iterable[Feed]) -> dict:
        result, checked = {}, []
        for feed in feeds:
            type = self.built.program.type(feed.ref)
            warn = None if isinstance(feed.value, Value) else self.warn  # of what is written out the check has told
            array = convert(host.value(feed.value, {}, self.around), type, feed.text, feed.origin, warn)
            result[self.built.tensor(feed.ref)] = array
            checked.append((feed.text, type, array, feed.origin))
        check_shapes(checked)
        return result

    def fetch(self, exprs: Iterable[PlanExpr], feeds: Iterable[Feed], origin: Origin) -> dict[Ref, object]:
        """The values of all tensors that some expressions need, from one execution."""
        refs = list(dict.fromkeys(ref for expr in exprs for ref in fetches_of(expr)))
        if not refs:
            return {}
        return dict(zip(refs, self.compute(refs, [self.built.value(ref) for ref in refs], feeds, origin), strict=True))

    def compute(
        self, refs: Sequence[Ref], fetches: list, feeds: Iterable[Feed], origin: Origin, kind: int = OTHER
    ) -> list:
        """The values of references, from one execution. If it takes a step of a training, the loss of the step is
        checked, too."""
        if self.watch is None:
            if self.health.takes_step(refs):
                self.health.begin()
            return self.execute(fetches, feeds, origin, kind)
        losses = self.watch.losses(refs)
        values = self.execute([*fetches, *map(self.built.watched, losses)], feeds, origin, kind)
        self.watch.check(losses, values[len(fetches) :], self.step)
        return values[: len(fetches)]

    def value(self, expr: PlanExpr, fetched: Mapping[Ref, object], origin: Origin, within: float | None = None):
        """An expression's value; arithmetic that fails is an error of the statement."""
        try:
            with np.errstate(all="ignore"):
                return host.value(expr, fetched, self.around, within)
        except (TypeError, ValueError, ArithmeticError, IndexError) as error:
            raise failure(RUN_FAILED, origin, reason=plain_reason(error)) from error

    def keep_variables(self) -> None:
        """Record what the variables are now; those that were never initialised are left out."""
        if not self.options.keep_variables and self.options.session_ended is None:
            return
        prefix = f"{self.built.program.name}." if self.built.program.name else ""
        variables = {prefix + variable.op.name: variable for variable in self.built.variables()}
        values = self._values(variables)
        self.result.variables |= values
        if self.options.session_ended is not None:
            self.options.session_ended(self.number, values)

    def _values(self, variables: Mapping[str, tf.Variable]) -> dict[str, np.ndarray]:
        """What those of some variables are that have a value."""
        try:
            return self.session.run(variables) if variables else {}
        except tf.errors.FailedPreconditionError:
            values = {}
            for name, variable in variables.items():
                with suppress(tf.errors.FailedPreconditionError):
                    values[name] = self.session.run(variable)
            return values

    # --- statements -----------------------------------------------------------------------

    def statement(self, statement: object) -> None:
        """Run one statement that is not part of a training's machinery."""
        match statement:
            case Print():
                self._print(statement)
            case Run():
                self.operate(statement)
            case Log():
                self._log(statement)
            case Expect():
                self._expect(statement)
            case Set():
                self._set(statement)
                self.health.meant([self.built.value(statement.variable).op.name])
            case Init(variables=variables):
                self.initialise(variables, statement.origin)
                self.health.meant(None if variables is None else [self.built.value(ref).op.name for ref in variables])
            case Restore():
                self._restore(statement)
                restored = None if statement.if_exists else self.savers.variables(statement.pairs).values()
                self.health.meant(None if restored is None else [variable.op.name for variable in restored])
            case Save():
                self._check_health(self.savers.variables(statement.pairs), statement.origin)
                path = self.text(statement.path)
                self.savers.save(self.session, statement.pairs, path, statement.origin)
                self.result.saved.append(path)
            case Export():
                self._check_health(exported(self.built, statement), statement.origin)
                path = self.text(statement.path)
                export(self.built, self.session, statement, path, self.options.access)
                self.result.saved.append(path)
            case LogTo() if self._is_untold(statement, 0):
                folder = self.options.logdir or self.text(statement.path)
                if self.options.logdir or known_text(statement.path) is None:  # or else the check has told
                    self._warn_shared(folder, statement.origin)
                if self.log is not None:
                    self.log.close()
                self._log_to(folder, statement.origin)
            case LogTo():  # it was opened before a server was lost
                pass
            case _:
                raise AssertionError(f"not a statement of a session: {statement}")

    def _check_health(self, variables: Mapping[str, tf.Variable], origin: Origin) -> None:
        """Refuse to save variables that a training has spoilt."""
        names = [variable.op.name for variable in variables.values()]
        notes = [Note("it would be saved on line {line}", origin.span)]
        self.health.check("after a step of a training", "nothing is saved", origin, notes, names)

    def operate(self, statement: Run) -> None:
        operations = [self.built.operation(ref) for ref in statement.refs]
        kind = OTHER if self.around.batch is None else STEP if self.step else FIRST_STEP
        self.compute(statement.refs, operations, statement.feeds, statement.origin, kind)

    def text(self, expr: PlanExpr) -> str:
        return str(host.value(expr, {}, self.around))

    def initialise(self, variables: tuple[Ref, ...] | None, origin: Origin) -> None:
        """Give variables their initial values; all of them, and what the optimizers keep, for None."""
        for operations in self._initialisers(variables):
            self.execute(operations, (), origin, SETUP)
        if variables is None:
            self.initialise_slots(origin)

    def initialise_slots(self, origin: Origin) -> None:
        """Give the optimizers' own variables, which the program cannot name, their initial values."""
        named = {id(self.built.value(Ref(node.id))) for node in self.built.program.variables()}
        slots = [v for v in self.built.variables() if id(v) not in named]
        if self.recovery is not None and not self.plan.initialise:
            slots = self.recovery.missing(slots)
        if slots:
            self.execute([slot.initializer for slot in slots], (), origin, SETUP)

    def _initialisers(self, variables: tuple[Ref, ...] | None) -> list[list]:
        """What initialises variables, in turns: those that a value is made from come in a turn before it."""
        program = self.built.program
        refs = [Ref(node.id) for node in program.variables()] if variables is None else variables
        turn_of: dict[int, int] = {}
        turns: list[list] = []
        for id in sorted({ref.node for ref in refs}):  # a node comes after those that it is made from
            needed = program.reach(list(program.nodes[id].inputs()))
            turn = turn_of[id] = 1 + max((turn_of[n] for n in needed if n in turn_of), default=-1)
            if turn == len(turns):
                turns.append([])
            turns[turn].append(self.built.value(Ref(id)).initializer)
        return turns

    def replay(self, statement: Print | Expect | Stop, fetched: Mapping[Ref, object]) -> None:
        """What a statement does outside of the graph, with the values that it had in it."""
        match statement:
            case Print():
                self._print(statement, fetched)
            case Expect():
                self._expect(statement, fetched)

    def _print(self, statement: Print, fetched: Mapping[Ref, object] | None = None) -> None:
        if fetched is None:
            fetched = self.fetch(statement.uses().values, statement.feeds, statement.origin)
        shown = []
        for item in statement.items:
            value = self.value(item.value, fetched, statement.origin)
            if not isinstance(value, str):
                self.result.values[item.text] = value
            shown.append(str(value))
        if self._is_untold(statement, self.step):
            line = " ".join(shown)
            self.result.printed.append(line)
            self.options.write(line)

    def _is_untold(self, statement: Print | LogTo, step: int) -> bool:
        """Whether this is the first time: on a cluster, a part of the session may be run again."""
        return self.recovery is None or self.recovery.told.is_new(Place(self.at, step), statement)

    def is_unlogged(self, statement: Log, step: int) -> bool:
        """The same of what is logged, which is written later."""
        return self.recovery is None or self.recovery.logged.is_new(Place(self.at, step), statement)

    def _log(self, statement: Log) -> None:
        refs = statement.summaries
        written = self.compute(refs, [self.built.value(ref) for ref in refs], statement.feeds, statement.origin)
        if not self.is_unlogged(statement, self.step):
            return
        for serialized in written:
            self.add_summary(v1.Summary.FromString(serialized), self.step)

    def _warn_shared(self, folder: str, origin: Origin) -> None:
        if any(one.folder == folder and one.session != self.number for one in self.result.events):
            self.warn(Diagnostic(LOG_SHARED, origin.span, {"folder": folder}, chain=origin.chain))

    def _log_to(self, folder: str, origin: Origin) -> None:
        access = self.options.access if self.options.logdir is None else access_of(self.options.logdir)
        # What this session has logged there, before it was stopped, stays.
        mine = [f.last + 1 for f in self.result.events if (f.session, f.folder) == (self.number, folder)]
        step = max([self.step, *mine]) if self.resumed else self.step
        self.log = EventLog(folder, access, self.built, origin, self.result.run, self.number, step, self.options.note)
        self.result.events.append(self.log.file)
        if folder not in self.result.logdirs:
            self.result.logdirs.append(folder)

    def add_summary(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write a summary, and keep its scalars; `time` is when it was made, in seconds since 1970, if not now."""
        self.log.add(summary, step, time)
        for value in summary.value:
            if value.WhichOneof("value") == "simple_value":
                self.result.history.setdefault(value.tag, []).append((step, value.simple_value))

    def add_scalar(self, tag: str, value: float, step: int, time: float) -> None:
        """As `add_summary`, of one number."""
        self.log.add(v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=value)]), step, time)
        self.result.history.setdefault(tag, []).append((step, value))

    def _expect(self, statement: Expect, fetched: Mapping[Ref, object] | None = None) -> None:
        if fetched is None:
            fetched = self.fetch(statement.uses().values, statement.feeds, statement.origin)
        within = None
        if statement.within is not None:
            within = float(self.value(statement.within, fetched, statement.origin))
        self.result.expectations += 1
        if host.truth(self.value(statement.condition, fetched, statement.origin, within)):
            return
        notes = [
            Note(f"{side.text} is {self._shown(side, fetched, statement.origin)}")
            for side in statement.sides
            if not is_written_out(side)
        ]
        text = statement.text + (f" within {within:g}" if within is not None else "")
        raise failure(EXPECT_FAILED, statement.origin, notes, text=text)

    def _shown(self, side: Shown, fetched: Mapping[Ref, object], origin: Origin) -> str:
        text = " ".join(str(self.value(side.value, fetched, origin)).split())
        return text if len(text) <= 400 else text[:397] + "..."

    def _set(self, statement: Set) -> None:
        fetched = self.fetch([statement.value], statement.feeds, statement.origin)
        value = self.value(statement.value, fetched, statement.origin)
        type = self.built.program.type(statement.variable)
        name = self.built.program.nodes[statement.variable.node].name
        warn = None if isinstance(statement.value, Value) else self.warn
        array = convert(value, type, name, statement.origin, warn)
        check_shapes([(name, type, array, statement.origin)])
        placeholder, assign = setter(self.built, self.built.value(statement.variable))
        self.session.run(assign, {placeholder: array})

    def _restore(self, statement: Restore) -> None:
        path = self.text(statement.path)
        if statement.if_exists and not self.savers.exists(path, statement.origin):
            self.initialise(None, statement.origin)
            return
        self.savers.restore(self.session, statement.pairs, path, statement.origin)


def is_written_out(side: Shown) -> bool:
    """Whether a side of an expectation is a number that stands in the program."""
    return (
        not isinstance(side.value, (Fetch, Counter))
        and not list(fetches_of(side.value))
        and side.text[:1] in '0123456789-["('
    )


# What TensorFlow says of a variable that is not there.
_NO_VARIABLE = re.compile(
    r"Resource [^/ ]+/(\S+)/N10tensorflow3VarE does not exist|Could not find variable (\S+?)\. "
    r"|Could not find resource: [^/ ]+/(\S+?)\)|Invalid variable reference"
)


def is_variable_gone(error: Exception) -> bool:
    """Whether a call failed because a variable has no value."""
    return isinstance(error, tf.errors.OpError) and _NO_VARIABLE.search(error.message) is not None


def run_failure(built: BuiltGraph, error: tf.errors.OpError, statement: Origin, had_values: bool = False) -> TfgError:
    """A failure inside TensorFlow, at the place of the node whose op failed. A variable that has no value may have had
    one in this session."""
    reason = plain_reason(error)
    help = NO_MEMORY.help if isinstance(error, tf.errors.ResourceExhaustedError) else ""
    missing = _NO_VARIABLE.search(error.message)
    known = next(filter(None, missing.groups()), "") if missing else ""
    if missing and had_values:
        return failure(VARIABLE_CLEARED, statement, name=f"'{known}'" if known else "a variable")
    if known:
        return failure(VARIABLE_GONE, statement, name=known)
    op = failed_op(built, error)
    if op is None or op.node is None:
        return failure(RUN_FAILED, statement, reason=reason)
    origin = op.node.origin
    notes = [Note(f"the op is {op.name}, of the kind {op.type}" if op.type else f"the op is {op.name}")]
    if op.taken is not None:
        notes.append(Note("it computes the gradient that line {line} takes", op.taken.origin.span))
    if origin.span != statement.span:
        notes.append(Note("it was run by line {line}", statement.span))
    found = Diagnostic(RUN_FAILED, origin.span, {"reason": reason}, tuple(notes), help, origin.chain)
    return TfgError([found.outside_libraries()])


@contextmanager
def opened(
    plan: Session,
    built: BuiltGraph,
    arrays: Callable,
    options: Options,
    result: Result,
    number: int = 0,
    resume: Resume | None = None,
) -> Iterator[SessionRun]:
    """A session ready for its statements: helper nodes made, variables initialised if the plan says so."""
    from ..program import walk
    from .notices import say_before
    from .training.select import Engines

    savers = Savers(built, options.access)
    now = time.strftime("%Y%m%d%H%M%S", time.gmtime()) if resume is None else resume.state.about["now"]
    around = host.Surroundings(arrays, {"now": now})
    for statement in walk(plan.body):
        match statement:
            case Save() | Restore():
                savers.saver(statement.pairs)
            case Checkpoint():
                savers.saver(None)
            case Set():
                setter(built, built.value(statement.variable))
    soft, servers = built.setting.soft_placement, options.servers
    if servers is None:
        session = DataSession(built.data, v1.ConfigProto(allow_soft_placement=soft))
    else:
        session = servers.session(built.data, soft)
    run = SessionRun(plan, built, session, savers, options, result, around, number, resumed=resume is not None)
    if servers is not None:
        run.recovery = Recovery(run, servers, options.share)
    try:
        run.engines = Engines(run, plan.body)
        say_before(run)
        if run.recovery is None:
            run.begin()
        else:
            run.recovery.begin(resume)
        copier = run.engines.copier if options.deterministic and servers is None else None
        with determinism(copier is not None and is_seeded(built, copier, plan.body)):
            yield run
    finally:
        run.session.close()
        if run.log is not None:
            run.log.close()


def setter(built: BuiltGraph, variable: tf.Variable) -> tuple:
    """A placeholder and the op that assigns it to a variable, added when first asked for."""
    name = variable.op.name
    with built.lock:
        if name not in built.setters:
            with built.adding("set"):
                placeholder = v1.placeholder(variable.dtype.base_dtype, variable.shape, name=name.split("/")[-1])
                built.setters[name] = placeholder, variable.assign(placeholder, read_value=False)
        return built.setters[name]


def run_session(
    plan: Session, built: BuiltGraph, arrays: Callable, options: Options, result: Result, kept: Kept, number: int,
    resume: Resume | None,
) -> None:  # fmt: skip
    """Run one session; from a checkpoint on where an interrupted training goes on."""
    with opened(plan, built, arrays, options, result, number, resume) as run:
        try:
            _run_statements(run, plan, kept, resume)
        except Interrupted:
            with suppress(Lost, Late):  # it may have waited for a server
                run.keep_variables()
            raise
        except Late:
            raise failure(CALL_SLOW, plan.body[run.at].origin, seconds=options.timeout) from None


def _run_statements(run: SessionRun, plan: Session, kept: Kept, resume: Resume | None) -> None:
    """Run a session's statements; where a server is lost meanwhile, those again that come after what is held."""
    start = Place() if resume is None else Place(resume.position.statement, resume.position.step)
    run.step = start.step
    while True:
        try:
            _run_from(run, plan, kept, start, resume)
            run.keep_variables()
            return
        except Lost as lost:
            held = run.recovery.again(lost)
            start, resume = held.place, held.resume


def _run_from(run: SessionRun, plan: Session, kept: Kept, start: Place, resume: Resume | None) -> None:
    from .training.train import train

    for at, statement in enumerate(plan.body):
        if run.options.interrupted():
            raise Interrupted
        if at < start.statement and not isinstance(statement, LogTo):
            continue
        run.at = at
        if isinstance(statement, Save):  # which may replace what an earlier statement has restored
            run.hold(Place(at), always=True)
        if isinstance(statement, Train):
            is_first = at == start.statement
            train(run, statement, kept, (run.number, at), resume if is_first else None, start.step if is_first else 0)
            run.hold(Place(at + 1), always=True)
        elif isinstance(statement, Stop):
            raise AssertionError("'stop when' outside a training")
        else:
            run.statement(statement)
