"""Data sets for a run. Errors are reported at their declarations."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from ..access import Access
from ..data.arrays import Dataset
from ..data.declaration import pipeline_of
from ..data.learned import Fitted
from ..data.load import loaded
from ..data.pipeline import Pipeline
from ..data.schema import DataError
from ..diagnostics import Diagnostic, Note, TfgError
from ..program import Data


def opened(spec: Data, replacement: object, access: Access, others: Mapping[str, Pipeline]) -> Pipeline:
    """A `data` declaration at work. `replacement` stands in for its source. `others` are the data sets that it
    names."""
    with _reported(spec):
        return pipeline_of(spec, replacement, access, others=others)


def load(spec: Data, pipeline: Pipeline) -> Dataset:
    """The arrays of a `data` declaration."""
    with _reported(spec):
        return loaded(pipeline, lambda: _reported(spec))


def fitted(spec: Data, pipeline: Pipeline) -> Fitted:
    """What the transforms of a `data` declaration have learned."""
    with _reported(spec):
        return pipeline.fitted()


@contextmanager
def _reported(spec: Data) -> Iterator[None]:
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # numbers out of range are errors of their rows
            yield
    except DataError as error:
        notes = (Note(f"at {error.place}"),) if error.place else ()
        origin = spec.origin
        diagnostic = Diagnostic(error.message, origin.span, error.details, notes, chain=origin.chain)
        raise TfgError([diagnostic]) from error
