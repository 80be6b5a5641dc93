"""Compiles programs for commands that use trained models: `predict` and `export`."""

from collections.abc import Collection

from ..diagnostics import DATA_FILE, DATA_NO_MATCH, EXPORT_RENAMED, UNUSED, Diagnostic, TfgError
from ..driver import Compiled, compile_source
from ..inputs import CompileInputs
from ..record import replace
from ..runtime.checkpoint.learned import learned_at
from ..source import Source
from ..syntax import tree as t
from .report import errors


def compiled_for(command: str, source: Source | t.File, inputs: CompileInputs, checkpoint: str | None) -> Compiled:
    """The compiled program, with what its data had learned at a checkpoint. An error about a file of its data says why
    the command needs it."""
    if checkpoint is not None:
        inputs = replace(inputs, learned=learned_at(checkpoint))
    try:
        return compile_source(source, inputs)
    except TfgError as error:
        raise TfgError([_without_data(command, one) for one in error.diagnostics]) from None


def _without_data(command: str, diagnostic: Diagnostic) -> Diagnostic:
    if diagnostic.message not in (DATA_FILE, DATA_NO_MATCH):
        return diagnostic
    needs = (
        f"{command} checks the whole program, so the file of its own data must be there, or another one with the same "
        "columns and categories; what the model has learned is taken from the checkpoint"
    )
    return replace(diagnostic, help="; ".join(filter(None, (diagnostic.help_line, needs))))


def warn_of_use(compiled: Compiled, used: Collection[str]) -> None:
    """Report the warnings of a program, some of whose values the command line uses."""
    told = [
        one
        for one in compiled.diagnostics
        if one.message is not EXPORT_RENAMED
        and (one.message is not UNUSED or (one.details or {}).get("name") not in used)
    ]
    if told:
        errors(told)
