"""Computes a gradient by every method, compares the results, and finds the node where they differ."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..analysis.context import Analysis
from ..analysis.gradcheck import METHODS, Check, between, way
from ..analysis.gradient_flow import depends
from ..analysis.other_graph import on_graph
from ..diagnostics import TfgError
from ..lowering.graph import extend
from ..lowering.kept_random import is_random
from ..program import BatchField, Feed, Field, Graph, HostValue, Node, Origin, Program, Ref, Train, Value, walk
from .execution.execution import Execution

# The tolerance relative to the largest element of reverse mode's gradient, by the bits of the dtype.
_TOLERANCE = {"numeric": {16: 0.2, 32: 2e-2, 64: 1e-5}, "exact": {16: 5e-2, 32: 1e-3, 64: 1e-9}}
_ROWS = 8  # rows of data to feed
_SIZE = 3  # for an unknown size
_SUSPECTS = 200  # number of nodes to examine for a wrong gradient


@dataclass(slots=True)
class Outcome:
    """The results of one method: one value per x, their differences from reverse mode, passes and seconds."""

    method: str
    values: list[np.ndarray] = field(default_factory=list)
    reason: str = ""
    passes: int = 0
    seconds: float = 0.0
    absolute: float = 0.0
    relative: float = 0.0
    agrees: bool = True


@dataclass(slots=True)
class GradientReport:
    """A checked gradient with its outcomes. `suspect` is the first node whose gradient disagrees."""

    check: Check
    outcomes: list[Outcome]
    suspect: Node | None = None

    @property
    def agrees(self) -> bool:
        return all(outcome.agrees for outcome in self.outcomes)


def compare(run: Execution, ctx: Analysis, check: Check, feeds: list[Feed], tolerance: float | None) -> GradientReport:
    """Check one gradient by all methods, with the current values of the session's variables."""
    run.built.refuse_outside((run.built.tensor(ref).name for ref in check.ys), Origin(check.span))
    fed = run.feed_dict(feeds)
    fed, anew = _with_draws(run, ctx, check, fed)
    outcomes = [_outcome(run, ctx, check, method, fed, anew) for method in METHODS]
    bits = ctx.graphs[check.graph].nodes[check.ys[0].node].outputs[check.ys[0].output].dtype.bits
    reference = outcomes[0]
    y = run.session.run([run.built.value(ref) for ref in check.ys], fed)
    size = max(float(np.max(np.abs(one), initial=0)) for one in y)
    for outcome in outcomes[1:] if not reference.reason else ():
        if not outcome.reason:
            kind = "numeric" if outcome.method == "numeric" else "exact"
            _judge(outcome, reference, size, tolerance or _TOLERANCE[kind][bits])
    report = GradientReport(check, outcomes)
    if not report.agrees:
        report.suspect = _suspect(run, ctx, check, fed, size, tolerance or _TOLERANCE["numeric"][bits])
    return report


def _with_draws(run: Execution, ctx: Analysis, check: Check, fed: dict) -> tuple[dict, str]:
    """Feeds with the numbers of random ops, so that all passes use the same ones. If the gradient flows through a
    random op, also a reason why passes differ."""
    builder = ctx.graphs[check.graph]
    inner = {one.id for node in builder.nodes.values() for one in node.inside()}
    random = [
        node for node in (builder.nodes[id] for id in sorted(builder.reach(check.ys) - inner))
        if any(map(is_random, (node, *node.inside())))
    ]  # fmt: skip
    with on_graph(ctx, builder):
        flows = [node for node in random if any(depends(ctx, Ref(node.id), x) for x in check.xs)]
    refs = [Ref(node.id, at) for node in random if node not in flows for at in range(len(node.outputs))]
    tensors = [run.built.value(ref) for ref in refs]
    fed = {**fed, **dict(zip(tensors, run.session.run(tensors, fed), strict=True))} if tensors else fed
    if flows:
        ys = [run.built.value(ref) for ref in check.ys]
        once, again = run.session.run(ys, fed), run.session.run(ys, fed)
        if not all(map(np.array_equal, once, again)):
            return fed, f"{flows[0].op} of line {flows[0].origin.span.line} draws new numbers in each pass"
    return fed, ""


