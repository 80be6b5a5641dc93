"""A session for Python: runs names of the program, several in one execution, and takes the steps of trainings."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NoReturn, overload

import numpy as np

from ..cluster import TIMEOUT
from ..diagnostics import SESSION_COPIED, SESSION_UNOPENED, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..given import named_values
from ..lowering.tf import v1
from ..program import ON_NAN, OnNan, Origin, Session, filled, refs_of
from .execution.cluster_session import Servers
from .execution.evaluate import Fetched
from .execution.execution import Execution
from .initial_values import give, of_graph
from .open_graph import OpenGraph, no_line, placeless
from .options import Options
from .program import RunnableProgram
from .result import Result, Variables
from .run_context import RunContext
from .session import opened
from .training_steps import FeedSource, StepRequest, TrainingSteps


class EmbeddedSession:
    """An open session. `session` is the `tf.compat.v1.Session` itself."""

    def __init__(self, run: Execution, compiled: RunnableProgram, stack: ExitStack, timeout: float = TIMEOUT):
        """What trainings hold is released when the `stack` is closed."""
        self._graph, self._built, self._compiled, self._stack = OpenGraph(run, timeout), run.built, compiled, stack
        self._trainings: list[TrainingSteps] = []  # those with checkpoints
        self.session: v1.Session = run.session

    def __reduce__(self) -> NoReturn:
        raise TfgError([Diagnostic(SESSION_COPIED, None)])

    @property
    def is_closed(self) -> bool:
        return self._graph.is_closed

    @overload
    def run(self, names: str, feed: Mapping[str, object] | None = None) -> Fetched: ...

    @overload
    def run(self, names: Sequence[str], feed: Mapping[str, object] | None = None) -> list[Fetched]: ...

    def run(self, names: str | Sequence[str], feed: Mapping[str, object] | None = None) -> Fetched:
        """The value of a name, or a list of the values of several, from one execution of the graph.

        A value is a NumPy array or number with the dtype and shape of the tensor, or None for an operation. A list
        gives a list, and a compile-time value is returned as it is. `feed` maps names of placeholders to arrays, which
        are converted if nothing is lost. A missing name, a value that does not fit, or a failure in TensorFlow raises
        `TfgError`.
        """
        graph = self._graph
        graph.refuse_closed()
        wanted = {name: graph.named(name) for name in _names("run", names)}
        fed = graph.feeds(feed)
        refs = [ref for named in wanted.values() for ref in refs_of(named.value)]
        graph.refuse_unfed(refs, frozenset(fed), ", ".join(wanted), "run")
        training = graph.training(refs, frozenset(fed))
        if training is not None:
            fed[training] = np.array(True)
        origin = Origin(next(iter(wanted.values())).span) if wanted else no_line(self._compiled.program.path)
        values = iter(graph.execute([self._built.value(ref) for ref in refs], fed, origin))
        results = {name: filled(named.value, lambda _: next(values)) for name, named in wanted.items()}
        return results[names] if isinstance(names, str) else [results[name] for name in names]

    @property
    def variables(self) -> Variables:
        """The values of the variables, by their names in TensorFlow or in the program. `program.session(variables=...)`
        takes them."""
        self._graph.refuse_closed()
        prefix = self._built.program.prefix
        return Variables(self._graph.run.values({prefix + one.op.name: one for one in self._built.variables()}))

    def save(self, path: "str | os.PathLike[str]") -> None:
        """Save all variables, and what the data has learned, as `save to PATH` in a session of the program does. A
        program restores them, and `tfdsl predict --from PATH` predicts with them."""
        self._graph.refuse_closed()
        run, origin = self._graph.run, no_line(self._compiled.program.path)
        with placeless(origin):
            run.savers.save(run.session, None, os.fspath(path), origin)

    def train(
        self,
        steps: int | None = None,
        feed: FeedSource = None,
        fetch: str | Sequence[str] = (),
        *,
        run: str | Sequence[str] | None = None,
        together: int = 1,
        log_to: "str | os.PathLike[str] | None" = None,
        log: str | Sequence[str] | None = None,
        log_every: int = 1,
        checkpoint: "str | os.PathLike[str] | None" = None,
        checkpoint_every: int = 100,
        on_nan: OnNan = "stop",
    ) -> TrainingSteps:
        """A training of which each turn of a loop takes a step: `for step in session.train(1000, feed, "loss"): ...`.

        A step runs the optimizers of the graph, each in an execution of its own, or what `run` names, in one. In the
        last execution it also computes the names in `fetch`: `step["loss"]` and `step.loss` are a NumPy array or number
        with the dtype and shape of the tensor. `step.number` counts from 0. Between two steps the caller can do
        anything, also with `session.run`.

        Without `steps` (a number), the training goes on until its feeds end or the caller breaks out of the loop.

        `feed` is a mapping as for `run`, the same at each step; or a function that gets the number of a step and
        returns its mapping; or an iterable with a mapping for each step. Such a function is called immediately before
        its step, and can use the session. For steps whose feeds the loop itself finds, call `training.step(feed)` in
        place of a loop over the training.

        With `together`, up to so many steps are taken in one execution of the graph, with the same bits. It gets
        the feeds of all of them first; `session.run` within the loop then finds the variables after the last of them.
        Steps that are taken together need feeds of the same shapes; others are taken one by one.

        At every `log_every` steps the summaries of the graph, or those with the tags in `log`, are written to an event
        file in the folder `log_to`. `step.log({"reward": 1.0})` writes numbers of the caller there.

        Every `checkpoint_every` steps, before the next step begins, all variables and the states of random ops are
        saved in the folder `checkpoint`. When the training begins, it resumes from the newest checkpoint there, and
        its `number` is that of the step that follows. It ends with the same bits as without an interruption if the
        feeds depend on nothing but the number of the step and the session; an iterable is read up to there. The
        checkpoints are removed when the session is closed without an exception. A session keeps the checkpoints of one
        training at a time: another one with checkpoints ends it.

        A loss that is not a number raises `TfgError`, before the loop sees the step, unless `on_nan` is "ignore". So do
        unknown names, missing feeds and values that do not fit, feeds that end before the last of `steps`, a closed
        session, and failures in TensorFlow. An argument of a wrong type raises TypeError or ValueError.
        """
        self._graph.refuse_closed()
        for name, value, least in (
            ("steps", steps, 0), ("together", together, 1), ("log_every", log_every, 1),
            ("checkpoint_every", checkpoint_every, 1),
        ):  # fmt: skip
            _check_count(name, value, least)
        if on_nan not in ON_NAN:
            raise ValueError(f"on_nan must be one of {listed(ON_NAN)}, not {on_nan!r}")
        wanted = StepRequest(
            steps, feed, _names("fetch", fetch), None if run is None else _names("run", run), together,
            "" if log_to is None else os.fspath(log_to), None if log is None else _names("log", log), log_every,
            "" if checkpoint is None else os.fspath(checkpoint), checkpoint_every, on_nan,
        )  # fmt: skip
        training = TrainingSteps(self._graph, self._compiled, self._stack, wanted)
        if wanted.checkpoint:
            for one in self._trainings:
                one.end("another training of the session keeps checkpoints now")
            self._trainings.append(training)
        return training

    def close(self, is_over: bool) -> None:
        """Close the session. If what its caller did is over, no checkpoint is needed any more."""
        for training in self._trainings if is_over else ():
            training.forget()
        self._graph.is_closed = True


def _names(what: str, given: object) -> tuple[str, ...]:
    """A caller's name, or list of names."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise TypeError(f"{what} takes a name of the program, or a list of names")
    return tuple(given)


