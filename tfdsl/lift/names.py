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
