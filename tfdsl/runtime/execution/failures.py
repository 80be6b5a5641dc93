"""Reports failures inside TensorFlow at the node whose op failed."""

import re

from ...diagnostics import NO_MEMORY, RUN_FAILED, VARIABLE_CLEARED, VARIABLE_GONE, Diagnostic, Note, TfgError
from ...lowering.blame import failed_op
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure, plain_reason
from ...lowering.tf import tf
from ...program import Origin

# TensorFlow's messages about a missing variable.
_NO_VARIABLE = re.compile(
    r"Resource [^/ ]+/(\S+)/N10tensorflow3VarE does not exist|Could not find variable (\S+?)\. "
    r"|Could not find resource: [^/ ]+/(\S+?)\)|Invalid variable reference"
)


# TensorFlow's messages about a number that is no row of a table, and about one that is no class.
_NO_ROW = re.compile(r"indices\[[\d,]*\] = (-?\d+) is not in \[0, (\d+)\)")
_NO_CLASS = re.compile(r"Received a label value of (-?\d+) which is outside the valid range of \[0, (\d+)\)")
_GATHERS = ("Gather", "GatherV2", "ResourceGather")


def _number_help(reason: str, op_type: str) -> str:
    """What to do about a number without a row or a class. -1 is a category that `categories` has not learned."""
    if (found := _NO_ROW.search(reason)) and op_type in _GATHERS:
        number, rows = int(found[1]), int(found[2])
        if number == -1:
            return (
                f"if -1 is a category that the data has not learned, give it a row of its own: add 1 to the numbers, "
                f"and give the table {rows + 1} rows"
            )
        return f"give the table {number + 1} rows" if number > 0 else "rows count from 0"
    if found := _NO_CLASS.search(reason):
        number = int(found[1])
        if number == -1:
            return (
                "if -1 is a class that the data has not learned, leave its rows out by the text of the file, before "
                'categories: | where(NAME != "CLASS") | categories("NAME")'
            )
        if number < 0:
            return "classes count from 0"
        more = "; or if they count from 1, subtract 1 in the graph" if number == int(found[2]) else ""
        return f"give the logits {number + 1} columns, one for each class{more}"
    return ""


def is_variable_gone(error: Exception) -> bool:
    """Whether a call failed because a variable has no value."""
    return isinstance(error, tf.errors.OpError) and _missing(error) is not None


def _missing(error: tf.errors.OpError) -> re.Match[str] | None:
    return _NO_VARIABLE.search(error.message)


def run_failure(built: BuiltGraph, error: tf.errors.OpError, statement: Origin, had_values: bool = False) -> TfgError:
    """A failure inside TensorFlow as an error at the node whose op failed. `had_values` says that a variable without a
    value had one before in this session."""
    reason = plain_reason(error)
    help = NO_MEMORY.help if isinstance(error, tf.errors.ResourceExhaustedError) else ""
    missing = _missing(error)
    known = next(filter(None, missing.groups()), "") if missing else ""
    if missing and had_values:
        return failure(VARIABLE_CLEARED, statement, name=f"'{known}'" if known else "a variable")
    if known:
        return failure(VARIABLE_GONE, statement, name=known)
    op = failed_op(built, error)
    if op is None or op.node is None:
        return failure(RUN_FAILED, statement, reason=reason)
    help = help or _number_help(reason, op.type)
    origin = op.node.origin
    notes = [Note(f"the op is {op.name}, of type {op.type}" if op.type else f"the op is {op.name}")]
    if op.taken is not None:
        notes.append(Note("it computes the gradient taken on line {line}", op.taken.origin.span))
    if origin.span != statement.span and not statement.span.source.is_argument:
        notes.append(Note("it was run by line {line}", statement.span))
    found = Diagnostic(RUN_FAILED, origin.span, {"reason": reason}, tuple(notes), help, origin.chain)
    return TfgError([found.outside_libraries()])
