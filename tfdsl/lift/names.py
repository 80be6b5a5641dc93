"""Names that lifted programs do not bind."""

import keyword
from collections.abc import Collection

from ..analysis.calls.builtins import BUILTINS
from ..ops import OPS
from ..ops.optimizers import OPTIMIZERS
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES

# Names that mean something else in the language.
TAKEN = {*OPS, *BUILTINS, *OPTIMIZERS, *DTYPE_NAMES, *CONSTANTS, *keyword.kwlist, "elif", "raw", "training",
          "later"}  # fmt: skip


def unused_name(wanted: str, bound: set[str], others: Collection[str] = ()) -> str:
    """A name that is not bound yet, and now is. It is none of others, which are names of nodes."""
    name, number = wanted, 0
    while name in bound or name in TAKEN or name in others:
        number += 1
        name = f"{wanted}_{number}"
    bound.add(name)
    return name
