"""A declaration for a file that would work: the arguments of its source, and the transforms that make numbers of it.

Input: a function that opens the file with some arguments. Output: the lines of a `data` declaration. It is a first
guess, so it keeps to what the cells say: gaps are filled, text becomes categories, dates their parts, what names each
row is set aside, long texts go, and rows in the order of time are split in this order.
"""

import re
from collections.abc import Callable, Sequence
from math import prod

from ..diagnostics import CSV_NO_HEADER, CSV_ODD_HEADER
from ..types import BOOL, FLOAT32, INT64, STRING
from .advice import (
    MARKS,
    as_numbers,
    date_form,
    have_commas,
    have_leading_zeros,
    have_thousands,
    is_finite,
    is_written_number,
    marks_in,
    missing_with,
    other_order,
    parts_of_dates,
    parts_that_differ,
)
from .pipeline import Pipeline
from .schema import Column, DataError
from .stage import Arguments, written_whole
from .time_order import Series, backwards, is_in_order, is_named_time, series_of, values_of
from .transforms.tokens import words_of

_TARGETS = ("target", "y", "label")
_FEW, _LONG = 20, 3  # categories; words of a text that is no category
_NAMED = 4  # columns that are named
_SIZE = 200  # words of a text, at most
_MOSTLY = 0.9  # of the rows have a key of their own
_SPLIT = 10  # rows, at least
_KEY = re.compile(
    r"((.*[\W_])?|row|record|sample|case)(id|uid|uuid|guid|key|index|rownames|unnamed: 0)|.*ID|.*[a-z]Id", re.ASCII
)
_CODES = (-9.0, -99.0, -999.0, -9999.0, -99999.0)  # that may mean a missing value among numbers of 0 or more
_MISSING = ("na", "n/a", "#n/a", "nan", "null", "none", "missing", "?", "-")  # texts that may mean a missing value
_WINDOW = 10  # rows
_TEST = 0.2  # of the rows

Opened = Callable[[dict[str, object]], Pipeline]


def lacks_header(given: Arguments, opened: Opened) -> bool:
    """Whether the first line of a file seems to be a row of data, and the arguments do not say what it is."""
    if "header" in given:
        return False
    try:
        pipeline = opened({name: value for name, value in given.items() if name != "target"})
    except DataError as error:
        return error.message is CSV_NO_HEADER
    if any(doubt.message is CSV_ODD_HEADER for doubt in pipeline.doubts):
        return True
    texts = pipeline.opened.texts
    text = [one.name for one in pipeline.schemas[0].table if one.dtype == STRING]
    # The names of a header are not among the texts below them.
    return "header" in pipeline.spec.source.arguments and any(texts is not None and one in texts(one) for one in text)


def is_spaced(given: Arguments, opened: Opened) -> bool:
    """Whether the only column of a CSV file has numbers with spaces between them, below as many names."""
    if given.get("separator") is not None:
        return False
    pipeline = opened(dict(given))
    texts, (column, *others) = pipeline.opened.texts, pipeline.schemas[0].table
    if others or column.dtype != STRING or texts is None or "separator" not in pipeline.spec.source.arguments:
        return False
    width = len(column.name.split(" "))
    cells = [text.split(" ") for text in texts(column.name)]
    return width > 1 and all(len(one) == width and all(map(is_finite, one)) for one in cells)


def suggested(name: str, source: str, given: Arguments, opened: Opened) -> str:
    """A declaration of the data `name`. `given` has the arguments that are known, the path first."""
    arguments = dict(given)
    pipeline = opened(arguments)
    defaults = dict(pipeline.spec.source.arguments)
    columns = pipeline.schemas[0].table
    if "target" in defaults and defaults["target"] is None and len(columns) > 1 and not pipeline.schema.targets:
        words = pipeline.source.words
        fit = [
            one.name for one in reversed(columns)
            if one.shape == ()
            and not _is_unusable(pipeline, one)
            and (one.name not in words or _can_be_classes(words[one.name], pipeline.schema.rows))
        ]  # fmt: skip
        named = [name for word in _TARGETS for name in fit if name.lower() == word]
        if fit:
            arguments["target"] = (named or fit)[0]
            pipeline = opened(arguments)
    path, *others = (
        f"{key}={written_whole(value)}" for key, value in arguments.items() if key == "path" or value is not None
    )
    call = ", ".join([path.removeprefix("path="), *others])
    steps = [f"    | {step}" for step in _steps(pipeline)]
    return "\n".join([*(f"# {one}" for one in _doubts(pipeline)), f"data {name} = {source}({call})", *steps])


