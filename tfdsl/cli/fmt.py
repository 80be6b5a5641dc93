"""`tfdsl fmt`: writes programs in canonical form. It imports neither TensorFlow nor NumPy."""

import argparse
import difflib
import sys
from pathlib import Path
from typing import BinaryIO

from ..diagnostics import TfgError
from ..diagnostics.spelling import counted, visible_lines
from ..outputs import write_output
from ..runs.folders import is_recorded
from ..syntax.format import format_text
from ..syntax.read import read, read_open
from .options import add_limit_options, limits
from .programs import programs
from .report import WrongUse, colour, errors, show, tell, write_utf8

_COLOURS = {"+": "32", "-": "31", "@": "36"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Write programs in canonical form: spaces, indentation, blank lines and line breaks. Comments and meaning "
        "stay. Exits with 1 if a file does not parse; that file is not changed."
    )
    parser.add_argument("files", metavar="FILE", nargs="+",
                        help="a .tfg file, a folder with .tfg files in it or below it, or - for standard input to "
                             "standard output")  # fmt: skip
    parser.add_argument(
        "--check", action="store_true", help="write nothing; name the files that would change, and exit 1"
    )
    parser.add_argument("--diff", action="store_true", help="write nothing; print what would change, and exit 1")
    add_limit_options(parser, "depth", "file", "seconds")
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary on standard error")


def command(arguments: argparse.Namespace) -> int:
    dry, changed, unchanged, failed = arguments.check or arguments.diff, 0, 0, 0
    most = limits(arguments)
    write_utf8()
    for path in programs(arguments.files):
        try:
            source = read_open("<stdin>", _standard_input(), most) if path == "-" else read(path, most)
            before = source.text if path == "-" else Path(path).read_bytes().decode("utf-8")
            after = format_text(source, most)
        except TfgError as error:
            failed += 1
            errors(error.diagnostics)
            continue
        if path == "-" and not dry:
            show(after, end="")
        if after == before:
            unchanged += 1
            continue
        if is_recorded(path):
            unchanged += 1
            tell(f"tfdsl: {path} belongs to the record of a run, so it stays as it has run; format a copy of it")
            continue
        changed += 1
        if arguments.diff:
            _print_diff(source.path, before, after)
        elif arguments.check:
            show(source.path)
        elif path != "-":
            write_output(path, after)
    if not arguments.quiet and arguments.files != ["-"]:
        _summary(dry, changed, unchanged, failed)
    return 1 if failed or (dry and changed) else 0


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise WrongUse("standard input is closed, so there is nothing to read from it")
    return sys.stdin.buffer


def _print_diff(path: str, before: str, after: str) -> None:
    paint = colour(sys.stdout)
    old, new = (text.splitlines(keepends=True) for text in (before, after))
    for line in difflib.unified_diff(old, new, f"{path}", f"{path} (formatted)"):
        text = visible_lines(line.rstrip("\n")) if paint else line.rstrip("\n")
        code = _COLOURS.get(text[:1]) if paint else None
        print(f"\033[{code}m{text}\033[0m") if code else show(text)


def _summary(dry: bool, changed: int, unchanged: int, failed: int) -> None:
    verb = "would be reformatted" if dry else "reformatted"
    left = "would be left unchanged" if dry else "left unchanged"
    parts = [f"{counted(changed, 'file')} {verb}"] if changed else []
    parts += [f"{counted(unchanged, 'file')} {left}"] if unchanged else []
    parts += [f"{counted(failed, 'file')} with errors"] if failed else []
    print(", ".join(parts), file=sys.stderr)
