"""`tfdsl check`: all errors and warnings of programs at once. It imports neither TensorFlow nor NumPy."""

import argparse
from typing import get_args

from .checking import Format, diagnose, report
from .options import add_program_options, given
from .parser import CommandParser
from .programs import programs


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Check names, types, shapes and the plan of every session, and report all errors at once. "
        "Exits with 1 if there are errors; warnings alone do not fail."
    )
    parser.add_argument(
        "files", metavar="FILE", nargs="+", help="a .tfg file, or a folder with .tfg files in it or below it"
    )
    parser.add_argument("--format", choices=get_args(Format), default="text",
                        help="text with excerpts, one line each, a JSON object, or annotations of GitHub Actions "
                             "(default: text)")  # fmt: skip
    parser.add_argument("--watch", action="store_true",
                        help="check again whenever a file that the check has read changes, until Ctrl-C")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no summary on standard error")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    if arguments.watch:
        from .watch import watch

        return watch(arguments)
    files = programs(arguments.files)
    return report(arguments, files, diagnose(files, given(arguments)))
