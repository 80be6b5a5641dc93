"""`tfdsl predict`: the values of a restored model for the rows of new files, written row by row.

Input: a compiled program, what to evaluate, a checkpoint, and the files. Output: a file with the columns that the data
sets aside, and the values. Rows are read and evaluated in blocks, so the files can be of any size.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..access import TRUSTED, AccessRefused
from ..analysis.prediction import Prediction, possible
from ..data.declaration import new_rows
from ..data.learned import Fitted
from ..data.outputs import OUTPUTS, suffix_of
from ..data.outputs.base import Block, columns
from ..data.pipeline import Pipeline
from ..data.schema import Column, by_kind, composed, listed, shown
from ..data.tables import Table, absent
from ..diagnostics import (
    PREDICT_COLUMN,
    PREDICT_KEYS,
    PREDICT_LACKS,
    PREDICT_ROWS,
    PREDICT_TWICE,
    WRITE_EXISTS,
    WRITE_FAILED,
    WRITE_ONE,
    Diagnostic,
    Message,
    Note,
    TfgError,
)
from ..diagnostics.render import render_text
from ..diagnostics.spelling import counted, did_you_mean
from ..diagnostics.spelling import listed as listed_names
from ..lowering.built import BuiltGraph
from ..lowering.failures import reason_of
from ..lowering.tf import tf
from ..program import Ref, Session
from ..types import STRING
from .execution.execution import Execution
from .execution.failures import run_failure
from .execution.feeds import convert
from .files.written import NotWritten, replacing
from .options import Options
from .program import RunnableProgram
from .result import Result
from .run_context import RunContext
from .session import opened
from .target_units import tell_units
from .trained import argument, learned_of, placed, restored, stored, tell_data

_BLOCK, _NUMBERS = 16_384, 1 << 21  # rows of a block, and numbers in its features


@dataclass(frozen=True, slots=True)
class Predicted:
    """What was written: the rows and the columns."""

    rows: int
    columns: tuple[str, ...]


def predict(
    compiled: RunnableProgram, wanted: Prediction, checkpoint: str, files: Mapping[str, str], output: str,
    only: Sequence[str], note: Callable[[str], None], overwrite: bool,
) -> Predicted:  # fmt: skip
    """Write the values for the rows of new files. `files` has a path for each data set. `only` names the columns to
    write; all if it is empty."""
    origin = argument("--from", checkpoint)
    built = compiled.built(wanted.graph)
    plan = Session("", wanted.graph, False, (), origin)
    result = Result(compiled.program.path, {})
    context = RunContext(
        Options(note=note), result, compiled.array, compiled.learned, compiled.fitted, TRUSTED, None, None
    )
    with opened(plan, built, context) as session:
        run = session.run
        needed = run.built.program.reach(wanted.outputs.values(), frozenset(wanted.fed))
        tell_data(compiled, run.built.program, wanted.outputs.items(), wanted.fed, note)
        tell_units(compiled, run.built.program, wanted.outputs, note)
        with stored(run, checkpoint, origin) as prefix:
            saved = restored(run, needed, prefix, checkpoint, origin)
        data = {name: _rows(compiled, name, files[name], checkpoint, saved, note) for name in wanted.data}
        _check_fields(compiled, wanted, data, files)
        rows = {name: one.schema.rows for name, one in data.items()}
        if len(set(rows.values())) > 1:
            raise _error(PREDICT_ROWS, rows=" and ".join(f"{count} of {name}" for name, count in rows.items()))
        blocks = _blocks(run, wanted, data, min(rows.values()))
        return _written(blocks, output, [*map(composed, only)], overwrite)


# --- the rows ---------------------------------------------------------------------------------


def _rows(
    compiled: RunnableProgram, name: str, path: str, checkpoint: str, saved: Mapping[str, Fitted],
    note: Callable[[str], None],
) -> Pipeline:  # fmt: skip
    """The rows of a file, transformed with what the model has learned."""
    spec = next(one for one in compiled.program.data if one.name == name)
    fitted = learned_of(compiled, name, checkpoint, saved, note)
    with placed():
        made = new_rows(spec, path, fitted, TRUSTED)
    for first, *others in by_kind(made.doubts):
        notes = ((Note(f"at {first.place}"),) if first.place else ()) + tuple(Note(one.headline) for one in others)
        note(render_text(Diagnostic(first.message, None, first.details, notes)).rstrip())
    return made


def _check_fields(
    compiled: RunnableProgram, wanted: Prediction, data: Mapping[str, Pipeline], files: Mapping[str, str]
) -> None:
    """Refuse files that lack a column of a field that is fed, such as the target."""
    graph = compiled.program.graph(wanted.graph)
    for ref, field in wanted.fed.items():
        with placed():
            columns = compiled.pipeline(field.data).sources_of(field.field)
        known = {one.name: one for one in data[field.data].opened.schema.table}
        names = [one.name for one in columns if one.name not in known]
        unknown = [known[one.name] for one in columns if one.name in known and field.field == "target"]
        gap = next((one for one in unknown if one.gaps), None)
        if not names and gap is None and data[field.data].schema.type_of(field.field) is not None:
            continue
        needing = [name for name, one in wanted.outputs.items() if ref.node in graph.reach([one])]
        others = [name for name in possible(compiled.program, compiled.pipeline, files) if name not in wanted.outputs]
        way = f"name values that do not need it with --values, from: {listed_names(others)}" if others else ""
        if names:
            lacking = f"has no column{'s' * (len(names) > 1)} {listed(names)}"
            way = "; or ".join(filter(None, [f"add it to {shown(files[field.data])}", way]))
        elif gap is not None:
            lacking = f"lacks {shown(gap.name)} in {counted(gap.gaps, 'row')}"
        else:  # windows of rows that are new have none
            lacking = f"has no {field.field} for rows that come after the last one"
        raise _error(PREDICT_LACKS, name=listed_names(needing), data=field.data, field=field.field, lacks=lacking,
                     file=shown(files[field.data]), way=way)  # fmt: skip


def _blocks(run: Execution, wanted: Prediction, data: Mapping[str, Pipeline], rows: int) -> Iterator[Block]:
    """The columns to write, block by block."""
    sets = {name: one.dataset() for name, one in data.items()}
    with placed():
        fed = {ref: sets[field.data].array(field.field) for ref, field in wanted.fed.items()}
    for name, one in sets.items():
        for column, row, value, rounded in one.rounded[:1]:
            others = [shown(other) for other, *_ in one.rounded[1:]]
            more = f"; {listed_names(others)} {'have' if len(others) > 1 else 'has'} such numbers too" if others else ""
            run.options.note(
                f"tfdsl: row {row + 1} of {shown(column)} in {name} is {value:.0f}, and {rounded:.0f} as float32{more}"
            )
    numbers = sum(int(np.prod(array.shape[1:])) for array in fed.values())
    size = max(1, min(_BLOCK, _NUMBERS // max(1, numbers)))
    keys = [(name, one.table(), _aside(one)) for name, one in data.items()]
    for name in wanted.outputs:
        if any(column.name == name for _, _, kept in keys for column in kept):
            raise _error(PREDICT_TWICE, name=shown(name))
    for start in range(0, rows, size):
        within = slice(start, min(start + size, rows))
        with placed():
            block = _together([(name, dict(_keys(table, kept, within))) for name, table, kept in keys], start)
        block |= _values(run, wanted, {ref: array[within] for ref, array in fed.items()}, within)
        yield block


def _together(keys: Sequence[tuple[str, Block]], start: int) -> dict[str, np.ndarray]:
    """The key columns of all data sets. Those of the same name must have the same cells."""
    result: dict[str, np.ndarray] = {}
    of: dict[str, str] = {}
    for data, block in keys:
        for name, cells in block.items():
            first = result.setdefault(name, cells)
            differ = np.flatnonzero((first != cells) & ((first == first) | (cells == cells)))  # NaN is as NaN
            if len(differ):
                row = int(differ[0])
                raise _error(PREDICT_KEYS, name=shown(name), first=of[name], other=data, row=start + row + 1,
                             one=shown(str(first[row])), two=shown(str(cells[row])))  # fmt: skip
            of.setdefault(name, data)
    return result


def _aside(data: Pipeline) -> list[Column]:
    return [column for column in data.schema.table if column.role == "aside" and column.shape == ()]


def _keys(table: Table, columns: Sequence[Column], rows: slice) -> Iterator[tuple[str, np.ndarray]]:
    """The columns that are set aside, as they are in the file."""
    cells = table.block(rows) if columns else {}
    for column in columns:
        if column.dtype != STRING:
            yield column.name, cells[column.name]
            continue
        codes = cells[column.name]
        words = np.array([*table.words[column.name], ""], object)  # a missing cell takes the last
        yield column.name, words[np.where(absent(codes), -1, codes)]


def _values(run: Execution, wanted: Prediction, fed: Mapping[Ref, np.ndarray], rows: slice) -> dict[str, np.ndarray]:
    built, origin = run.built, run.plan.origin
    feeds = {built.tensor(ref): _converted(built, ref, array) for ref, array in fed.items()}
    built.refuse_outside((built.tensor(ref).name for ref in wanted.outputs.values()), origin)
    try:
        values = run.session.run({name: built.tensor(ref) for name, ref in wanted.outputs.items()}, feeds)
    except tf.errors.OpError as error:
        raise run_failure(built, error, origin) from error
    return {name: np.asarray(value) for name, value in values.items()}


def _converted(built: BuiltGraph, ref: Ref, array: np.ndarray) -> np.ndarray:
    type = built.program.type(ref)
    assert type is not None  # of a placeholder
    return convert(np.asarray(array), type, built.program.nodes[ref.node].shown, None)


# --- the file ---------------------------------------------------------------------------------


def _written(blocks: Iterator[Block], path: str, only: list[str], overwrite: bool) -> Predicted:
    rows, written = 0, tuple[str, ...]()
    try:
        with replacing(path, TRUSTED, overwrite) as file, placed():
            kind = OUTPUTS[suffix_of(path)]
            output = kind(file)
            for block in blocks:
                chosen = _chosen(block, only)
                if kind.takes_one and len(chosen) != 1:
                    help = f"name one: --only {list(chosen)[-1]}"
                    raise TfgError([Diagnostic(WRITE_ONE, None, {"path": path, "count": len(chosen)}, help=help)])
                output.add(chosen)
                written = tuple(chosen)
                rows += len(next(iter(chosen.values())))
            output.finish()
    except NotWritten:
        raise _error(WRITE_EXISTS, path=path) from None
    except AccessRefused as error:
        raise _error(error.message, **error.details) from None
    except OSError as error:
        raise _error(WRITE_FAILED, path=path, reason=reason_of(error)) from error
    return Predicted(rows, written)


def _chosen(block: Block, only: list[str]) -> Block:
    """The columns that are named: values, or columns of values such as `p_0`."""
    if not only:
        return block
    parts = columns(block)
    for name in only:
        if name not in block and name not in parts:
            known = dict.fromkeys((*block, *parts))
            help = did_you_mean(name, known)
            raise TfgError([Diagnostic(PREDICT_COLUMN, None, {"name": shown(name), "known": listed(known)}, help=help)])
    return {name: block[name] if name in block else parts[name] for name in only}


def _error(message: Message, **details: object) -> TfgError:
    return TfgError([Diagnostic(message, None, details)])
