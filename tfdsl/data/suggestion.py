"""A declaration for a file that would work: the arguments of its source, and the transforms that make numbers of it.

Input: a function that opens the file with some arguments. Output: the lines of a `data` declaration. It is a first
guess, so it keeps to what the cells say: gaps are filled, text becomes categories, dates their parts, and a column with
another text in nearly every row goes.
"""

from collections.abc import Callable

from ..types import BOOL, STRING
from .advice import date_form, have_commas, marks_in, parts_of_dates
from .pipeline import Pipeline
from .schema import Column
from .stage import Arguments, written_whole
from .transforms.tokens import words_of

_TARGETS = ("target", "y", "label")
_FEW, _LONG = 20, 3  # categories; words of a text that is no category
_NAMED = 4  # columns that are named
_SIZE = 200  # words of a text, at most
_SPLIT = 10  # rows, at least

Opened = Callable[[dict[str, object]], Pipeline]


def suggested(name: str, source: str, given: Arguments, opened: Opened) -> str:
    """A declaration of the data `name`. `given` has the arguments that are known, the path first."""
    arguments = dict(given)
    pipeline = opened(arguments)
    defaults = dict(pipeline.spec.source.arguments)
    if fixes := _fixes(pipeline, defaults):
        arguments |= fixes
        pipeline = opened(arguments)
    columns = pipeline.schemas[0].table
    if "target" in defaults and defaults["target"] is None and len(columns) > 1 and not pipeline.schema.targets:
        words = pipeline.source.words
        fit = [
            one.name for one in reversed(columns)
            if one.shape == () and (one.name not in words or not _is_no_category(words[one.name], pipeline.schema.rows))
        ]  # fmt: skip
        named = [name for word in _TARGETS for name in fit if name.lower() == word]
        if fit:
            arguments["target"] = (named or fit)[0]
            pipeline = opened(arguments)
    path, *others = (
        f"{key}={written_whole(value)}" for key, value in arguments.items() if key == "path" or value is not None
    )
    call = ", ".join([path.removeprefix("path="), *others])
    return "\n".join([f"data {name} = {source}({call})", *(f"    | {step}" for step in _steps(pipeline))])


def _fixes(pipeline: Pipeline, arguments: Arguments) -> dict[str, object]:
    """The arguments of the source that make numbers of text."""
    texts = pipeline.opened.texts
    found = [texts(one.name) for one in pipeline.schemas[0].table if one.dtype == STRING and texts is not None]
    if "decimal" in arguments and any(have_commas(one) and date_form(one) is None for one in found):
        return {"decimal": ","}
    marks = dict.fromkeys(mark for one in found if date_form(one) is None for mark in marks_in(one))
    given = arguments.get("missing")
    known = ("",) if given is None else (given,) if isinstance(given, str) else given
    assert isinstance(known, tuple)
    return {"missing": (*known, *marks)} if marks and "missing" in arguments else {}


def _steps(pipeline: Pipeline) -> list[str]:
    schema, words = pipeline.schemas[0], pipeline.source.words
    targets = [column for column in schema.table if column.role == "target"]
    features = [column for column in schema.table if column.role == "feature" and column.shape == ()]
    empty = [one for one in features if one.gaps == schema.rows]
    text = [one for one in features if one.dtype == STRING and one not in empty]
    forms = {one.name: date_form(words[one.name]) for one in text}
    dates = [one for one in text if forms[one.name] is not None]
    long = [one for one in text if one not in dates and _is_no_category(words[one.name], schema.rows)]
    if len(long) == len(features) and long:  # nothing but text
        size = min(_SIZE, max(len(words_of(text, True)) for text in words[long[0].name]))
        kept, long = long[0], long[1:]
        return [*_drop([*empty, *long]), f"tokens({written_whole(kept.name)}, size={size})", *_of_target(targets)]
    numbers = [one for one in features if one.dtype != STRING and one not in empty]
    categories = [one for one in text if one not in dates and one not in long]
    steps = _drop([*empty, *long])
    steps += [f"where({_test(one)})" for one in targets if one.gaps]
    for form in dict.fromkeys(forms[one.name] for one in dates):
        steps.append(parts_of_dates(_names([one for one in dates if forms[one.name] == form]), form or ""))
    if gaps := [one for one in numbers if one.gaps]:
        steps.append(f'fill({_names(gaps)}, with="median")')
    if made := [f"{one.name}_{part}" for one in dates if one.gaps for part in ("year", "month", "day", "weekday")]:
        steps.append(f'fill({", ".join(map(written_whole, made))}, with="median")')
    if gaps := [one for one in categories if one.gaps]:
        steps.append(f'fill({_names(gaps)}, with="most_frequent")')
    if any(one.dtype != BOOL for one in numbers) or dates:
        steps.append("standardize")
    if categories:
        steps.append("one_hot" if len(categories) > _NAMED else f"one_hot({_names(categories)})")
    others = [one for one in schema.table if one.role == "feature" and one.shape != ()]
    beside = others if features else others[1:]
    steps += [f"aside({_names(beside)})"] if beside else []
    steps += _of_target(targets)
    return [*steps, "split(test=0.2)"] if schema.rows >= _SPLIT else steps


def _is_no_category(words: object, rows: int) -> bool:
    """Whether a column has another text in nearly every row, or texts of many words."""
    assert isinstance(words, tuple)
    return len(words) > _FEW and (2 * len(words) > rows or sum(map(len, map(str.split, words))) > _LONG * len(words))


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