def for_numbers(given: Arguments, opened: Opened) -> dict[str, object]:
    """The arguments of the source that make numbers of text, of those that are not given."""
    pipeline = opened(dict(given))
    arguments, texts = pipeline.spec.source.arguments, pipeline.opened.texts
    if texts is None:
        return {}
    text = [one for one in pipeline.schemas[0].table if one.dtype == STRING and date_form(texts(one.name)) is None]
    marks_of = {one.name: marks_in(texts(one.name), _FEW if one.nearly_numbers else MARKS) for one in text}
    found = [[word for word in texts(one.name) if word not in marks_of[one.name]] for one in text]
    commas = [one for one in found if have_commas(one)]
    chosen: dict[str, object] = {}
    if arguments.get("decimal") == "." and "decimal" not in given and commas and not all(map(have_thousands, commas)):
        chosen["decimal"] = ","
    marks = dict.fromkeys(mark for marks in marks_of.values() for mark in marks)
    if marks and "missing" in arguments and "missing" not in given:
        chosen["missing"] = ("", *marks)
    return chosen


def _doubts(pipeline: Pipeline) -> list[str]:
    """What the declaration may get wrong, as comments."""
    schema, texts, doubts = pipeline.schemas[0], pipeline.source.words, list[str]()
    can_miss = "missing" in pipeline.spec.source.arguments
    repeated = _repeated(pipeline)
    has_tokens = any(step.startswith("tokens(") for step in _steps(pipeline))
    for column in schema.table:
        name = written_whole(column.name)
        words = texts.get(column.name, ())
        if can_miss and (marks := [word for word in words if word.lower() in _MISSING]):
            given = missing_with(marks, pipeline.spec.source.arguments)
            means = f"{', '.join(map(written_whole, marks))}: if {'they mean' if len(marks) > 1 else 'it means'}"
            doubts.append(f"{name} has {means} a missing value, write {given}")
        if swapped := other_order(words):
            form, example = swapped
            order = f"date_parts with {form} reads them in the other order"
            example = written_whole(example)
            doubts.append(f"{name} has dates such as {example}, which may begin with the day or the month: {order}")
        if not _is_no_category(words, schema.rows) and (alike := _alike(words)):
            some = ", ".join(map(written_whole, alike[:_NAMED]))
            doubts.append(f"{name} has {some}, which are different categories: write those alike that mean the same")
        if column.role == "feature" and not has_tokens and _has_sentences(words):
            size = min(_SIZE, max(len(words_of(text, True)) for text in words))
            doubts.append(f"{name} has texts of many words, so it is dropped: to learn from its words, "
                          f"write tokens({name}, size={size}) in place of the drop")  # fmt: skip
        so = "" if column.role == "target" else ", so it is dropped"
        if (unread := _unread_number(pipeline, column)) is not None:
            doubts.append(f"{name} has numbers as text, such as {written_whole(unread)}{so}: to learn from them as "
                          "numbers, write them without signs between thousands, of money or of percent")  # fmt: skip
        elif column.nearly_numbers:
            doubts.append(f"{name} is text, although most of its cells are numbers{so}")
        if _is_too_large(pipeline, column):
            so = so or ": divide them in the file"
            doubts.append(f"{name} has numbers too large for float32{so}")
        if column.is_number and column.dtype != BOOL and (code := _code(pipeline, column)) is not None:
            way = f', write missing=["", "{code}"]' if can_miss else ""
            doubts.append(f"{name} has {code}, and is not negative otherwise: if it means a missing value{way}")
        elif (other := repeated.get(column.name)) is not None:
            what = "the target" if other.role == "target" else written_whole(other.name)
            doubts.append(f"{name} has one value for each of {what}, so it is set aside")
    series = series_of(pipeline) if schema.rows >= _SPLIT else None
    if series is not None and len(series.by) > 1:
        names = " and ".join(map(written_whole, series.by))
        doubts.append(
            f"the rows of each {names} are in the order of time: windows need one column for both in the file"
        )
    elif series is None and schema.rows >= _SPLIT and (newest := backwards(pipeline)) is not None:
        doubts.append(f"{written_whole(newest)} goes from the newest to the oldest: sort the rows first, if they are a "
                      "series; split(test=0.2) alone tests with rows between those of the training")  # fmt: skip
    elif series is not None and (steps := _steps_of_series(pipeline, series)):
        what = f"rows of each {written_whole(series.by[0])} are" if series.by else "rows are"
        doubts.append(f"the {what} in the order of time: in place of the lines below, these make windows of them")
        doubts += [f"    | {step}" for step in steps]
    return doubts


