"""`tfdsl tensorboard`: starts TensorBoard on the folder in which a program logs."""

import argparse
import importlib.util
import os
import sys

from ..driver import check
from ..inputs import CompileInputs
from ..program import LogTo, PlanExpr, Program, Template, Value, walk
from ..syntax.read import read
from .child import environment
from .options import given
from .parser import CommandParser
from .report import WrongUse, errors, tell


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Start TensorBoard on the folder in which a program logs, on a folder, or on the working folder. Ctrl-C ends "
        "it."
    )
    parser.set_defaults(takes_others=True)
    parser.add_argument("file", metavar="FILE", nargs="?", help="a .tfg file that logs, or a folder")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="params",
                        help="give a param of the program a value; can be repeated")  # fmt: skip
    parser.add_argument("--port", metavar="N", default="6006", help="the port of its page (default: 6006)")
    parser.add_argument("--host", metavar="NAME", default="localhost",
                        help="the name or address that it listens on (default: localhost)")  # fmt: skip


def command(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    if importlib.util.find_spec("tensorboard") is None:
        raise WrongUse("tfdsl tensorboard needs tensorboard: pip install tensorboard")
    tell(f"tfdsl: TensorBoard shows {folder}")
    words = ["--logdir", folder, "--port", arguments.port, "--host", arguments.host]
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "tensorboard.main", *words], environment())


def _folder(arguments: argparse.Namespace) -> str:
    path: str = arguments.file or "."
    if not path.endswith(".tfg"):
        if not os.path.isdir(path):
            raise WrongUse(f"there is no folder {path!r}; a run that logs makes it")
        return path
    arguments.configs, arguments.data, arguments.allowed = [], [], []
    extra = given(arguments)
    program, diagnostics = check(read(path, extra.limits), CompileInputs(extra.params, access=extra.access(path)))
    if program is None:
        raise SystemExit(errors(one for one in diagnostics if one.severity == "error"))
    folder = log_folder(program)
    if folder is None:
        raise WrongUse(f"{path} does not log: no session of it has 'log to'")
    return folder


def log_folder(program: Program) -> str | None:
    """The folder in which all logs of a program are, as far as it is the same in every run. None if it does not log."""
    bodies = [session.body for session in program.sessions]
    paths = [one.path for body in bodies for one in walk(body) if isinstance(one, LogTo)]
    folders = [os.path.abspath(_known(path)) for path in paths]
    return os.path.relpath(os.path.commonpath(folders)) if folders else None


def _known(path: PlanExpr) -> str:
    """The folder that a path is in, or is, up to the first part that differs from run to run."""
    match path:
        case Value(value=str(text)):
            return text
        case Template(parts=parts):
            known = ""
            for part in parts:
                if not isinstance(part, str):
                    return os.path.dirname(known) or "."
                known += part
            return known
        case _:
            return "."
