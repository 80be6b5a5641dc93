"""Rules of the checks: most give nothing, and refuse what can already be seen to fail."""

from .op import Call
from .shapes import broadcast, least_rank, wanted_rank


def pair(call: Call) -> tuple:
    """Two tensors that are compared, so they must broadcast."""
    broadcast(call, "x", "y")
    return ()


def rank(call: Call) -> tuple:
    wanted_rank(call, "x", call["rank"])
    return ()


def rank_at_least(call: Call) -> tuple:
    least_rank(call, "x", call["rank"])
    return ()
