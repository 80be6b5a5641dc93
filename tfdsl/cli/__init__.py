"""The command line: one module per command, imported when the command runs."""

import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import NoReturn

COMMANDS = {
    "new": "copy a program with its data to a folder, to begin with",
    "run": "run the sessions of a program",
    "runs": "list the records of runs, show and compare them, repeat a run",
    "tensorboard": "start TensorBoard on the folder in which a program logs",
    "tune": "look for the params with which a program gives the best value",
    "predict": "write what a trained model gives for the rows of a new file",
    "export": "write a trained model for TensorFlow, TensorFlow Serving or ONNX",
    "launch": "run a program on a cluster of processes on this machine",
    "server": "run a task of a cluster",
    "reset": "clear the variables of a container on the servers of a cluster",
    "check": "report all errors and warnings of programs, without TensorFlow",
    "fmt": "write programs in canonical form",
    "lsp": "answer an editor by the language server protocol",
    "repl": "run declarations and statements at a prompt, as they are typed",
    "eval": "print the value of a node or an expression",
    "summary": "list the layers of a program: shapes, parameters, memory, operations",
    "graph": "draw the graph of a program",
    "grad": "print a symbolic derivative as statements",
    "gradcheck": "compare the gradients of a program by four methods",
    "data": "show the columns of a file of data, or of the data sets of a program",
    "ops": "describe the ops, optimizers and data of the language",
    "explain": "explain the code of a message, or anything that has a name",
    "lift": "write the source of a graph that TensorFlow wrote",
    "diff": "compare two programs, graphs or checkpoints by what they mean",
    "dump": "print a program after a stage of the compiler",
    "schema": "print the JSON schema of config files",
    "completion": "print the script for completion in bash, zsh or fish",
}


_GRAPHS = (".pb", ".pbtxt", ".meta")


class _WithoutPandas:
    """No command uses pandas. Arrow would import it where it is installed: half a second, and 40 MB."""

    def find_spec(self, fullname: str, path: object, target: object = None, /) -> None:
        if fullname == "pandas":
            raise ModuleNotFoundError("commands run without pandas", name=fullname)


def process(command: Callable[[], int] | None = None) -> NoReturn:
    """Run a command as a separate process that Ctrl-C and SIGTERM end."""
    sys.meta_path.insert(0, _WithoutPandas())
    try:
        from . import signals

        signals.install()
        code = (command or main)()
    except KeyboardInterrupt as asked:
        from .signals import tell_interrupted

        tell_interrupted()
        code = 128 + getattr(asked, "number", 2)
    from .signals import ignore

    ignore()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        with suppress(OSError, ValueError):  # the reader may have closed it
            stream.flush()
    # A normal exit would first destroy every object: a tenth of the time of a check, and a second with TensorFlow.
    os._exit(code)


def main(argv: list[str] | None = None) -> int:
    """Run a command. The exit code is 0 for success, 1 for a failed run or check, 2 for wrong use."""
    try:
        return _main(sys.argv[1:] if argv is None else argv)
    except KeyboardInterrupt as asked:
        from .signals import code_of, tell_interrupted

        tell_interrupted()
        return code_of(asked)


def _main(argv: list[str]) -> int:
    # The front end makes long-lived objects and ends before collecting them would pay off.
    gc.disable()
    from argparse import Namespace

    from .. import __version__
    from .parser import CommandParser

    parser = CommandParser(
        prog="tfdsl",
        description="A language for TensorFlow graphs and the sessions that run them.",
        epilog="Each command has its own --help. Exit codes: 0 done, 1 the run or a check failed, 2 wrong use.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"tfdsl {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    # Fill in only the parser of the requested command, because this costs imports. If the first word is a command, no
    # message or help can name another one.
    asked = next((word for word in argv if not word.startswith("-")), None)
    used = parser
    for name in [asked] if asked in COMMANDS and asked == argv[0] else COMMANDS:
        command = commands.add_parser(name, help=COMMANDS[name], allow_abbrev=False)
        if name == asked:
            import_module(f"{__name__}.{name}").configure(command)
            command.given = argv
            used = command
    arguments, unknown = parser.parse_known_args(argv, Namespace(words=argv))
    if unknown:
        used.unknown(unknown, argv)
    used.refuse_empty(arguments)
    if arguments.command is None:
        parser.print_help(sys.stderr)
        return 2
    from ..diagnostics import TfgError
    from .report import WrongUse, broken_pipe, bug, errors, no_memory, open_streams, write_failed, wrong_use
    from .signals import raise_asked

    open_streams()
    try:
        if not getattr(arguments, "takes_others", False):
            _refuse_others([getattr(arguments, "file", None), *getattr(arguments, "files", ())])
        code = import_module(f"{__name__}.{arguments.command}").command(arguments)
        sys.stdout.flush()
        return code
    except WrongUse as error:
        return wrong_use(str(error))
    except TfgError as error:
        return errors(error.diagnostics)
    except BrokenPipeError:
        return broken_pipe()
    except OSError as error:
        return write_failed(error)
    except MemoryError:
        return no_memory()
    except Exception as error:
        raise_asked()  # an import may have turned it into an error
        return bug(error)


def _refuse_others(files: list[str | None]) -> None:
    """Refuse data files and graphs that were given as programs."""
    for file in files:
        suffix = os.path.splitext(file or "")[1].lower()
        if suffix in ("", ".tfg"):
            continue
        from ..data.sources import by_suffix
        from .report import WrongUse

        if suffix in _GRAPHS:
            raise WrongUse(f"{file} is a graph, not a program: tfdsl lift {file} -o PROGRAM.tfg writes its program")
        if suffix in by_suffix():
            raise WrongUse(f"{file} is data, not a program: tfdsl data {file} suggests a program for it")
