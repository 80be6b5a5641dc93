"""Selects the engine of a training, with a reason if it is not the requested one."""

import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from ...data.batches import steps_per_epoch
from ...diagnostics import NO_XLA
from ...lowering.blame import op_of
from ...lowering.cloning import NotCopied
from ...lowering.failures import failure
from ...lowering.train_loop import iteration_steps
from ...program import EngineName, Origin, Statement, Train, keeps_checkpoints, walk
from ..execution.execution import Execution
from ..execution.executions import executions
from ..execution.random_state import resumable
from .engine import Engine, GraphEngineName, NotInGraph
from .graph_loop import GraphLoopEngine, saves
from .loop import expected
from .step_engine import StepEngine

# XLA is worth its compile time from this many steps on, or from this many op executions: compiling takes about 2
# milliseconds an op, and saves 0.15 microseconds an op and step if the ops are small, more if they are large. By the
# notes of the loads in `benchmarks/`, it pays from 900 (full batch) to 13,000 steps (mini-batches of housing).
_WORTH = 2_000_000
_MANY_STEPS = 15_000
ALWAYS = "TFDSL_LOOP_ALWAYS"  # an environment variable: builds a loop even for a training that is too short for it
_SLOW = ("Conv", "DepthwiseConv")  # ops that are slower in XLA on a CPU (load `digits`)


@dataclass(frozen=True, slots=True)
class _Reached:
    """What a training's body executes: the names of its random ops, the number of ops per step, and whether some of
    them are slow in XLA."""

    random: frozenset[str]
    ops: int
    is_slow: bool

    def is_worth_compiling(self, steps: int) -> bool:
        return (steps >= _MANY_STEPS or steps * self.ops >= _WORTH) and not self.is_slow


def _most_steps(plan: Train, rows: Mapping[str, int]) -> int:
    """The most steps that a training can take, without a look at its data: those of all rows instead of a part. Data of
    the session has no known number of rows."""
    if plan.unit != "epoch" or plan.data is None or plan.size is None:
        return plan.count
    return plan.count * steps_per_epoch(rows.get(plan.data[0], sys.maxsize), plan.size)


