"""What a training has spoilt is not written to files."""

from collections.abc import Mapping

from ...diagnostics import Note
from ...lowering.tf import tf
from ...program import Origin
from ..execution.execution import Execution


def refuse_spoilt(run: Execution, variables: Mapping[str, tf.Variable], origin: Origin) -> None:
    """Refuse to save variables that a training has spoilt."""
    names = [variable.op.name for variable in variables.values()]
    notes = [Note("it would be saved on line {line}", origin.span)]
    run.health.check("after a step of a training", "nothing is saved", origin, notes, names)
