"""Notes before a session runs: where its behaviour may surprise."""

from collections.abc import Callable, Iterable

from ..program import Origin, Run, keeps_checkpoints, walk
from .execution import random_state
from .execution.execution import Execution


def report_notices(run: Execution) -> None:
    if any(map(keeps_checkpoints, run.plan.body)):
        report_hidden(run, random_state.resumable(run.built, run.plan.body), run.options.note)
    _report_undivided(run)


def report_hidden(run: Execution, names: Iterable[str], note: Callable[[str], None]) -> None:
    """Report states of ops that a checkpoint of the session cannot hold."""
    for kind, origin in random_state.hidden(run.built, run.streams, names):
        line = origin.span.line
        note(f"line {line}: no checkpoint can hold the state of {kind}; a resumed run resets it")


def _report_undivided(run: Execution) -> None:
    """Report which optimizers of a session are not split between towers."""
    program = run.built.program
    executed = program.reach([ref for one in walk(run.plan.body) if isinstance(one, Run) for ref in one.refs])
    where = "between the workers" if run.on_cluster else "in towers"
    for id, whole in run.built.undivided.items():
        if id in executed:
            line, because = _line(program.nodes[id].origin), _line(whole.origin)
            at = "" if line == because else f" (line {because})"
            run.options.note(f"line {line} is not split {where}: {whole.reason}{at}")


def _line(origin: Origin) -> int:
    """The line of the main program that leads to an origin, which may be in an imported file."""
    return (origin.chain[0][1] if origin.chain else origin.span).line