class Engines:
    """The engines of the trainings of a session's statements, which share the streams of their random ops."""

    def __init__(self, run: Execution, statements: tuple[Statement, ...], rows: Mapping[str, int]):
        """`rows` has the numbers of rows of data sets."""
        self._run = run
        trainings = [statement for statement in walk(statements) if isinstance(statement, Train)]
        self._reached: dict[int, _Reached | NotInGraph] = {}  # by the identity of the training
        for plan in trainings:
            if self.wanted(plan) != "step":
                try:
                    self._reached[id(plan)] = self._reach(plan)
                except NotInGraph as reason:
                    self._reached[id(plan)] = reason
        for plan in trainings:
            alike = [one for one in trainings if self._is_alike(one, plan)]
            total = sum(expected(one, _most_steps(one, rows)) for one in alike) + sum(run.built.steps_outside.values())
            if not self._may_be_in_graph(plan, _most_steps(plan, rows), total):
                self._reached[id(plan)] = NotInGraph("", plan.origin)  # so that its random ops need no streams
        names = {name for one in self._reached.values() if isinstance(one, _Reached) for name in one.random}
        if any(map(keeps_checkpoints, trainings)):  # then all engines use kept states
            names |= set(run.built.copier.twinned(resumable(run.built, statements)))
        run.in_order.add_streams(sorted(run.in_order.random(statements, names)))

    def _is_alike(self, one: Train, other: Train) -> bool:
        """Whether two trainings seem to have the same steps, so that they can share a loop."""
        first, second = self._reached.get(id(one)), self._reached.get(id(other))
        return one is other or (isinstance(first, _Reached) and first == second and one.size == other.size)

    def _may_be_in_graph(self, plan: Train, most: int, total: int) -> bool:
        """Whether a loop for a training of at most `most` steps seems to pay, if `total` steps share it; or is asked
        for."""
        reached, wanted = self._reached.get(id(plan)), self.wanted(plan)
        if not isinstance(reached, _Reached) or wanted == "xla" or self._run.on_cluster or os.environ.get(ALWAYS):
            return True
        if wanted == "auto" and reached.is_worth_compiling(most):
            return True
        feeds = {feed.ref for one in plan.body for feed in one.uses().feeds}
        return saves(total, len(feeds), reached.ops * (iteration_steps(reached.ops, total) + 1))

    def wanted(self, plan: Train) -> EngineName:
        """The requested engine. By default `loop`, or `step` if each step is watched."""
        if self._run.options.tracer is not None:
            return "step"
        return self._run.options.engine or plan.engine or "loop"

    def select(self, steps: StepEngine) -> Engine:
        """The engine of a training, ready to begin. If the requested one is not possible, another one and a note that
        says why."""
        engine = self._chosen(steps)
        self._run.result.engines.append(engine.name)
        engine.begin()
        return engine

    def _chosen(self, steps: StepEngine) -> Engine:
        plan = steps.loop.plan
        wanted = self.wanted(plan)
        match wanted:
            case "step":
                return steps
            case "loop":
                pass
            case "xla":
                try:
                    return self._in_graph(steps, "xla")
                except NotInGraph as reason:
                    if str(reason):
                        raise failure(NO_XLA, reason.origin, reason=str(reason)) from reason
            case "auto":
                try:
                    if self._is_worth_compiling(steps):
                        return self._in_graph(steps, "xla")
                except NotInGraph as reason:
                    self._say(plan, "trains without XLA", reason)
            case _:
                assert_never(wanted)
        try:
            return self._in_graph(steps, "loop")
        except NotInGraph as reason:
            self._say(plan, "trains step by step", reason)
            return steps

    def _is_worth_compiling(self, steps: StepEngine) -> bool:
        reached = self._reached[id(steps.loop.plan)]
        return isinstance(reached, _Reached) and reached.is_worth_compiling(steps.loop.total)

    def _in_graph(self, steps: StepEngine, name: GraphEngineName) -> Engine:
        reached = self._reached[id(steps.loop.plan)]
        if isinstance(reached, NotInGraph):
            raise reached
        if name == "xla" and self._run.on_cluster:
            raise NotInGraph("XLA compiles for one machine, not for a cluster", steps.loop.plan.origin)
        engine = GraphLoopEngine(steps, name, reached.ops, len(reached.random))
        if name == "loop" and not (self._run.on_cluster or os.environ.get(ALWAYS) or engine.pays()):
            engine.close()
            return steps
        engine.build()
        if name == "xla":
            engine.compile()
        return engine

    def _say(self, plan: Train, what: str, reason: NotInGraph) -> None:
        if str(reason):
            self._run.options.note(f"line {plan.origin.span.line} {what}: {reason}")

    def _reach(self, plan: Train) -> _Reached:
        """What a training's body executes. Raises `NotInGraph` if it cannot be in a loop."""
        built, random, ops, is_slow = self._run.built, set(), 0, False
        for one in executions(built, plan.body, plan):
            names = built.copier.reached(one.fetches, one.fed)
            self._refuse_references(names, one.statement.origin)
            try:
                random |= set(built.copier.random(names))
            except NotCopied as error:
                node = op_of(built, error.op, error.function).node
                raise NotInGraph(str(error), node.origin if node else one.statement.origin) from error
            ops += len(names) if one.statement in plan.body else 0
            is_slow |= any(built.graph.get_operation_by_name(name).type.startswith(_SLOW) for name in names)
        return _Reached(frozenset(random), ops, is_slow)

    def _refuse_references(self, names: Iterable[str], origin: Origin) -> None:
        """Raise `NotInGraph` if a training uses a reference variable. Functions of the graph cannot write it."""
        for name in names:
            op = self._run.built.graph.get_operation_by_name(name)
            if op.type in ("VariableV2", "Variable"):
                node = op_of(self._run.built, name).node
                raise NotInGraph(f"{name} is a reference variable (resource=false)", node.origin if node else origin)
