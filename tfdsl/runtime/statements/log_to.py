"""`log to`: the event file for what is logged from here on."""

from ...access import access_of
from ...diagnostics import LOG_SHARED, Diagnostic
from ...lowering.tf import v1
from ...program import LogTo, Origin, known_text
from ..execution.execution import Execution
from ..files.event_log import EventLog
from ..files.hparams import summary


def execute(run: Execution, statement: LogTo) -> None:
    """Open an event file, unless that was done before a server was lost."""
    if not run.is_unprinted(statement, 0):
        return
    folder = run.options.logdir or run.text(statement.path)
    if run.options.logdir or known_text(statement.path) is None:  # the check has warned about other paths
        _warn_shared(run, folder, statement.origin)
    run.close_logs()
    run.log = _opened(run, folder, statement.origin, summary(run.result.declared, run.result.started))


def _warn_shared(run: Execution, folder: str, origin: Origin) -> None:
    if any(one.folder == folder and one.session != run.number for one in run.result.events):
        run.warn(Diagnostic(LOG_SHARED, origin.span, {"folder": folder}, chain=origin.chain))


def beside(run: Execution, name: str, origin: Origin) -> EventLog:
    """The event file of a run with this name, in a folder of the log's own."""
    assert run.log is not None, "a statement logs before 'log to'"  # the check refuses this
    if name not in run.logs_beside:
        run.logs_beside[name] = _opened(run, f"{run.log.folder}/{name}", origin)
    return run.logs_beside[name]


def _opened(run: Execution, folder: str, origin: Origin, first: v1.Summary | None = None) -> EventLog:
    options, result = run.options, run.result
    access = run.access if options.logdir is None else access_of(options.logdir)
    # What this session logged there before it was stopped stays.
    mine = [f.last + 1 for f in result.events if (f.session, f.folder) == (run.number, folder)]
    step = max([run.step, *mine]) if run.resumed else run.step
    made = EventLog(folder, access, run.built, origin, result.run, run.number, step, options.note, first)
    result.events.append(made.file)
    if folder not in result.logdirs:
        result.logdirs.append(folder)
    if options.observer is not None:
        options.observer.opens_log(folder, access)
    return made
