"""`log to`: the event file for what is logged from here on."""

from ...access import access_of
from ...diagnostics import LOG_SHARED, Diagnostic
from ...program import LogTo, Origin, known_text
from ..execution.execution import Execution
from ..files.event_log import EventLog


def execute(run: Execution, statement: LogTo) -> None:
    """Open an event file, unless that was done before a server was lost."""
    if not run.is_unprinted(statement, 0):
        return
    folder = run.options.logdir or run.text(statement.path)
    if run.options.logdir or known_text(statement.path) is None:  # the check has warned about other paths
        _warn_shared(run, folder, statement.origin)
    if run.log is not None:
        run.log.close()
    _open(run, folder, statement.origin)


def _warn_shared(run: Execution, folder: str, origin: Origin) -> None:
    if any(one.folder == folder and one.session != run.number for one in run.result.events):
        run.warn(Diagnostic(LOG_SHARED, origin.span, {"folder": folder}, chain=origin.chain))


def _open(run: Execution, folder: str, origin: Origin) -> None:
    options, result = run.options, run.result
    access = run.access if options.logdir is None else access_of(options.logdir)
    # What this session logged there before it was stopped stays.
    mine = [f.last + 1 for f in result.events if (f.session, f.folder) == (run.number, folder)]
    step = max([run.step, *mine]) if run.resumed else run.step
    run.log = EventLog(folder, access, run.built, origin, result.run, run.number, step, options.note)
    result.events.append(run.log.file)
    if folder not in result.logdirs:
        result.logdirs.append(folder)
