"""The errors for new rows whose columns are not those that transforms have learned from, with ways out."""

from collections.abc import Collection, Sequence

from ..diagnostics import FITTED_COLUMNS, FITTED_DTYPE
from ..types import BOOL, STRING
from .advice import columns_with, have_commas, is_finite
from .schema import Column, DataError, FilePlace, listed, shown, sizes
from .transforms.base import Facts, Transform


def repeated(transforms: Sequence[Transform], data: str, error: DataError) -> DataError:
    """The error for columns that differ because of transforms before `fitted` that it repeats."""
    names = " and ".join(one.name for one in transforms)
    error.details["way"] = f"leave {names} out: fitted({data}) does all that {data} does"
    return error


_SEPARATORS = (",", ";", "\t", "|")


def _separating(lacking: Sequence[str], foreign: Sequence[str], facts: Facts) -> str | None:
    """The sign between the cells of a file that was read as one column, if it is not the one of the program."""
    if (
        facts.of_source.get("decimal") != ","
        or facts.table is None
        or not lacking
        or len(first := facts.table.block(slice(0, 1))) != 1
    ):
        return None
    (column,) = first
    found = facts.first_text(column)
    text = foreign[0] if foreign else found[1] if found else ""
    parts = {sign: [part.strip(' "') for part in text.split(sign)] for sign in _SEPARATORS}
    return next((sign for sign, own in parts.items()
                 if (set(lacking) <= set(own) if foreign else len(own) >= len(lacking))), None)  # fmt: skip


def other_columns(
    data: str,
    lacking: Sequence[str],
    foreign: Sequence[str],
    facts: Facts,
    targets: Sequence[str],
    absent: Collection[str],
) -> DataError:
    """The error for columns that lack, or that are new (`foreign`). `targets` are those that may have been left out of
    columns that go by their positions, `absent` all columns that were learned from and are not there, needed or not."""
    file = facts.table.source.origin if facts.table is not None else "the data"
    what = [f"it has no column{'s' * (len(lacking) > 1)} {listed(lacking)}"] if lacking else []
    if foreign:
        what.append(f"{listed(foreign)} {'is' if len(foreign) == 1 else 'are'} new")
    if (sign := _separating(lacking, foreign, facts)) is not None:
        column = f"it was read as one column, because its cells are separated by {shown(sign)}"
        way = 'write ";" between the cells, as the program has decimal=","'
        return DataError(FITTED_COLUMNS, param="data", data=data, file=file, what=column, way=way)
    by_case = {name.lower(): name for name in foreign}
    ways = [
        f"rename {shown(by_case[name.lower()])} to {shown(name)}, as capitals count"
        for name in absent if name.lower() in by_case
    ]  # fmt: skip
    if left := [name for name in lacking if name.lower() not in by_case]:
        ways.append(f"add {listed(left)} to {file}")
    if left := [name for name in foreign if name.lower() not in {one.lower() for one in absent}]:
        way = f"leave {listed(left)} out of {file}"
        is_written = listed(left) == ", ".join(map(shown, left))
        ways.append(f"{way}; or in a program: | drop({listed(left)}) | fitted({data})" if is_written else way)
    if targets and lacking:
        ways = [f"columns without names go by their positions: keep the place of the target {listed(targets)}, as an "
                "empty cell in each row"]  # fmt: skip
    if any(is_finite(name) for name in foreign):
        ways = [f"its first line seems to be a row of data: write a line with the names of the columns above it, such "
                f"as {','.join(lacking)}"]  # fmt: skip
    return DataError(FITTED_COLUMNS, param="data", data=data, file=file, what=", and ".join(what), way="; ".join(ways))


def other_dtypes(data: str, differing: Sequence[tuple[Column, Column]], facts: Facts) -> DataError:
    """The error for columns, each with the one that was learned from."""
    texts = [(one, own) for one, own in differing if one.dtype == STRING]
    found = next((cell for one, _ in texts if (cell := facts.first_text(one.name) or _first_text(one, facts))), None)
    place, cell = found or (None, "")
    types = [(shown(one.name), *(f"{c.dtype}{sizes(c.shape) if c.shape else ''}" for c in (one, own)))
             for one, own in differing]  # fmt: skip
    what = ", and ".join(f"{name} is {now}, not {then}" for name, now, then in types)
    ways: list[str] = []
    source = facts.of_source
    if found and place is not None and place.line == 1 and source.get("header") not in (None, True):
        ways.append("the first line of the file seems to be names, which the data that was learned from has not: "
                    "remove this line")  # fmt: skip
    elif found and source.get("decimal", ".") == "." and have_commas([cell]):
        ways.append(f"numbers have a point before their fraction, so write {shown(cell.replace(',', '.'))}")
        ways += ['in a program: csv(..., decimal=",")'] if facts.is_declared and "decimal" in source else []
    elif found and source.get("decimal") == "," and is_finite(cell):
        ways.append(f"numbers have a comma before their fraction, so write {shown(cell.replace('.', ','))}")
    elif found and texts[0][1].dtype == BOOL:
        ways.append(f"write true or false in place of {shown(cell)}")
    elif found and is_finite(cell):
        number = f"{float(cell):.15g}"
        zeros = f"write {shown(number)} in place of {shown(cell)}, as numbers with leading zeros are text"
        ways.append(zeros if "columns" in source else f"{shown(cell)} is text: make the column one of numbers")
    elif found:
        ways.append(
            f"the first cell that is not a number is {shown(cell)}: write a number there, or nothing if it is missing"
        )
    if "columns" in source and facts.is_declared:
        dtypes = columns_with({one.name: own.dtype.name for one, own in differing}, facts.of_source)
        ways.append(f"in a program the source can say the dtypes: {dtypes}")
    return DataError(FITTED_DTYPE, place=place, param="data", data=data, what=what, way="; ".join(ways))


def _first_text(column: Column, facts: Facts) -> tuple[FilePlace, str] | None:
    """The file and the text of the first cell of a column of text, of a file whose cells have no place."""
    table = facts.table
    if table is None or column.shape or column.name not in table.words:
        return None
    words = table.words[column.name]
    text = next((one for one in words if not is_finite(one)), words[0] if words else None)
    return None if text is None else (FilePlace(table.source.origin), text)
