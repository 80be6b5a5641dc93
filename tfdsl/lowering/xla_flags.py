"""The flags with which XLA compiles trainings.

Before other optimizations, XLA splits a sum of more than 32 numbers into sums of 32 numbers each. On a CPU these are
computed one number at a time and written to memory, while a sum in one piece is computed in vectors, together with what
it adds. The split takes half of a small step, and does not make long sums more exact.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

_VARIABLE = "XLA_FLAGS"
_OPTION = "--xla_disable_hlo_passes"
_SPLITTING = "tree_reduction_rewriter"  # GPUs have a pass of another name, which they need


@contextmanager
def xla_flags() -> Iterator[None]:
    """Set the flags inside the `with` block, beside those of the user. XLA reads them when it first compiles in a
    process; later they have no effect."""
    before = os.environ.get(_VARIABLE)
    os.environ[_VARIABLE] = _with_ours(before or "")
    try:
        yield
    finally:
        if before is None:
            del os.environ[_VARIABLE]
        else:
            os.environ[_VARIABLE] = before


def _with_ours(flags: str) -> str:
    """Flags with ours. If the user disables passes, the user's choice stays."""
    return flags if _OPTION in flags or os.path.exists(flags) else f"{flags} {_OPTION}={_SPLITTING}".strip()