def _steps_of_series(pipeline: Pipeline, series: Series) -> list[str]:
    """The transforms that make windows of the numbers of a series, the target among them: all are scaled by the rows
    before the test rows. Empty if the target is no number, or the series is too short."""
    import numpy as np

    schema = pipeline.schemas[0]
    targets = [one for one in schema.table if one.role == "target" and one.is_number]
    features = [one for one in schema.table if one.role == "feature" and one.name not in series.by]
    unusable = [one for one in features if _is_unusable(pipeline, one)]
    numbers = [
        one for one in features
        if one.is_number and one not in unusable and not is_named_time(one) and not _is_key(pipeline, one)
    ]  # fmt: skip
    others = [one for one in features if one not in unusable and one not in numbers]
    scaled = [one for one in (*numbers, *targets) if one.dtype != BOOL]
    by = schema.column(series.by[0]) if series.by else None
    length = schema.rows if by is None else np.median(np.unique(values_of(pipeline, by), return_counts=True)[1])
    size = min(_WINDOW, int(length * (_TEST if series.is_ordered else 1)) // 2)
    if not targets or len(targets) < len(schema.targets) or size < 1:
        return []
    steps = [*_drop(unusable), *([f"aside({_names(others)})"] if others else [])]
    steps += [f"where({_test(one)})" for one in targets if one.gaps]
    group = "" if by is None else f", by={written_whole(by.name)}"
    steps.append(f"split(test={_TEST}{', ordered=true' if series.is_ordered else group})")
    if gaps := [one for one in numbers if one.gaps]:
        steps.append(f'fill({_names(gaps)}, with="median")')
    steps += [f"standardize({_names(scaled)})"] if scaled else []
    return [*steps, f"windows({_names([*numbers, *targets])}, size={size}{group})"]


def _code(pipeline: Pipeline, column: Column) -> str | None:
    """A negative number such as -999 in a column whose other numbers are not negative."""
    import numpy as np

    if column.ends is not None and column.ends[0] not in _CODES:
        return None
    values = values_of(pipeline, column)
    negative = np.unique(values[values < 0])
    return f"{negative[0]:.0f}" if len(negative) == 1 and negative[0] in _CODES else None


def _is_unusable(pipeline: Pipeline, column: Column) -> bool:
    """Whether nothing can be learned from a column as it is read: it is empty, or its numbers are too large or text."""
    if column.gaps == pipeline.schemas[0].rows or _is_too_large(pipeline, column):
        return True
    return column.nearly_numbers or _unread_number(pipeline, column) is not None


def _unread_number(pipeline: Pipeline, column: Column) -> str | None:
    """A number of a column of text whose cells are numbers that are written otherwise than they are read. None if it is
    no such column."""
    words, source = pipeline.source.words.get(column.name, ()), pipeline.spec.source.arguments
    if have_leading_zeros(words) or not as_numbers(words, source):
        return None
    return next(word for word in words if is_written_number(word) and not is_finite(word))


def _is_too_large(pipeline: Pipeline, column: Column) -> bool:
    """Whether a column has numbers that no float32 can hold."""
    import numpy as np

    if column.dtype != FLOAT32:
        return False
    largest = np.finfo(np.float32).max
    blocks = (block[column.name] for _, block in pipeline.source.blocks())
    return any(bool((np.abs(block) > largest).any()) for block in blocks)


def _repeated(pipeline: Pipeline) -> dict[str, Column]:
    """The features whose values correspond one to one to those of another column, each with that column: the target or
    an earlier feature. Both columns are text, whole numbers or bools with few values."""
    import numpy as np

    schema = pipeline.schemas[0]
    plain = [one for one in schema.table if one.shape == () and one.dtype != FLOAT32 and _has_few(pipeline, one)]
    targets = [one for one in plain if one.role == "target"] if len(schema.targets) == 1 else []
    seen: list[tuple[Column, int, np.ndarray]] = []
    found: dict[str, Column] = {}
    for column in [*targets, *(one for one in plain if one.role == "feature")]:
        values, rows = np.unique(values_of(pipeline, column), return_inverse=True)
        count, rows = len(values), rows.reshape(-1)
        if not 2 <= count <= min(_FEW, schema.rows // 2):
            continue
        for other, others, their_rows in seen:
            if count == others == len(np.unique(rows * count + their_rows)):
                found[column.name] = other
                break
        else:
            seen.append((column, count, rows))
    return found


def _has_few(pipeline: Pipeline, column: Column) -> bool:
    """Whether a column may have only a few values, as far as is known without reading it."""
    words = pipeline.source.words.get(column.name)
    return words is None or len(words) <= _FEW


def _steps(pipeline: Pipeline) -> list[str]:
    schema, words = pipeline.schemas[0], pipeline.source.words
    targets = [column for column in schema.table if column.role == "target"]
    features = [column for column in schema.table if column.role == "feature" and column.shape == ()]
    arrays = sorted((one for one in schema.table if one.role == "feature" and one.shape != ()), key=_size, reverse=True)
    if arrays and _size(arrays[0]) > len(features):  # columns of other shapes cannot be in one array with it
        steps = [f"where({_test(one)})" for one in targets if one.gaps] + _split(pipeline)
        beside = [one for one in schema.table if one in features or one in arrays[1:]]
        return [*steps, *([f"aside({_names(beside)})"] if beside else []), *_of_target(targets)]
    unusable = [one for one in features if _is_unusable(pipeline, one)]
    text = [one for one in features if one.dtype == STRING and one not in unusable]
    forms = {one.name: date_form(words[one.name]) for one in text}
    dates = [one for one in text if forms[one.name] is not None]
    repeated = _repeated(pipeline)
    keys = [
        one for one in features
        if one not in unusable and one not in dates and (_is_key(pipeline, one) or one.name in repeated)
    ]  # fmt: skip
    keys = keys if len(keys) < len(features) else []
    text = [one for one in text if one not in keys]
    long = [one for one in text if one not in dates and _is_no_category(words[one.name], schema.rows)]
    aside = [f"aside({_names(keys)})"] if keys else []
    if long and len(long) == len(features) - len(keys) - len(unusable):  # nothing but text
        size = min(_SIZE, max(len(words_of(text, True)) for text in words[long[0].name]))
        kept, long = long[0], long[1:]
        tokens = f"tokens({written_whole(kept.name)}, size={size})"
        return [*_drop([*unusable, *long]), *aside, *_split(pipeline), tokens, *_of_target(targets)]
    numbers = [one for one in features if one.dtype != STRING and one not in unusable and one not in keys]
    categories = [one for one in text if one not in dates and one not in long]
    steps = [*_drop([*unusable, *long]), *aside]
    steps += [f"where({_test(one)})" for one in targets if one.gaps]
    steps += _split(pipeline)
    parts = {one.name: parts_that_differ(words[one.name], forms[one.name] or "") for one in dates}
    steps += _drop([one for one in dates if not parts[one.name]])
    dates = [one for one in dates if parts[one.name]]
    for form, made in dict.fromkeys((forms[one.name], parts[one.name]) for one in dates):
        own = [one for one in dates if (forms[one.name], parts[one.name]) == (form, made)]
        steps.append(parts_of_dates(_names(own), form or "", made))
    if gaps := [one for one in numbers if one.gaps]:
        steps.append(f'fill({_names(gaps)}, with="median")')
    if lacking := [f"{one.name}_{part}" for one in dates if one.gaps for part in parts[one.name]]:
        steps.append(f'fill({", ".join(map(written_whole, lacking))}, with="median")')
    if gaps := [one for one in categories if one.gaps]:
        steps.append(f'fill({_names(gaps)}, with="most_frequent")')
    if any(one.dtype != BOOL for one in numbers) or dates:
        steps.append("standardize")
    if categories:
        steps.append("one_hot" if len(categories) > _NAMED else f"one_hot({_names(categories)})")
    steps += [f"aside({_names(arrays)})"] if arrays else []
    return [*steps, *_of_target(targets)]


def _size(column: Column) -> int:
    """The numbers of a row."""
    return prod(column.shape)


def _split(pipeline: Pipeline) -> list[str]:
    schema = pipeline.schemas[0]
    if schema.rows < _SPLIT:
        return []
    return [f"split(test={_TEST}, ordered=true)" if is_in_order(pipeline) else f"split(test={_TEST})"]


def _is_key(pipeline: Pipeline, column: Column) -> bool:
    """Whether a column names each row: a short text or a whole number that no other row has."""
    rows, words = pipeline.schemas[0].rows, pipeline.source.words.get(column.name)
    if column.role != "feature" or rows < _SPLIT:
        return False
    if words is not None:
        return len(words) == rows - column.gaps > rows // 2 and sum(map(len, map(str.split, words))) <= _LONG * len(
            words
        )
    if column.dtype != INT64 or is_named_time(column):
        return False
    different = len(set(values_of(pipeline, column).tolist()))
    counts = column.ends is not None and column.ends[1] - column.ends[0] == rows - 1 and different == rows
    return counts or (bool(_KEY.fullmatch(column.name)) and different > _MOSTLY * rows)


def _is_no_category(words: Sequence[str], rows: int) -> bool:
    """Whether a column has another text in nearly every row, or texts of many words."""
    return len(words) > _FEW and (2 * len(words) > rows or _has_sentences(words))


def _has_sentences(words: Sequence[str]) -> bool:
    """Whether a column has texts of many words."""
    return len(words) > _FEW and sum(map(len, map(str.split, words))) > _LONG * len(words)


def _can_be_classes(words: Sequence[str], rows: int) -> bool:
    """Whether the texts of a column may be classes to learn: neither one for each row nor dates."""
    return not _is_no_category(words, rows) and date_form(words) is None


def _alike(words: Sequence[str]) -> list[str]:
    """The texts that differ from another one by capital letters or spaces only, each after the other."""
    groups: dict[str, list[str]] = {}
    for word in words:
        groups.setdefault(" ".join(word.casefold().split()), []).append(word)
    return [word for group in groups.values() if len(group) > 1 for word in group]


def _drop(columns: list[Column]) -> list[str]:
    return [f"drop({_names(columns)})"] if columns else []


def _of_target(targets: list[Column]) -> list[str]:
    text = [one for one in targets if one.dtype == STRING]
    return [f"categories({_names(text)})"] if text else []


def _names(columns: list[Column]) -> str:
    return ", ".join(written_whole(column.name) for column in columns)


def _test(column: Column) -> str:
    name = column.name if column.name == column.field else f"column({written_whole(column.name)})"
    return f"{name} == {name}"
