"""The choices for the readable form of a graph."""

from ..ops.named import DROPOUT
from ..record import Record

KEEP_NAMES = ("all", "outputs", "none")
ASSERT, SUMMARIES, TRAINING = "assert", "summaries", "training"
DROPS = (DROPOUT.name, TRAINING, ASSERT, SUMMARIES)


class LiftOptions(Record):
    """`keep_names` says which nodes keep their names: `all`, for which every node is a statement; `outputs`, which are
    placeholders, variables and results; or `none`. `checkpoint` is the path of the graph's checkpoint for the
    program. `drop` has the parts to leave out."""

    keep_names: str = "outputs"
    checkpoint: str = ""
    drop: frozenset[str] = frozenset()


USUAL = LiftOptions()