def _check_count(name: str, value: int | None, least: int) -> None:
    if value is None and name == "steps":
        return
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, not {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name} must be at least {least}, not {value}")


class OpeningSession:
    """A session on a graph of a compiled program that `with` opens and closes. Its variables have the given values, or
    else their initial values."""

    def __init__(
        self, compiled: RunnableProgram, graph: str = "", variables: Mapping[str, object] | None = None,
        options: Options | None = None,
    ):  # fmt: skip
        self._opening = _open_session(compiled, graph, variables, options or Options())

    def __enter__(self) -> EmbeddedSession:
        return self._opening.__enter__()

    def __exit__(self, *raised: Any) -> bool | None:  # an exception as `with` gives it, in three parts
        return self._opening.__exit__(*raised)

    def __getattr__(self, name: str) -> NoReturn:
        if name in ("run", "train", "session", "close"):
            raise TfgError([Diagnostic(SESSION_UNOPENED, None)])
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@contextmanager
def _open_session(
    compiled: RunnableProgram, graph: str, variables: Mapping[str, object] | None, options: Options
) -> Iterator[EmbeddedSession]:
    built = compiled.built(graph)
    values = of_graph(named_values("variables", variables), compiled.program, graph)
    plan, devices = Session("", graph, True, (), no_line(compiled.program.path)), compiled.devices
    servers = None if devices.cluster is None else Servers(devices.cluster, options.timeout, options.note)
    result = Result(compiled.program.path, {})
    context = RunContext(options, result, compiled.array, compiled.learned, compiled.fitted, compiled.access, servers)
    with opened(plan, built, context) as session, ExitStack() as stack:
        if values:
            give(built, session.run.session, values)
        embedded = EmbeddedSession(session.run, compiled, stack, options.timeout)
        is_over = False
        try:
            yield embedded
            is_over = True
        finally:
            embedded.close(is_over)
