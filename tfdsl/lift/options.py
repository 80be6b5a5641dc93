"""The choices for the readable form of a graph."""

from ..record import Record

KEEP_NAMES = ("all", "outputs", "none")


class LiftOptions(Record):
    """`keep_names` says which nodes keep their names: `all`, for which every node is a statement; `outputs`, which are
    placeholders, variables and results; or `none`. `checkpoint` is the path of the graph's checkpoint for the
    program."""

    keep_names: str = "outputs"
    checkpoint: str = ""


USUAL = LiftOptions()
