"""Loads declared data into arrays.

Input: a `data` declaration (`stage.DataSpec`), and the replacement of its source, if any: a file path or Python
data. Output: a `Dataset` with the sizes, dtypes and names of `declaration.schema_of`.
"""

from contextlib import nullcontext

from ..access import Access
from .arrays import Dataset, Reported
from .declaration import pipeline_of
from .pipeline import Pipeline
from .schema import at_stage
from .stage import DataSpec


def load(spec: DataSpec, *, replacement: object = None, access: Access | None = None) -> Dataset:
    return loaded(pipeline_of(spec, replacement, access))


def loaded(pipeline: Pipeline, reported: Reported = nullcontext) -> Dataset:
    """The data with its features and target, if they are numbers. Later arrays are made inside `reported`."""
    dataset, stages = pipeline.dataset(reported), len(pipeline.spec.transforms)
    with at_stage(stages):
        dataset.make(*(field for field in ("features", "target") if pipeline.schema.is_complete(field)))
    return dataset
