"""`tfdsl runs`: lists the records of runs, shows and compares them, repeats a run, and removes records."""

import argparse
import os
import time
from collections.abc import Callable

from ..diagnostics import FILE_MISSING, Diagnostic, TfgError
from ..diagnostics.spelling import counted, shortened
from ..record import Record
from ..runs.difference import differences, results, sizes
from ..runs.listing import Cell, Condition, Row, chosen, condition, evaluated, row, when
from ..runs.pruning import left, outdated, remove
from ..runs.reading import RunRecord, named, records
from . import tensorflow
from .options import positive
from .parser import CommandParser
from .report import WrongUse, show, show_json
from .tables import show_table, table_lines
from .tables import text as shown

_AGES = {"m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}  # seconds
_SHOWN = 60  # characters of a value in the list
_UNITS = ("B", "KB", "MB", "GB")


def configure(parser: CommandParser) -> None:
    parser.description = (
        "List the records of runs, oldest first (list, the default), show one (show RUN), compare two (diff RUN RUN), "
        "repeat a run and compare its bits (again RUN), or remove records (prune). A run that logs leaves "
        "its record in the folder of its log; tfdsl run --record records any run. RUN is the beginning of an id or of "
        "its last part, or last, or last~1 for the one before."
    )
    parser.add_argument("action", metavar="ACTION", nargs="?", choices=ACTIONS, default="list",
                        help="what to do (default: list): " + ", ".join(ACTIONS))  # fmt: skip
    parser.add_argument("runs", metavar="RUN", nargs="*", help="a run, by its id")
    parser.add_argument("--in", metavar="DIR", action="append", dest="folders",
                        help="look for records in DIR and below it, instead of the working folder; can be "
                             "repeated")  # fmt: skip
    parser.add_argument("--where", metavar="CONDITION", action="append", default=[],
                        help="list only runs for which this holds, such as status=failed or 'param.rate>0.1'; can be "
                             "repeated")  # fmt: skip
    parser.add_argument("--sort", metavar="KEY", help="sort by a value, such as seconds or value.test.cost")
    parser.add_argument("--reverse", action="store_true", help="list in reverse order")
    parser.add_argument("--text", action="store_true", help="show the text of the program, too")
    parser.add_argument("--keep", metavar="N", type=positive, help="prune: keep the newest N records")
    parser.add_argument("--younger-than", metavar="AGE", type=_age,
                        help="prune: keep the records of runs that began less than AGE ago, such as 30d or "
                             "12h")  # fmt: skip
    parser.add_argument("--dry-run", action="store_true", help="prune: say what would be removed, and remove nothing")
    parser.add_argument("--json", action="store_true", help="print JSON, with everything that is recorded")


def command(arguments: argparse.Namespace) -> int:
    action = ACTIONS[arguments.action]
    given = len(arguments.runs)
    if given != action.runs:
        wanted = counted(action.runs, "run") if action.runs else "no run"
        raise WrongUse(f"tfdsl runs {arguments.action} takes {wanted}, not {given}")
    others = {option for one in ACTIONS.values() for option in one.options} - {*action.options}
    for option in sorted(others):
        if getattr(arguments, option.strip("-").replace("-", "_")) not in (None, False, []):
            raise WrongUse(f"{option} is not for tfdsl runs {arguments.action}")
    for folder in arguments.folders or ():
        if not os.path.isdir(folder):
            details = {"path": folder, "reason": "it is no folder" if os.path.exists(folder) else "no such folder"}
            raise TfgError([Diagnostic(FILE_MISSING, None, details)])
    return action.do(arguments, records(arguments.folders or ["."]))


# --- list -----------------------------------------------------------------------------------------


def _list(arguments: argparse.Namespace, found: list[RunRecord]) -> int:
    conditions = list(map(_condition, arguments.where))
    rows = chosen(found, conditions, arguments.sort, arguments.reverse)
    if arguments.json:
        show_json([one for _, one in rows])
        return 0
    asked = dict.fromkeys([one.key for one in conditions] + ([arguments.sort] if arguments.sort else []))
    more = [key for key in asked if not key.startswith(("param.", "value.")) and key not in _HEAD]
    head = [*_HEAD[:-2], *more, *_HEAD[-2:]]
    if rows:
        show_table(head, [_line(record, one, more) for record, one in rows], right=[head.index("seconds")])
    else:
        others = f", of {counted(len(found), 'record')}" if found else ""
        show(f"no runs{others}")
    return 0


_HEAD = ("id", "program", "status", "seconds", "params", "values")


def _line(record: RunRecord, row: Row, more: list[str]) -> list[Cell]:
    given = [name for name, one in record.begin.get("params", {}).items() if one["from"] != "default"]
    params = " ".join(f"{name}={_short(row[f'param.{name}'])}" for name in given)
    values = " ".join(f"{name}={_short(value)}" for name, value in evaluated(record.end or {}).items())
    seconds = row["seconds"]
    duration = f"{seconds:.1f}" if isinstance(seconds, (int, float)) else None
    return [record.id, row["program"], row["status"], duration, *(row.get(key) for key in more), params, values]


def _short(value: Cell) -> str:
    return shortened(shown(value), _SHOWN)


def _condition(text: str) -> Condition:
    made = condition(text)
    if made is None:
        raise WrongUse(f"{text!r} is no condition: write --where 'param.rate>0.1', with one of = != < <= > >=")
    return made


# --- show -----------------------------------------------------------------------------------------


def _show(arguments: argparse.Namespace, found: list[RunRecord]) -> int:
    record = named(arguments.runs[0], found)
    begin, end = record.begin, record.end
    if arguments.json:
        whole = {"folder": record.path, "status": record.status, "begin": begin, "end": end, "texts": record.texts,
                 "curves": list(record.curves())}  # fmt: skip
        show_json(whole)
        return 0
    facts = row(record)
    for name, value in _facts(record, facts):
        show(f"{name:<10} {value}")
    _block("params", (f"{name} = {shown(one['value'])} ({one['from']})" for name, one in begin["params"].items()))
    if begin["about"].get("kind") == "each":
        _show_runs(record, found)
    else:
        _show_run(record)
    if arguments.text:
        for path, text in record.texts.items():
            _block(path, text.splitlines())
    return 0


def _show_run(record: RunRecord) -> None:
    begin, end = record.begin, record.end
    _block("about", (f"{name}: {shown(value)}" for name, value in begin["about"].items()))
    _block("seeds", _seeds(record))
    if end is not None:
        _block("data", (f"{name}: {line}" for name, one in end["data"].items() for line in _data(one)))
        _block("inputs", (f"{one['path']} {_digest(one)}" for files in end["inputs"].values() for one in files))
        _block("values", (f"{name} = {shown(value)}" for name, value in evaluated(end).items()))
        _block("printed", end["printed"])
        _block("errors", (f"{one['place'] or ''} {one['message']}".strip() for one in end["errors"]))


def _show_runs(record: RunRecord, known: list[RunRecord]) -> None:
    """What is of several runs alone: the values that they were given, their results, and those that have a record."""
    given = record.begin["about"].get("values", {})
    _block("each", (f"{name} = {', '.join(map(shown, values))}" for name, values in given.items()))
    found = evaluated(record.end or {})
    names = [name.removesuffix(".mean") for name in found if name.endswith(".mean")]
    rows = [(name, *(found.get(f"{name}.{one}") for one in ("mean", "sd", "n"))) for name in names]
    if rows:
        _block("values", table_lines(("value", "mean", "sd", "n"), rows, right=(1, 2, 3)))
    own = [one for one in known if one is not record and one.begin.get("about", {}).get("each") == record.id]
    lines = [[cell for at, cell in enumerate(_line(one, row(one), [])) if _HEAD[at] != "program"] for one in own]
    if lines:
        head = [name for name in _HEAD if name != "program"]
        _block("runs", table_lines(head, lines, right=[head.index("seconds")]))


def _facts(record: RunRecord, facts: Row) -> list[tuple[str, str]]:
    begin, end = record.begin, record.end
    versions = ", ".join(f"{name} {value}" for name, value in begin["versions"].items())
    host = begin["host"]
    found = [
        ("run", record.id), ("folder", record.path), ("program", begin["program"]), ("status", _status(record)),
        ("started", when(begin["started"])), ("versions", versions),
        ("host", f"{host.get('name')}, {host.get('processor')}"),
    ]  # fmt: skip
    if end is not None:
        dirty = ", with changes" if facts["dirty"] else ""
        found += [("seconds", f"{end['seconds']:.1f}")]
        found += [("commit", f"{facts['commit']}{dirty}")] if facts["commit"] else []
        found += [("engine", str(facts["engine"])), ("steps", str(end["steps"]))] if facts["engine"] else []
        found += [("memory", _memory(end["peak_memory"]))]
        found += [("synthetic", "data that stands in for the real data took part")] if facts["synthetic"] else []
    return found


def _status(record: RunRecord) -> str:
    if record.end is not None:
        return f"{record.status}, exit code {record.end['exit_code']}"
    if record.status == "killed":
        return "killed: the record has only its beginning"
    return record.status


def _seeds(record: RunRecord) -> list[str]:
    seeds = record.begin["seeds"]
    lines = [f"graph {name}: {seed}".replace(" :", ":") for name, seed in seeds["graphs"].items() if seed is not None]
    lines += [f"{name}: {stage} {seed}" for name, found in seeds["data"].items() for stage, seed in found.items()]
    return lines + [f"line {one['line']}: {one['order']} {one['seed']}" for one in seeds["trainings"]]


def _data(about: dict) -> list[str]:
    lines = [about["declared"]]
    if about["given"] is not None:
        lines.append(f"given: {about['given']}")
    if "rows" in about:
        parts = "".join(f", {name} {rows}" for name, rows in about["parts"].items())
        lines.append(f"{counted(about['rows'], 'row')}{parts}, {counted(len(about['columns']), 'column')}")
        lines += [f"{name}: {text}" for name, text in about["decided"].items()]
    lines += [f"{one['path']} {_digest(one)}" for one in about["files"]]
    if "sha256" in about:
        lines.append(f"arrays {about['sha256'][:16]}")
    return lines


def _digest(file: dict) -> str:
    return "cannot be read" if file["sha256"] is None else f"{file['size']} bytes, {file['sha256'][:16]}"


def _memory(size: float) -> str:
    unit = 0
    while size >= 1024 and unit + 1 < len(_UNITS):
        size, unit = size / 1024, unit + 1
    return f"{size:.0f} {_UNITS[unit]}"


def _block(name: str, lines) -> None:
    lines = list(lines)
    if lines:
        show(f"{name}:")
        for line in lines:
            show(f"    {line}")


# --- diff and again -------------------------------------------------------------------------------


def _diff(arguments: argparse.Namespace, known: list[RunRecord]) -> int:
    a, b = (named(word, known) for word in arguments.runs)
    found = differences(a, b)
    if arguments.json:
        show_json({one.part: one.lines for one in found})
    else:
        for one in found:
            _block(one.part, one.lines)
    return 1 if found else 0


def _again(arguments: argparse.Namespace, known: list[RunRecord]) -> int:
    from .again import refuse, repeated

    record = named(arguments.runs[0], known)
    refuse(record)
    tensorflow.load()
    with repeated(record, tensorflow.foreign()) as other:
        lines = [*results(record, other)]
        others = [one for one in differences(record, other) if one.part in ("data", "versions", "machine")]
        compared = sizes(record)
    if arguments.json:
        names = {one.part: one.lines for one in others}
        show_json({"exact": not lines, "compared": compared, "differences": lines, **names})
    elif not lines:
        show(f"{record.id} repeats exactly: the same bits in "
             + ", ".join(counted(count, what) for what, count in compared.items()))  # fmt: skip
    else:
        for line in lines:
            show(f"differs: {line}")
        for one in others:
            _block(f"{one.part} that differ", one.lines)
    return 1 if lines else 0


# --- prune ----------------------------------------------------------------------------------------


def _age(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in _AGES or not number.isascii() or not number.isdigit() or len(number) > 6:
        raise argparse.ArgumentTypeError(f"{text!r} is no age: write 45m, 12h, 30d or 8w")
    return float(int(number) * _AGES[unit])


def _prune(arguments: argparse.Namespace, found: list[RunRecord]) -> int:
    if arguments.keep is None and arguments.younger_than is None:
        raise WrongUse("tfdsl runs prune needs --keep N or --younger-than AGE, which say what stays")
    for one in found:
        if one.fault:
            show(f"left {one.path}, whose record is damaged: {one.fault}")
    old = [one.path for one in outdated(found, arguments.keep, arguments.younger_than, time.time())]
    paths = [*old, *left(found)]
    for path in paths:
        if arguments.dry_run:
            show(f"would remove {path}")
        else:
            show(f"removed {path}" if remove(path) else f"left {path}, which has other files")
    if not paths:
        show(f"nothing to remove, of {counted(len(found), 'record')}")
    return 0


class _Action(Record):
    """What `tfdsl runs` can do: how many runs it takes, which options, besides --in, and the function that does it."""

    runs: int
    options: tuple[str, ...]
    do: Callable[[argparse.Namespace, list[RunRecord]], int]


# By name, which is that of the function.
ACTIONS = {
    one.do.__name__.strip("_"): one
    for one in (
        _Action(0, ("--where", "--sort", "--reverse", "--json"), _list),
        _Action(1, ("--text", "--json"), _show),
        _Action(2, ("--json",), _diff),
        _Action(1, ("--json",), _again),
        _Action(0, ("--keep", "--younger-than", "--dry-run"), _prune),
    )
}
