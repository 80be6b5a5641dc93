"""Names that lifted programs do not bind."""

import keyword

from ..analysis.calls.builtins import BUILTINS
from ..ops import OPS
from ..ops.optimizers import OPTIMIZERS
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES

# Names that mean something else in the language.
TAKEN = {*OPS, *BUILTINS, *OPTIMIZERS, *DTYPE_NAMES, *CONSTANTS, *keyword.kwlist, "elif", "raw", "training",
          "later"}  # fmt: skip


def unused_name(wanted: str, bound: set[str]) -> str:
    """A name that is not bound yet, and now is."""
    name, number = wanted, 0
    while name in bound or name in TAKEN:
        number += 1
        name = f"{wanted}_{number}"
    bound.add(name)
    return name
