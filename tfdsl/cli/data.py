"""`tfdsl data`: shows the columns of data, what was decided and learned, and what `.features` will be."""

import argparse
import os
import re
import shutil
import sys
from collections.abc import Callable
from keyword import iskeyword
from typing import TYPE_CHECKING

from ..access import TRUSTED
from ..data import SOURCES
from ..data.declaration import pipeline_of
from ..data.overview import Overview, overview, to_json
from ..data.pipeline import Pipeline
from ..data.schema import DataError, FilePlace, Schema, shown, sizes
from ..data.sources import of_file, suffixes
from ..data.sources.base import Where
from ..data.stage import Arguments
from ..data.suggestion import for_numbers, is_spaced, lacks_header, suggested
from ..diagnostics import DATA_FORMAT, Diagnostic, Note, TfgError
from ..diagnostics.spelling import counted, shortened, visible
from ..driver import check
from ..record import Record, replace
from ..syntax.read import read
from ..types import BOOL
from .options import add_program_options, given
from .parser import CommandParser
from .report import WrongUse, colour, errors, show, show_json

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_LONGEST = 24  # characters of a cell
_ROWS = 60  # columns of data, each a row of the table
_WIDTH = 110  # if the output is not a terminal
_TEXT = r'"(?:[^"\\]|\\.)*"'
_ARGUMENT = re.compile(
    rf"\b(header|comment|separator|decimal|missing)=(true|false|{_TEXT}|\[{_TEXT}(?:, {_TEXT})*\])( in the source)?"
)
_LINES = {', or header=["a", "b", ...] with their names': "", " to the arguments of csv": ""}
_GIVEN = {"true": True, "false": False}


class FileStage(Record):
    """The source of a file on the command line."""

    name: str
    arguments: Arguments


class FileData(Record):
    """A file on the command line as a `data` declaration."""

    name: str
    source: FileStage
    transforms: tuple[FileStage, ...] = ()
    folder: str = ""


