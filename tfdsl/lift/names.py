"""Names that lifted programs do not bind."""

import keyword
from collections.abc import Collection

from ..analysis.calls.builtins import BUILTINS
from ..ops import OPS
from ..ops.optimizers import OPTIMIZERS
from ..syntax.tree import CONSTANTS
from ..types import DTYPE_NAMES

# Words that can be neither names nor scopes.
WORDS = {*DTYPE_NAMES, *CONSTANTS, *keyword.kwlist, "elif", "raw", "training", "later"}
# Names that mean something else in the language. A scope can have the name of an op, since it hides nothing.
TAKEN = {*OPS, *BUILTINS, *OPTIMIZERS, *WORDS}


def unused_name(wanted: str, bound: set[str], others: Collection[str] = ()) -> str:
    """A name that is not bound yet, which this call binds. It is never one of `others`, the names of nodes."""
    name, number = wanted, 0
    while name in bound or name in TAKEN or name in others:
        number += 1
        name = f"{wanted}_{number}"
    bound.add(name)
    return name
