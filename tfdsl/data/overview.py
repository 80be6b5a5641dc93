"""What a data set is, for people: its columns, what was decided and learned, its first rows, and its features.

Input: a `Pipeline`. Output: an `Overview`, as plain values.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..record import Record
from ..types import STRING, TensorType
from .pipeline import Pipeline
from .schema import Column, DataError, Schema
from .stage import written
from .transforms import TRANSFORMS
from .transforms.base import ColumnMaker, Learned

FIRST = 5  # rows
_FREQUENT = 3  # texts of a column


class ColumnFacts(Record):
    """A column of the source. `least` and `most` are of numbers; text has `categories` different texts, the most
    `frequent` with their counts, if they were counted."""

    column: Column
    least: float | None = None
    most: float | None = None
    categories: int | None = None
    frequent: tuple[tuple[str, int], ...] = ()


class StepFacts(Record):
    """The data after a transform, and what it has learned: lines such as "age: mean 29.5"."""

    call: str
    schema: Schema
    learned: tuple[str, ...]


class Overview(Record):
    """`first` has the first rows as text. `fault` says why a field is no array yet."""

    name: str
    source: str
    decided: tuple[tuple[str, str], ...]
    schema: Schema
    result: Schema
    columns: tuple[ColumnFacts, ...]
    first: tuple[tuple[str, ...], ...]
    steps: tuple[StepFacts, ...]
    fault: DataError | None
    doubts: tuple[DataError, ...]


def overview(pipeline: Pipeline) -> Overview:
    schema, table = pipeline.schemas[0], pipeline.source
    words = table.words
    counted = {column.name: facts for column, facts in zip(schema.table, _column_facts(pipeline))}
    block = table.block(slice(0, min(FIRST, table.rows)))
    cells = [[_cell(value, words.get(one.name)) for value in block[one.name]] for one in schema.table]
    fault = None
    try:
        pipeline.check("features")
    except DataError as error:
        fault = error
    return Overview(
        pipeline.spec.name, pipeline.spec.source.name, tuple(pipeline.opened.decided), schema, pipeline.schema,
        tuple(counted.values()), tuple(zip(*cells, strict=True)), tuple(_steps(pipeline)), fault,
        tuple(pipeline.doubts),
    )  # fmt: skip


def _column_facts(pipeline: Pipeline) -> Iterator[ColumnFacts]:
    import numpy as np

    table, columns = pipeline.source, pipeline.schemas[0].table
    counts = {name: np.zeros(len(words) + 1, np.int64) for name, words in table.words.items()}
    ends = {one.name: [one.ends] for one in columns if one.ends is not None}
    open_ended = [one.name for one in columns if one.is_number and one.ends is None and one.gaps < table.rows]
    is_flat = all(one.shape == () for one in columns)  # pictures are not read only to count
    for _, block in table.blocks() if is_flat and (counts or open_ended) else ():
        for name, found in counts.items():
            found += np.bincount(block[name] % len(found), minlength=len(found))  # the code -1 is the last
        for name in open_ended:
            part = block[name].astype(float)
            if not np.isnan(part).all():
                ends.setdefault(name, []).append((float(np.nanmin(part)), float(np.nanmax(part))))
    for one in columns:
        if one.dtype == STRING and one.shape == ():
            number = counts[one.name][:-1]
            top = np.argsort(-number, kind="stable")[:_FREQUENT].tolist() if is_flat else []
            frequent = tuple((str(table.words[one.name][at]), int(number[at])) for at in top if number[at])
            yield ColumnFacts(one, categories=len(table.words[one.name]), frequent=frequent)
        elif found := ends.get(one.name):
            yield ColumnFacts(one, min(low for low, _ in found), max(high for _, high in found))
        else:
            yield ColumnFacts(one)


def _cell(value: Any, words: Sequence[str] | None) -> str:  # a NumPy scalar of any dtype, or an array
    """A cell of a block as text, "" for a missing one."""
    if words is not None:
        return words[int(value)] if value >= 0 else ""
    if value.ndim:
        return f"[{', '.join(map(str, value.shape))}]"
    return "" if value != value else str(value).lower() if value.dtype.kind == "b" else f"{value:.10g}"


def _steps(pipeline: Pipeline) -> Iterator[StepFacts]:
    for at, step in enumerate(pipeline.steps):
        transform = TRANSFORMS[step.name]
        learned = pipeline.learned(at) if isinstance(transform, ColumnMaker) else {}
        lines = _learned(transform, step.arguments, learned) if isinstance(transform, ColumnMaker) else ()
        yield StepFacts(call(step.name, step.arguments), pipeline.schemas[at + 1], tuple(lines))


def call(name: str, arguments: Mapping[str, object]) -> str:
    """A stage as a program writes it."""
    if TRANSFORMS[name].takes_data and arguments.get("name") is None:
        return f"{name}({arguments['data']})"
    defaults = {param.name: param.default for param in TRANSFORMS[name].params}
    columns = arguments.get("columns")
    parts = [written(one) for one in columns] if isinstance(columns, tuple) else []
    parts += [
        "..." if key == "condition" else f"{key}={written(value)}"
        for key, value in arguments.items()
        if key != "columns" and value is not None and defaults.get(key) != value
    ]
    return f"{name}({', '.join(parts)})" if parts else name


def _learned(transform: ColumnMaker, arguments: Mapping[str, object], learned: Learned) -> Iterable[str]:
    if transform.takes_data:
        yield f"what {learned['fitted'].name} has learned"
        return
    by_column: dict[str, list[str]] = {}
    for word, columns in transform.readable(transform.bound(arguments), learned).items():
        for column, value in columns.items():
            by_column.setdefault(column, []).append(f"{word} {_value(value)}")
    for column, parts in by_column.items():
        yield f"{column}: {', '.join(parts)}"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"({len(value)}) " + ", ".join(_value(one) for one in value[:8]) + (", ..." if len(value) > 8 else "")
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def to_json(facts: Overview) -> dict[str, object]:
    """Plain JSON."""
    return {
        "name": facts.name, "source": facts.source, "decided": dict(facts.decided), "rows": facts.schema.rows,
        "columns": [
            {
                "name": one.column.name, "dtype": one.column.dtype.name, "shape": list(one.column.shape),
                "role": one.column.role, "gaps": one.column.gaps, "least": one.least, "most": one.most,
                "categories": one.categories, "frequent": [list(pair) for pair in one.frequent],
            }
            for one in facts.columns
        ],
        "first": [list(row) for row in facts.first],
        "transforms": [
            {"call": one.call, "rows": one.schema.rows, "columns": len(one.schema.table), "features": _type(one.schema),
             "learned": list(one.learned)}
            for one in facts.steps
        ],
        "parts": dict(facts.result.parts),
        "features": None if facts.fault else str(facts.result.features_type),
        "target": None if facts.result.target_type is None else str(facts.result.target_type),
        "fault": facts.fault and _plain(facts.fault),
        "warnings": list(map(_plain, facts.doubts)),
    }  # fmt: skip


def _plain(error: DataError) -> dict[str, object]:
    place = error.place and str(error.place)
    return {"code": error.message.code, "message": error.headline, "help": error.help, "place": place}


def _type(schema: Schema) -> str | None:
    type: TensorType | None = schema.features_type
    return None if type is None else str(type)
