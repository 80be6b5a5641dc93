"""Finds large numbers of data that a training feeds as they are, which make its steps large.

Input: a training in an open session. Output: a note for each placeholder, with the transform that scales its data.
"""

from collections.abc import Iterator

import numpy as np

from ...data.arrays import is_streamed
from ...data.schema import shown
from ...diagnostics import Note
from ...ops.named import CAST
from ...program import BatchField, Feed, Field, Graph, Ref, Train, walk
from .execution import Execution

_LARGE = 100  # scaled numbers are below it


def unscaled(run: Execution, plan: Train) -> Iterator[Note]:
    """A note for each placeholder of floats that is fed columns of numbers, some of which are large."""
    feeds = {feed.ref: feed for one in walk(plan.body) for feed in one.uses().feeds}
    for feed in feeds.values():
        field = _field(feed, plan)
        if field is None or field.data in run.context.kept or not _is_amount(run.built.program, feed.ref):
            continue  # it is no data, or the session has computed it
        columns = run.fitted(field.data).result.columns_of(field.field)
        array = run.context.arrays(field)
        if (
            is_streamed(array)
            or array.dtype.kind not in "iuf"
            or any(column.shape or column.is_bias for column in columns)
        ):
            continue
        largest = float(np.max(np.abs(array), initial=0))
        if np.isfinite(largest) and largest >= _LARGE:
            given = "" if field.field == "features" else f"({', '.join(shown(column.name) for column in columns)})"
            yield Note(
                f"{feed.text} on line {{line}} is fed numbers up to {largest:.6g}: scaled, as by data "
                f"{field.data} = ... | standardize{given}, they give smaller steps",
                feed.origin.span,
            )


def _field(feed: Feed, plan: Train) -> Field | None:
    """The data that a feed gives whole, or whose batches it gives."""
    match feed.value:
        case BatchField(field=field, index=()) if plan.data is not None and field != "rows":
            return Field(*plan.data, field)
        case Field(index=()) if feed.value.field:
            return feed.value
    return None


def _is_amount(graph: Graph, ref: Ref) -> bool:
    """Whether a value is a float that the graph does not take for indices."""
    type = graph.type(ref)
    if type is None or type.dtype.kind != "float":
        return False
    casts = (node for node in graph.nodes.values() if node.row is CAST and ref in node.inputs())
    return all(one.outputs[0].dtype.kind == "float" for one in casts)
