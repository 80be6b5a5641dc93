"""One open session: executes the graph for the statements of the session, and reports failures."""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np

from ...access import Access
from ...data.learned import Fitted
from ...data.shares import Readable
from ...diagnostics import NAN_WRITTEN, RUN_FAILED, Diagnostic, Note
from ...diagnostics.render import render_text
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure, plain_reason
from ...lowering.tf import Operand, op_determinism, tf, v1
from ...program import Export, Feed, Origin, PlanExpr, Ref, Save, Session, Statement, Value, fetches_of, names_given
from ...source import Span
from ..files.event_log import EventLog
from ..options import Options
from ..result import Result
from . import evaluate, random_state
from .data_session import DataSession
from .determinism import determinism, is_seeded, opening_is_seeded
from .devices import check_devices
from .evaluate import EvalContext
from .failures import run_failure
from .feeds import check_shapes, convert
from .in_order import InOrder
from .journal import EffectJournal, Place
from .nan import Health, Watch
from .savers import Savers
from .streams import Streams
from .trace import OTHER, SETUP


def _unknown(place: Place) -> None:
    return None


@dataclass(slots=True)
class Execution:
    """One open session. `context` has what its statements can use besides the graph. `on_cluster` says whether the
    variables are on servers.

    `known_values` returns the values of all variables at a place, if a snapshot has them.
    """

    plan: Session
    built: BuiltGraph
    session: DataSession
    savers: Savers
    options: Options
    result: Result
    context: EvalContext
    in_order: InOrder
    access: Access  # opens the files that the program names
    fitted: Callable[[str], Fitted]  # what a data set has learned
    readable: Callable[[str], Readable | None]  # how other processes can read a data set
    number: int = 0  # of the session in the program
    on_cluster: bool = False
    resumed: bool = False  # from a checkpoint
    log: EventLog | None = None
    logs_beside: dict[str, EventLog] = field(default_factory=dict)  # of values of the session, by name
    step: int = 0
    at: int = 0  # the index of the current statement
    health: Health = field(init=False)  # of its variables
    watch: Watch | None = None  # over the losses, during a training
    printed: EffectJournal = field(default_factory=EffectJournal)
    logged: EffectJournal = field(default_factory=EffectJournal)
    known_values: Callable[[Place], Mapping[str, np.ndarray] | None] = _unknown
    id: str = field(default_factory=lambda: secrets.token_hex(8))  # for servers that have more than one client
    _warned: set[tuple[str, Span | None]] = field(default_factory=set)
    _noted: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        is_stored = any(isinstance(one, (Save, Export)) for one in self.plan.body)
        self.health = Health(self.built, self.values, is_stored)

    @property
    def streams(self) -> Streams:
        """The streams of random ops, used if a training runs in the graph."""
        return self.in_order.streams

    def begin(self) -> None:
        """Give variables and random ops their values at the start of the session."""
        if not self.built.setting.soft_placement:
            check_devices(self.built, self.session)
        random_state.initialise(self.built, self.session)
        if self.options.part is not None and not self.options.part.is_chief:
            return  # the chief initialises the variables
        with determinism(self._may_be_deterministic and opening_is_seeded(self.built)):
            if self.plan.initialise:
                if self.on_cluster:
                    self._forget()
                self.initialise(None, self.plan.origin)
            else:
                self.initialise_slots(self.plan.origin)

    def deterministic(self):
        """The setting in which the session's statements run."""
        return determinism(self._may_be_deterministic and is_seeded(self.built, self.plan.body))

    @property
    def op_determinism(self) -> str:
        """Whether ops are deterministic now, on or off. Those of the servers of a cluster always are."""
        return "on" if self.on_cluster or op_determinism.is_enabled() else "off"

    @property
    def _may_be_deterministic(self) -> bool:
        return self.options.deterministic and not self.on_cluster

    def warn(self, warning: Diagnostic) -> None:
        """Issue a warning once for each place."""
        if (warning.code, warning.span) not in self._warned:
            self._warned.add((warning.code, warning.span))
            self.options.note(render_text(warning).rstrip())

    def note_once(self, line: str) -> None:
        """Note a line, once in the session."""
        if line not in self._noted:
            self._noted.add(line)
            self.options.note(line)

    def is_unprinted(self, statement: Statement, step: int) -> bool:
        """Whether a line has not been printed yet. On a cluster, a part of the session may run again."""
        return not self.on_cluster or self.printed.is_new(Place(self.at, step), statement)

    def is_unlogged(self, statement: Statement, step: int) -> bool:
        """The same for logging, which happens later."""
        return not self.on_cluster or self.logged.is_new(Place(self.at, step), statement)

    # --- executing the graph --------------------------------------------------------------

    def execute(self, fetches: list, feeds: Iterable[Feed], origin: Origin, kind: int = OTHER) -> list:
        """Execute the graph once. A failure is reported at the line of the failed node."""
        feed_dict = self.feed_dict(feeds)

        def call(fetches: list, feed_dict: dict) -> list:
            if self.options.tracer is None:
                return self.session.run(fetches, feed_dict)
            return self.options.tracer.run(kind, self.built, self.session, fetches, feed_dict)

        try:
            return self.in_order.execute(self.session, fetches, feed_dict, origin, call)
        except tf.errors.OpError as error:
            had_values = self.on_cluster and self.plan.initialise
            raise run_failure(self.built, error, origin, had_values) from error
        except (ValueError, TypeError, RuntimeError) as error:
            raise failure(RUN_FAILED, origin, reason=plain_reason(error)) from error

    def feed_dict(self, feeds: Iterable[Feed]) -> dict:
        result, checked = {}, []
        for feed in feeds:
            type = self.built.program.tensor_type(feed.ref)
            warn = None if isinstance(feed.value, Value) else self.warn  # the check warns about literals
            array = convert(self.value(feed.value, {}, feed.origin), type, feed.text, feed.origin, warn)
            result[self.built.tensor(feed.ref)] = array
            checked.append((feed.text, type, array, feed.origin))
        check_shapes(checked)
        return result

    def fetch(self, exprs: Iterable[PlanExpr], feeds: Iterable[Feed], origin: Origin) -> dict[Ref, object]:
        """The values of all tensors that some expressions need, from one execution."""
        refs = list(dict.fromkeys(fetches_of(*exprs)))
        if not refs:
            return {}
        return dict(zip(refs, self.compute(refs, [self.built.value(ref) for ref in refs], feeds, origin), strict=True))

    def compute(
        self, refs: Sequence[Ref], fetches: list[Operand], feeds: Iterable[Feed], origin: Origin, kind: int = OTHER
    ) -> list[Operand]:
        """The values of references, from one execution. If it takes a step of a training, the loss of the step is
        checked too."""
        if self.watch is None:
            self.health.computes(refs)
            if self.health.takes_step(refs):
                self.health.begin()
            return self.execute(fetches, feeds, origin, kind)
        losses = self.watch.losses(refs)
        values = self.execute([*fetches, *map(self.built.loss_tensor, losses)], feeds, origin, kind)
        self.watch.check(losses, values[len(fetches) :], self.step)
        return values[: len(fetches)]

    def value(self, expr: PlanExpr, fetched: Mapping[Ref, object], origin: Origin, within: float | None = None):
        """The value of an expression. Failing arithmetic is an error at the statement."""
        return evaluate.value_at(origin, expr, fetched, self.context, within)

    def text(self, expr: PlanExpr) -> str:
        """The text of a path."""
        return str(evaluate.value(expr, {}, self.context))

    # --- variables ------------------------------------------------------------------------

    def initialise(self, variables: tuple[Ref, ...] | None, origin: Origin, steps: tuple[Ref, ...] = ()) -> None:
        """Give variables, and those that the optimizers of steps keep, their initial values. None means all variables,
        including those of optimizers."""
        for operations in self._initialisers(variables):
            self.execute(operations, (), origin, SETUP)
        if variables is None:
            self.initialise_slots(origin)
        slots = [slot for step in steps for slot in self.built.slots[step.node]]
        if slots:
            self.execute([slot.initializer for slot in slots], (), origin, SETUP)

    def initialise_slots(self, origin: Origin) -> None:
        """Give the variables that optimizers keep, of which the program cannot name a single one, their initial
        values."""
        named = {id(self.built.value(Ref(node.id))) for node in self.built.program.variables()}
        slots = [v for v in self.built.variables() if id(v) not in named]
        if self.on_cluster and not self.plan.initialise:
            slots = self._missing(slots)
        if slots:
            self.execute([slot.initializer for slot in slots], (), origin, SETUP)

    def _initialisers(self, variables: tuple[Ref, ...] | None) -> list[list]:
        """The initializers of variables, in rounds. A variable whose initial value uses others is in a later round."""
        program = self.built.program
        refs = [Ref(node.id) for node in program.variables()] if variables is None else variables
        turn_of: dict[int, int] = {}
        turns: list[list] = []
        for id in sorted({ref.node for ref in refs}):  # a node comes after its inputs
            needed = program.reach(list(program.nodes[id].inputs()))
            turn = turn_of[id] = 1 + max((turn_of[n] for n in needed if n in turn_of), default=-1)
            if turn == len(turns):
                turns.append([])
            turns[turn].append(self.built.value(Ref(id)).initializer)
        return turns

    def _missing(self, variables: list[tf.Variable]) -> list[tf.Variable]:
        """The variables without a value on the servers."""
        built = self.built
        with built.lock:
            asked = built.added.get("known")
            if not isinstance(asked, dict):
                with built.adding("known"):
                    asked = {one.op.name: v1.is_variable_initialized(one) for one in built.variables()}
                    built.added["known"] = asked
        known = self.session.run({one.op.name: asked[one.op.name] for one in variables} or [])
        return [one for one in variables if not known[one.op.name]]

    def _forget(self) -> None:
        """Use the existing values of the program's variables on the servers. A variable left by another program may
        have the same name but another type."""
        built = self.built
        with built.lock:
            if "forget" not in built.added:
                with built.adding("forget"):
                    handles = [one.handle for one in built.variables() if not one.dtype._is_ref_dtype]
                    built.added["forget"] = [tf.raw_ops.DestroyResourceOp(resource=one) for one in handles]
        self.session.run(built.added["forget"])

    def restore_values(self, values: Mapping[str, np.ndarray]) -> None:
        """Set variables and the states of random ops, by name."""
        self.built.assign(self.session, [(one, values[one.op.name]) for one in self.built.state_variables()])

    def record_values(self) -> None:
        """Record the values of the session's names, and those of the variables, except uninitialised ones."""
        options, observer = self.options, self.options.observer
        if options.keep_variables or observer is not None:
            kept = self.context.kept
            self.result.session_values |= {name: kept[name].value for name in names_given(self.plan.body) & kept.keys()}
        elif options.session_ended is None:
            return
        prefix = self.built.program.prefix
        variables = {prefix + variable.op.name: variable for variable in self.built.variables()}
        values = self.values(variables)
        if options.keep_variables or options.session_ended is not None:
            self.result.variables |= values
        if options.session_ended is not None:
            options.session_ended(self.number, values)
        if observer is not None:
            observer.session_ends(self.number, values)

    def values(self, variables: Mapping[str, tf.Variable]) -> dict[str, np.ndarray]:
        """The values of the initialised variables."""
        try:
            return self.session.run(variables) if variables else {}
        except tf.errors.FailedPreconditionError:
            values = {}
            for name, variable in variables.items():
                with suppress(tf.errors.FailedPreconditionError):
                    values[name] = self.session.run(variable)
            return values

    def refuse_nan(self, variables: Mapping[str, tf.Variable], origin: Origin) -> None:
        """Refuse to save variables that a training made NaN, and warn of others that became NaN."""
        names = [variable.op.name for variable in variables.values()]
        notes = [Note("it would be saved on line {line}", origin.span)]
        self.health.check("after a step of a training", "nothing is saved", origin, lambda: notes, names)
        found = self.health.computed(names)
        if found is not None:
            name, notes = found
            self.warn(Diagnostic(NAN_WRITTEN, origin.span, {"name": name}, tuple(notes), chain=origin.chain))

    # --- event files ----------------------------------------------------------------------

    def logs(self) -> list[EventLog]:
        """The open event files."""
        return [*([] if self.log is None else [self.log]), *self.logs_beside.values()]

    def close_logs(self) -> None:
        for log in self.logs():
            log.close()
        self.log = None
        self.logs_beside.clear()

    def add_summary(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write a summary, and record its scalars. `time` is its time in seconds since 1970, by default now."""
        self._write(summary, step, time)
        for value in summary.value:
            if value.WhichOneof("value") == "simple_value":
                self.note_logged(value.tag, value.simple_value, step)

    def add_scalar(self, tag: str, value: float, step: int, time: float) -> None:
        """The same as `add_summary`, for one number."""
        self._write(v1.Summary(value=[v1.Summary.Value(tag=tag, simple_value=value)]), step, time)
        self.note_logged(tag, value, step)

    def note_logged(self, tag: str, value: float, step: int) -> None:
        """Record a logged number."""
        self.result.history.setdefault(tag, []).append((step, value))
        if self.options.observer is not None:
            self.options.observer.logged(tag, value, step)

    def _write(self, summary: v1.Summary, step: int, time: float | None) -> None:
        assert self.log is not None, "a statement logs before 'log to'"  # the check refuses this
        self.log.add(summary, step, time)
