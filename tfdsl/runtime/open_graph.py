"""The graph of an open session, as Python callers use it: by the names of the program."""

import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import numpy as np

from ..analysis.calls.training import NAME
from ..diagnostics import (
    CALL_SLOW,
    CLUSTER_LOST,
    FEED_TARGET,
    SESSION_CLOSED,
    UNFED,
    UNKNOWN_NAME,
    Diagnostic,
    TfgError,
)
from ..diagnostics.spelling import did_you_mean, listed
from ..given import named_values
from ..lowering.failures import failure
from ..lowering.tf import Operand, tf
from ..program import Named, Origin, Ref, takes_step
from ..record import replace
from ..source import Source, Span
from .execution.cluster_session import Late, Lost
from .execution.evaluate import Fetched
from .execution.execution import Execution
from .execution.failures import run_failure
from .execution.feeds import check_shapes, convert

Arrays = dict[Ref, np.ndarray]  # fed tensors with their values


def no_line(path: str) -> Origin:
    """The origin of what a Python caller does, which has no line in the program."""
    return Origin(Span(Source(path, ""), 0, 0))


@contextmanager
def placeless(origin: Origin) -> Iterator[None]:
    """Report errors at the origin without a line as errors without a place."""
    try:
        yield
    except TfgError as error:
        found = [replace(one, span=None) if one.span == origin.span else one for one in error.diagnostics]
        raise TfgError(found) from error.__cause__


class OpenGraph:
    """The graph of an open session. `timeout` is the maximum number of seconds for a call of a cluster."""

    def __init__(self, run: Execution, timeout: float):
        self.run, self._built, self._timeout = run, run.built, timeout
        self.is_closed = False

    def refuse_closed(self) -> None:
        if self.is_closed:
            raise TfgError([Diagnostic(SESSION_CLOSED, None)])

    def named(self, name: str) -> Named:
        """The meaning of a name of the program. A name in a scope may be written as in TensorFlow: `dense/kernel`."""
        names = self._built.program.names
        name = name if name in names else name.replace("/", ".")
        if name not in names:
            own = [one for one, named in names.items() if not named.is_inner or self._is_variable(named)]
            help = did_you_mean(name, own) or "there are " + (listed(own) or "none")
            raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
        return names[name]

    def _is_variable(self, named: Named) -> bool:
        return isinstance(named.value, Ref) and self._built.program.nodes[named.value.node].is_variable

    def feeds(self, feed: object) -> Arrays:
        """A mapping of names to values as arrays of the dtypes of the named tensors."""
        result: Arrays = {}
        checked = []
        for name, value in named_values("feed", feed).items():
            if name == NAME and NAME not in self._built.program.names:  # nothing depends on it
                continue
            named = self.named(name)
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

    def refuse_unfed(self, refs: Iterable[Ref], fed: frozenset[Ref], what: str, call: str) -> None:
        """Refuse an execution that needs placeholders to be fed. `call` is the method that gets `feed`."""
        program = self._built.program
        reached = program.reach(refs, fed)
        nodes = [program.nodes[n] for n in sorted(reached)]
        needed = [n.given_name for n in nodes if n.is_placeholder and "default" not in n.args]
        if needed:
            details = {"what": what, "names": " and ".join(needed), "first": needed[0]}
            help = f"give it: {call}(..., feed={{" + ", ".join(f'"{n}": ...' for n in needed) + "})"
            raise TfgError([Diagnostic(UNFED, None, details, help=help)])

    def training(self, refs: Iterable[Ref], fed: frozenset[Ref]) -> Ref | None:
        """The graph's `training` if it must be fed true: a step of an optimizer needs it, and the caller does not feed
        it."""
        program = self._built.program
        if program.training is None or program.training in fed:
            return None
        reached = program.reach(refs, fed)
        is_true = program.training.node in reached and takes_step(program.nodes, reached)
        return program.training if is_true else None

    def execute(self, fetches: list[Operand], fed: Arrays, origin: Origin) -> list[Fetched]:
        """Execute the graph once. Failures that belong to no op are at `origin`."""
        self.refuse_closed()
        if not fetches:
            return []
        session, feeds = self.run.session, {self._built.tensor(ref): array for ref, array in fed.items()}
        try:
            return self.run.in_order.execute(session, fetches, feeds, origin, session.run)
        except Lost as lost:
            raise TfgError([Diagnostic(CLUSTER_LOST, None, {"tasks": str(lost)})]) from lost
        except Late:
            raise failure(CALL_SLOW, origin, seconds=self._timeout) from None
        except RuntimeError:
            self.refuse_closed()  # another thread has closed it meanwhile
            raise
        except tf.errors.OpError as error:
            if isinstance(error, tf.errors.CancelledError):
                self.refuse_closed()
            raise run_failure(self._built, error, origin) from error


def warn(text: str) -> None:
    """Issue a Python warning at the caller's line."""
    frame, level = sys._getframe(), 1
    package = __name__.partition(".")[0]
    while frame is not None and frame.f_globals.get("__name__", "").partition(".")[0] == package:
        frame, level = frame.f_back, level + 1
    warnings.warn(text, stacklevel=level)


def _warn(warning: Diagnostic) -> None:
    warn(f"{warning.headline}; {warning.help_line}")