def configure(parser: CommandParser) -> None:
    parser.set_defaults(takes_others=True)  # files that are not programs
    parser.description = (
        "Show the columns of a file of data, or of the data sets of a program: types, missing cells, ranges, "
        "categories, first rows, what was decided while reading, and what .features will be. For a file it also writes "
        "a data declaration to begin with."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file, or a file of data; several by a pattern in quotes")
    parser.add_argument("--target", metavar="COLUMN", action="append", help="the target; can be repeated")
    parser.add_argument("--separator", metavar="SIGN", help="the separator of a CSV file")
    parser.add_argument("--header", choices=_GIVEN, help="whether its first line names the columns")
    parser.add_argument("--missing", metavar="TEXT", action="append", help="a cell that is missing; can be repeated")
    parser.add_argument("--decimal", metavar="SIGN", help="the decimal sign of its numbers, such as a comma")
    parser.add_argument("--comment", metavar="TEXT", help="the text at the start of lines that are comments")
    parser.add_argument("--size", metavar=("HEIGHT", "WIDTH"), nargs=2, type=int, help="the size to scale pictures to")
    parser.add_argument("--json", action="store_true", help="as a JSON object")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    if arguments.file.lower().endswith(".tfg"):
        return _of_program(arguments)
    try:
        source = of_file(arguments.file, Where("", TRUSTED))
    except DataError as error:
        if error.message is DATA_FORMAT:
            match = None if os.path.exists(arguments.file) else TRUSTED.similar(arguments.file, wanted=".csv")
            meant = f": did you mean '{match}'?" if match else ""
            raise WrongUse(f"the name of {arguments.file!r} does not end in .tfg, {suffixes()}{meant}") from None
        raise TfgError([_diagnostic(error)]) from None
    known, options = {param.name for param in source.params}, _options(arguments)
    for name in options:
        if name not in known:
            raise WrongUse(f"--{name} is not for {source.name} files")
    name = _name(arguments.file)

    def opened(chosen: dict[str, object]) -> Pipeline:
        return pipeline_of(FileData(name, FileStage(source.name, source.bound(chosen))), access=TRUSTED, all_kinds=True)

    try:
        chosen = {"path": arguments.file, **options}
        bare = lacks_header(chosen, opened)
        chosen |= {"header": False} if bare else {}
        chosen |= {"separator": " "} if is_spaced(chosen, opened) else {}
        found = for_numbers(chosen, opened)
        if options.get("header") is False:  # the text may be a name in the first line
            found.pop("missing", None)
        chosen |= found
        facts = overview(opened(chosen))
        line = suggested(name, source.name, chosen, opened)
    except DataError as error:
        code = errors([_diagnostic(error)])
        return 2 if error.param in options else code
    if arguments.json:
        _print_json({**to_json(facts), "line": line})
        return 0
    _print(facts, _as_options)
    guessed = "target" not in options and "target=" in line
    notes = ["; the target is a guess, --target names another"] if guessed else []
    notes += ["; the first line seems to be a row, --header true takes it for names"] if bare else []
    notes += ["; its numbers seem to have a comma, --decimal . takes them for text"] if "decimal" in found else []
    notes += ["; the texts in missing seem to be no values"] if "missing" in found else []
    print(f"\nTo begin with{''.join(notes)}:\n")
    show(line)
    return 0


def _of_program(arguments: argparse.Namespace) -> int:
    if options := _options(arguments):
        raise WrongUse(f"--{next(iter(options))} is for files of data; a program says it itself")
    extra, found = given(arguments), dict[str, Pipeline]()
    _, diagnostics = check(read(arguments.file, extra.limits), replace(extra.inputs(arguments.file), read=found))
    faults = [one for one in diagnostics if one.severity == "error"]
    try:
        facts = [overview(one) for one in found.values()]
    except DataError as error:
        raise TfgError([_diagnostic(error)]) from None
    if arguments.json:
        _print_json({"data": [to_json(one) for one in facts]})
    else:
        for at, one in enumerate(facts):
            print("\n" if at else "", end="")
            _print(one, str)
    if not facts and not faults:
        print("tfdsl: the program declares no data", file=sys.stderr)
    return errors(faults) if faults else 0


def _options(arguments: argparse.Namespace) -> dict[str, object]:
    """The arguments of a source that are given as options."""
    target = arguments.target and (arguments.target[0] if len(arguments.target) == 1 else tuple(arguments.target))
    header = arguments.header and _GIVEN[arguments.header]
    missing = arguments.missing and tuple(arguments.missing)
    options = {"target": target, "separator": arguments.separator, "header": header, "missing": missing,
               "decimal": arguments.decimal, "comment": arguments.comment,
               "size": arguments.size and tuple(arguments.size)}  # fmt: skip
    return {name: value for name, value in options.items() if value is not None}


def _name(path: str) -> str:
    """A name for the data of a file."""
    parts = [part for part in re.split(r"[/\\]", os.path.splitext(path)[0]) if re.search(r"\w", part)] or ["data"]
    name = re.sub(r"\W+", "_", parts[-1]).strip("_").lower()
    return name if name.isidentifier() and not iskeyword(name) and name not in SOURCES else f"my_{name}".rstrip("_")


def _diagnostic(error: DataError) -> Diagnostic:
    place: FilePlace | None = error.place
    notes = (Note(f"at {place}"),) if place else ()
    return Diagnostic(error.message, None, error.details, notes, _as_options(error.help))


def _as_options(help: str) -> str:
    """A help line with the arguments of a source as options of the command."""
    for text, way in _LINES.items():
        help = help.replace(text, way)
    help = re.sub(r"\bsize=\[(\d+), (\d+)\]", r"--size \1 \2", help)
    return _ARGUMENT.sub(lambda found: " ".join(f"--{found[1]} {one}" for one in _values(found[2])), help)


def _values(written: str) -> list[str]:
    """The texts of a list, or the only value, as they are written."""
    return re.findall(_TEXT, written) or [written]


# --- printing ---------------------------------------------------------------------------------


def _print_json(content: object) -> None:
    show_json(content)


def _print(facts: Overview, help: Callable[[str], str]) -> None:
    """Print all that is known of data. `help` has a help line as the user can follow it."""
    columns = _columns(facts)  # before anything is shown, since the package that draws tables may be missing
    rows = counted(facts.schema.rows, "row")
    show(f"{facts.name}: {facts.source}, {rows}, {counted(len(facts.schema.table), 'column')}")
    for what, value in facts.decided:
        show(f"  {what}: {value}")
    print()
    _show(columns)
    _more(len(facts.columns) - _ROWS, "column")
    print()
    _print_rows(facts)
    if facts.steps:
        print()
        _print_steps(facts)
    print()
    _print_fields(facts, help)


def _columns(facts: Overview) -> "Table":
    table = _table("column", "type", "missing", "what it has")
    for one in facts.columns[:_ROWS]:
        column = one.column
        shape = f"[{', '.join(map(str, column.shape))}]" if column.shape else ""
        role = {"feature": "", "target": ", the target", "aside": ", aside"}[column.role]
        gaps = f"{column.gaps} ({_share(column.gaps / facts.schema.rows)})" if column.gaps and not column.other else ""
        frequent = ", ".join(f"{_short(text)} ({number})" for text, number in one.frequent)
        what = "" if one.least is None or column.dtype == BOOL else f"from {one.least:.6g} to {one.most:.6g}"
        if one.categories is not None:
            what = f"{counted(one.categories, 'text')}: {frequent}" if frequent else counted(one.categories, "text")
        kind = str(column.dtype) if column.other is None else column.other[1]
        _add(table, _short(column.name), f"{kind}{shape}{role}", gaps, what)
    return table


def _print_rows(facts: Overview) -> None:
    """The first rows, with as many columns as there is room for."""
    names = [_short(one.column.name) for one in facts.columns]
    columns = [[name, *(_short(row[at]) for row in facts.first)] for at, name in enumerate(names)]
    room, fit = _console().width, 0
    for cells in columns:
        room -= max(map(_wide, cells)) + 3
        if room < 0 and fit:
            break
        fit += 1
    table = _table(*names[:fit])
    for row in facts.first:
        _add(table, *(_short(cell) for cell in row[:fit]))
    _show(table)
    _more(len(columns) - fit, "column")
    _more(facts.schema.rows - len(facts.first), "row")


def _print_steps(facts: Overview) -> None:
    table = _table("transform", "rows", "columns", ".features", "learned")
    for one in facts.steps:
        type = one.schema.features_type
        lines = [_short(line, 60) for line in one.learned[:_ROWS]] or [""]
        _add(table, f"| {_short(one.call, 40)}", str(one.schema.rows), str(len(one.schema.table)),
             "none" if type is None else str(type), lines[0])  # fmt: skip
        for line in lines[1:]:
            _add(table, "", "", "", "", line)
    _show(table)


def _print_fields(facts: Overview, help: Callable[[str], str]) -> None:
    for one in facts.doubts:
        show(f"warning: {one.headline}" + (f"\n  help: {help(one.help)}" if one.help else ""))
    for part, rows in facts.result.parts:
        show(f".{part}: {counted(rows, 'row')}")
    if facts.result.target_type is not None:
        show(f".target: {facts.result.target_type}")
    if facts.fault is None:
        show(f".features: {facts.result.features_type}{_without(facts.result)}")
        return
    at = f" ({facts.fault.place})" if facts.fault.place else ""
    show(f".features: not yet: {facts.fault.headline}{at}")
    if facts.fault.help:
        show(f"  help: {help(facts.fault.help)}")


def _without(schema: Schema) -> str:
    """What `.features` leaves out."""
    left = " and ".join(f"{shown(one.name)} {sizes(one.shape)}" for one in schema.left_out)
    return f", without {left}, as other columns have one number a row" if left else ""


def _share(share: float) -> str:
    return "<1%" if share < 0.01 else f"{share:.0%}"


def _more(number: int, word: str) -> None:
    if number > 0:
        print(f"  ... and {counted(number, f'more {word}')}")


def _show(table: "Table") -> None:
    """Print a table. If there is too little room, the last column is cut."""
    console = _console()
    for column in table.columns[:-1]:
        column.min_width = max(_wide(str(cell)) for cell in (column.header, *column.cells))
    with console.capture() as drawn:
        console.print(table)
    print("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def _console() -> "Console":
    from rich.console import Console

    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else _WIDTH
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False, width=width,
                   no_color=not colour(sys.stdout), force_terminal=is_terminal and colour(sys.stdout))  # fmt: skip


def _table(*columns: str) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    box = SIMPLE_HEAD if sys.stdout.isatty() else None
    table = Table(box=box, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(Text(column), no_wrap=True, overflow="ellipsis")
    return table


def _add(table: "Table", *cells: str) -> None:
    from rich.text import Text

    table.add_row(*(Text(cell) for cell in cells))


def _short(text: str, most: int = _LONGEST) -> str:
    return shortened(visible(text), most)


def _wide(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)
