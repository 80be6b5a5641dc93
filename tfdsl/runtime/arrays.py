"""Data sets for a run. Errors are reported at their declarations."""

import numpy as np

from ..access import Access
from ..data.arrays import Dataset
from ..data.load import load as load_data
from ..data.load import loaded
from ..data.pipeline import Pipeline
from ..data.schema import DataError
from ..diagnostics import Diagnostic, Note, TfgError
from ..program import Data


def load(spec: Data, replacement: object, access: Access, read: Pipeline | None = None) -> Dataset:
    """The arrays of a `data` declaration. `replacement` stands in for its source. `read` is the data if the compilation
    has read it; streamed data is read again."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers out of range are errors of their rows
            if read is not None and not read.schema.streamed:
                return loaded(read)
            return load_data(spec, replacement=replacement, access=access)
    except DataError as error:
        notes = (Note(f"at {error.place}"),) if error.place else ()
        origin = spec.origin
        diagnostic = Diagnostic(error.message, origin.span, error.details, notes, chain=origin.chain)
        raise TfgError([diagnostic]) from error
