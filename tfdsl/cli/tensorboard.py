"""`tfdsl tensorboard`: starts TensorBoard on the folder in which a program logs."""

import argparse
import errno
import importlib.util
import os
import socket
import sys

from ..diagnostics import BOARD_PORT, FILE_MISSING, Diagnostic, TfgError
from ..driver import check
from ..inputs import CompileInputs
from ..program import LogTo, PlanExpr, Program, Template, Value, walk
from ..syntax.read import read
from .child import environment
from .options import given
from .parser import CommandParser
from .report import WrongUse, errors, lacking, tell


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Start TensorBoard on the folder in which a program logs, on a folder, or on the working folder. Ctrl-C ends "
        "it."
    )
    parser.set_defaults(takes_others=True)
    parser.add_argument("file", metavar="FILE", nargs="?", help="a .tfg file that logs, or a folder")
    parser.add_argument("--set", metavar="NAME=VALUE", action="append", default=[], dest="params",
                        help="give a param of the program a value; can be repeated")  # fmt: skip
    parser.add_argument("--port", metavar="N", default=6006, type=_port,
                        help="the port of its page (default: 6006)")  # fmt: skip
    parser.add_argument("--host", metavar="NAME", default="localhost",
                        help="the name or address that it listens on (default: localhost)")  # fmt: skip


def command(arguments: argparse.Namespace) -> int:
    folder = _folder(arguments)
    if importlib.util.find_spec("tensorboard") is None:
        raise lacking("tfdsl tensorboard", "tensorboard", "tensorboard")
    _check_address(arguments.host, arguments.port)
    tell(f"tfdsl: TensorBoard shows {folder}")
    words = ["--logdir", folder, "--port", str(arguments.port), "--host", arguments.host]
    sys.stderr.flush()
    os.execve(sys.executable, [sys.executable, "-m", "tfdsl.cli.quiet_tensorboard", *words], environment())


def _port(text: str) -> int:
    """A port, from an option."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0
    if not 0 < number < 65536:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 65535")
    return number


def _check_address(host: str, port: int) -> None:
    """Raise an error if nothing can listen there. TensorBoard would say so only after it has imported TensorFlow."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as asked:
            asked.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            asked.bind(address)
    except OSError as error:
        details = {"host": host, "port": port, "reason": (error.strerror or str(error)).lower()}
        raise TfgError([Diagnostic(BOARD_PORT, None, details)]) from None


def _folder(arguments: argparse.Namespace) -> str:
    path: str = arguments.file or "."
    if not path.endswith(".tfg"):
        if not os.path.isdir(path):
            reason = os.strerror(errno.ENOTDIR if os.path.exists(path) else errno.ENOENT).lower()
            details = {"path": path, "reason": reason}
            raise TfgError([Diagnostic(FILE_MISSING, None, details, help="a run that logs makes its folder")])
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
