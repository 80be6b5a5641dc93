"""`tfdsl check`: all errors and warnings of programs at once. It imports neither TensorFlow nor NumPy."""

import argparse
import sys

from ..diagnostics import Diagnostic, TfgError
from ..diagnostics.render import render_concise, render_json, render_text
from ..diagnostics.spelling import counted
from ..driver import check
from ..syntax.read import read
from .options import add_program_options, given
from .parser import CommandParser
from .report import colour, failure


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Check names, types, shapes and the plan of every session, and report all errors at once. "
        "Exits with 1 if there are errors; warnings alone do not fail."
    )
    parser.add_argument("files", metavar="FILE", nargs="+", help="a .tfg file")
    parser.add_argument("--format", choices=("text", "concise", "json"), default="text",
                        help="text with excerpts, one line each, or a JSON object (default: text)")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary on standard error")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    extra = given(arguments)
    diagnostics: list[Diagnostic] = []
    for path in arguments.files:
        try:
            diagnostics += check(read(path, extra.limits), extra.inputs(path))[1]
        except TfgError as error:
            diagnostics += error.diagnostics
    _print(diagnostics, arguments.format)
    errors = [one for one in diagnostics if one.severity == "error"]
    if not arguments.quiet and arguments.format != "json":
        warnings = len(diagnostics) - len(errors)
        print(f"{counted(len(arguments.files), 'file')}: {counted(len(errors), 'error')}, "
              f"{counted(warnings, 'warning')}",
              file=sys.stderr)  # fmt: skip
    return failure(errors) if errors else 0


def _print(diagnostics: list[Diagnostic], format: str) -> None:
    if format == "json":
        import json

        print(json.dumps({"diagnostics": [render_json(d) for d in diagnostics]}, indent=2))
        return
    paint = colour(sys.stdout)
    for diagnostic in diagnostics:
        print(render_text(diagnostic, paint) if format == "text" else render_concise(diagnostic))
