"""The choices for the readable form of a graph."""

from ..ops.named import DROPOUT
from ..record import Record

KEEP_NAMES = ("all", "outputs", "none")
ASSERT, SUMMARIES, TRAINING = "assert", "summaries", "training"
DROPS = (DROPOUT.name, TRAINING, ASSERT, SUMMARIES)


class LiftOptions(Record):
    """`keep_names` says which nodes keep their names: `all`, with a statement for every node; `outputs`, for
    placeholders, variables and results; or `none`. `checkpoint` is the path by which the program finds the graph's
    checkpoint. `drop` lists the parts to leave out."""

    keep_names: str = "outputs"
    checkpoint: str = ""
    drop: frozenset[str] = frozenset()


USUAL = LiftOptions()
