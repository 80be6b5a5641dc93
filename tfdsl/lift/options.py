"""The choices for the readable form of a graph."""

from ..ops.named import DROPOUT
from ..record import Record

KEEP_NAMES = ("all", "outputs", "none")
ASSERT, SUMMARIES, TRAINING = "assert", "summaries", "training"
DROPS = (DROPOUT.name, TRAINING, ASSERT, SUMMARIES)


class LiftOptions(Record):
    """`keep_names` says which nodes keep their names: `all`, with a statement for every node; `outputs`, for
    placeholders, variables and results; or `none`. `checkpoint` is the path by which the program finds the graph's
    checkpoint. `drop` lists the parts to leave out. `as_variables` has patterns for the names of constants that become
    variables; an empty tuple chooses the weights, and with None constants stay constants."""

    keep_names: str = "outputs"
    checkpoint: str = ""
    drop: frozenset[str] = frozenset()
    as_variables: tuple[str, ...] | None = None


USUAL = LiftOptions()
