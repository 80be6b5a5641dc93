"""A session for Python: runs names of the program, several in one execution."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn, overload

import numpy as np

from ..analysis.training import NAME
from ..cluster import TIMEOUT
from ..diagnostics import (
    CALL_SLOW,
    CLUSTER_LOST,
    FEED_TARGET,
    SESSION_CLOSED,
    SESSION_COPIED,
    UNFED,
    UNKNOWN_NAME,
    Diagnostic,
    TfgError,
)
from ..diagnostics.spelling import did_you_mean, listed
from ..given import named_values
from ..lowering.built import BuiltGraph
from ..lowering.failures import failure
from ..lowering.tf import tf, v1
from ..program import Named, Origin, Program, Ref, Refs, Session, Static, refs_of, takes_step, thaw
from ..source import Source, Span
from .execution.cluster_session import Late, Lost, Servers
from .execution.execution import Execution
from .execution.failures import run_failure
from .execution.feeds import check_shapes, convert
from .execution.savers import variable_type
from .options import Options
from .program import RunnableProgram
from .result import Result
from .run_context import RunContext
from .session import opened


class EmbeddedSession:
    """An open session. `session` is the `tf.compat.v1.Session` itself."""

    def __init__(self, run: Execution, timeout: float = TIMEOUT):
        self._run, self._built, self._timeout = run, run.built, timeout
        self.session: v1.Session = run.session
        self.is_closed = False

    def __reduce__(self) -> NoReturn:
        raise TfgError([Diagnostic(SESSION_COPIED, None)])

    # Values are NumPy arrays and numbers, None, plain Python values, and lists of these.
    @overload
    def run(self, names: str, feed: Mapping[str, object] | None = None) -> Any: ...

    @overload
    def run(self, names: Sequence[str], feed: Mapping[str, object] | None = None) -> list[Any]: ...

    def run(self, names: str | Sequence[str], feed: Mapping[str, object] | None = None) -> Any:
        """The value of a name, or a list of the values of several, from one execution of the graph.

        A value is a NumPy array or number with the dtype and shape of the tensor, or None for an operation. A list
        gives a list, and a compile-time value is returned as it is. `feed` maps names of placeholders to arrays, which
        are converted if nothing is lost. A missing name, a value that does not fit, or a failure in TensorFlow raises
        `TfgError`.
        """
        if self.is_closed:
            raise TfgError([Diagnostic(SESSION_CLOSED, None)])
        one = isinstance(names, str)
        if not one and not (isinstance(names, Sequence) and all(isinstance(name, str) for name in names)):
            raise TypeError("run takes a name of the program, or a list of names")
        wanted = [self._named(name) for name in ([names] if one else names)]
        fed = self._feeds(named_values("feed", feed))
        refs = [ref for named in wanted for ref in refs_of(named.value)]
        self._check_fed(refs, frozenset(fed), list(names) if not one else [names])
        training = self._training(refs, frozenset(fed))
        if training is not None:
            fed[training] = np.array(True)
        feeds = {self._built.tensor(ref): array for ref, array in fed.items()}
        values = iter(self._execute([self._built.value(ref) for ref in refs], feeds, wanted))
        results = [self._value(named, values) for named in wanted]
        return results[0] if one else results

    def _execute(self, fetches: list, feeds: dict, wanted: list[Named]):
        if not fetches:
            return []
        try:
            return self._run.in_order.execute(self.session, fetches, feeds, Origin(wanted[0].span), self.session.run)
        except Lost as lost:
            raise TfgError([Diagnostic(CLUSTER_LOST, None, {"tasks": str(lost)})]) from lost
        except Late:
            raise failure(CALL_SLOW, Origin(wanted[0].span), seconds=self._timeout) from None
        except RuntimeError:
            if self.is_closed:  # another thread has closed it meanwhile
                raise TfgError([Diagnostic(SESSION_CLOSED, None)]) from None
            raise
        except tf.errors.OpError as error:
            raise run_failure(self._built, error, Origin(wanted[0].span)) from error

    @staticmethod
    def _value(named: Named, values: Iterator):
        match named.value:
            case Static(value):
                return thaw(value)
            case Refs(items):
                return [next(values) for _ in items]
            case Ref():
                return next(values)
            case value:
                raise AssertionError(value)

    def _named(self, name: str) -> Named:
        names = self._built.program.names
        if name not in names:
            help = did_you_mean(name, names)
            raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
        return names[name]

    def _feeds(self, feed: Mapping[str, object]) -> dict[Ref, np.ndarray]:
        result: dict[Ref, np.ndarray] = {}
        checked = []
        for name, value in feed.items():
            if name == NAME and NAME not in self._built.program.names:  # nothing depends on it
                continue
            named = self._named(name)
            target, program = named.value, self._built.program
            type = program.type(target) if isinstance(target, Ref) else None
            if not isinstance(target, Ref) or type is None or program.nodes[target.node].is_variable:
                details = {"value": f"'{name}'", "hint": "feed placeholders, by their names in the program"}
                raise TfgError([Diagnostic(FEED_TARGET, named.span, details)])
            array = convert(value, type, name, Origin(named.span), _warn)
            result[target] = array
            checked.append((name, type, array, Origin(named.span)))
        check_shapes(checked)
        return result

    def _training(self, refs: list[Ref], fed: frozenset[Ref]) -> Ref | None:
        """The graph's `training` if it must be fed true: a step of an optimizer needs it, and the caller does not feed
        it."""
        program = self._built.program
        if program.training is None or program.training in fed:
            return None
        reached = program.reach(refs, fed)
        is_true = program.training.node in reached and takes_step(program.nodes, reached)
        return program.training if is_true else None

    def _check_fed(self, refs: list[Ref], fed: frozenset[Ref], names: list[str]) -> None:
        program = self._built.program
        reached = program.reach(refs, fed)
        nodes = [program.nodes[n] for n in sorted(reached)]
        needed = [n.given_name for n in nodes if n.is_placeholder and "default" not in n.args]
        if needed:
            details = {"what": ", ".join(names), "names": " and ".join(needed), "first": needed[0]}
            help = "give it: run(..., feed={" + ", ".join(f'"{n}": ...' for n in needed) + "})"
            raise TfgError([Diagnostic(UNFED, None, details, help=help)])


def _warn(warning: Diagnostic) -> None:
    """Issue a Python warning at the call of `session.run`."""
    warnings.warn(f"{warning.headline}; {warning.help_line}", stacklevel=5)


@contextmanager
def open_session(
    compiled: RunnableProgram, graph: str = "", variables: Mapping[str, object] | None = None
) -> Iterator[EmbeddedSession]:
    """Open a session on a graph of a compiled program. Its variables have the given values, or else their initial
    values."""
    built = compiled.built(graph)
    values = _of_graph(named_values("variables", variables), compiled.program, graph)
    plan = Session("", graph, True, (), Origin(_whole(compiled)))
    servers = Servers(compiled.devices.cluster) if compiled.devices.cluster is not None else None
    result = Result(compiled.program.path, {})
    context = RunContext(Options(), result, compiled.array, compiled.learned, compiled.fitted, compiled.access, servers)
    with opened(plan, built, context) as session:
        if values:
            _give(built, session.run.session, values)
        embedded = EmbeddedSession(session.run)
        try:
            yield embedded
        finally:
            embedded.is_closed = True


def _of_graph(variables: Mapping[str, object], program: Program, graph: str) -> dict[str, object]:
    """The entries of `Result.variables` for one graph, by their names in TensorFlow."""
    prefixes = [f"{g.name}." for g in program.graphs if g.name]
    if graph:
        return {name.removeprefix(f"{graph}."): v for name, v in variables.items() if name.startswith(f"{graph}.")}
    return {name: value for name, value in variables.items() if not name.startswith(tuple(prefixes))}


def _give(built: BuiltGraph, session: v1.Session, values: Mapping[str, object]) -> None:
    """Set variables by their names in TensorFlow."""
    known = {variable.op.name: variable for variable in built.variables()}
    given = []
    for name, value in values.items():
        if name not in known:
            help = did_you_mean(name, known) or "the variables are " + (listed(known) or "none")
            raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
        type = variable_type(known[name])
        array = convert(value, type, name, None)
        check_shapes([(name, type, array, None)])
        given.append((known[name], array))
    built.assign(session, given)


def _whole(compiled: RunnableProgram) -> Span:
    """An origin without a line in the program."""
    return Span(Source(compiled.program.path, ""), 0, 0)