def _outcome(run: Execution, ctx: Analysis, check: Check, method: str, fed: dict, anew: str = "") -> Outcome:
    """The result of a method. `anew` says why methods that compute the ys again cannot be compared."""
    if anew and method != "reverse":
        return Outcome(method, reason=anew)
    made = way(ctx, check, method)
    if made.reason:
        return Outcome(method, reason=made.reason)
    try:
        extend(run.built, made.items, run.context.arrays)
    except TfgError as error:
        return Outcome(method, reason=error.diagnostics[0].headline)
    fetches = [run.built.value(ref) for ref in made.refs]
    run.session.run(fetches, fed)  # the first execution also plans the next
    start = time.perf_counter()
    values = run.session.run(fetches, fed)
    seconds = time.perf_counter() - start
    elements = sum(np.size(value) for value in values)
    passes = {"reverse": 1, "forward": elements, "numeric": 2 * elements, "symbolic": 1}[method]
    return Outcome(method, [np.asarray(value) for value in values], "", passes, seconds)


def _judge(outcome: Outcome, reference: Outcome, size: float, tolerance: float) -> None:
    for value, wanted in zip(outcome.values, reference.values, strict=True):
        with np.errstate(all="ignore"):
            apart = np.abs(value.astype(np.float64) - wanted.astype(np.float64))
        alike = (value == wanted) | (np.isnan(value) & np.isnan(wanted))
        apart = np.where(alike, 0.0, np.where(np.isnan(apart), np.inf, apart))  # one of them is NaN
        absolute = float(np.max(apart, initial=0))
        # Rounding of y affects the differences, so values that are small compared to y are classified by y.
        largest = (float(np.max(np.abs(one), initial=0)) for one in (wanted, value))
        scale = max(*largest, 1e-2 * size, 1e-30)
        outcome.absolute = max(outcome.absolute, absolute)
        outcome.relative = max(outcome.relative, absolute / scale if np.isfinite(absolute) else absolute)
    outcome.agrees = bool(outcome.relative <= tolerance)  # False for NaN


def _suspect(run: Execution, ctx: Analysis, check: Check, fed: dict, size: float, tolerance: float) -> Node | None:
    """The node nearest to the ys whose gradient is wrong.

    The gradient with respect to the node is right, but the gradient with respect to one of its inputs is wrong.
    """
    nodes = ctx.graphs[check.graph].nodes
    right = {ref.node for ref in check.ys}
    for ref in between(ctx, check)[:_SUSPECTS]:
        one = Check(check.graph, check.ys, (ref,), check.span)
        reverse, numeric = (_outcome(run, ctx, one, method, fed) for method in ("reverse", "numeric"))
        if reverse.reason or numeric.reason:
            continue
        _judge(numeric, reverse, size, tolerance)
        if numeric.agrees:
            right.add(ref.node)
            continue
        users = [nodes[id] for id in sorted(right, reverse=True) if any(r.node == ref.node for r in nodes[id].inputs())]
        return users[-1] if users else nodes[ref.node]
    return None


# --- feeds of placeholders ----------------------------------------------------------------


def feeds_for(program: Program, graph: Graph, check: Check, given: Mapping[Ref, Feed]) -> tuple[list[Feed], list[str]]:
    """A feed for every placeholder that a gradient needs, and notes about those that were not given."""
    feeds, said = [], []
    random = np.random.RandomState(0)
    for id in sorted(graph.reach(check.ys)):
        node = graph.nodes[id]
        if not node.is_placeholder or "default" in node.args:
            continue
        ref = Ref(id)
        if ref in given:
            feeds.append(given[ref])
            continue
        value = _first_fed(program, graph, ref)
        if value is None:
            shape = [dim if isinstance(dim, int) else _SIZE for dim in node.outputs[0].shape or ()]
            value = Value(_nested(random.uniform(-1, 1, shape)))
            said.append(f"{node.name} is fed random numbers of shape {shape}; to set it: --feed {node.name}=VALUE")
        feeds.append(Feed(ref, node.given_name, value, Origin(check.span)))
    return feeds, said


def _first_fed(program: Program, graph: Graph, ref: Ref):
    """The first value that the sessions of a program feed to a placeholder. For data, its first rows."""
    for session in program.sessions:
        if session.graph != graph.name:
            continue
        data: dict[int, tuple[str, str]] = {}
        for statement in walk(session.body):
            if isinstance(statement, Train) and statement.data is not None:
                data |= {id(inner): statement.data for inner in walk(statement.body)}
            for feed in statement.uses().feeds:
                if feed.ref != ref:
                    continue
                match feed.value:
                    case BatchField(name, ()) if id(statement) in data and name != "rows":
                        return Field(*data[id(statement)], name, ((None, _ROWS, None),))
                    case Field(index=()):
                        return Field(feed.value.data, feed.value.part, feed.value.field, ((None, _ROWS, None),))
                    case Value() | Field():
                        return feed.value
    return None


def _nested(array: np.ndarray) -> HostValue:
    return tuple(map(_nested, array)) if array.ndim else float(array)
