"""`tfdsl repl`: a prompt at which declarations and statements run at once."""

import argparse
import gc
import sys

from ...diagnostics.spelling import counted
from ...syntax.read import read
from ..options import add_program_options, given
from ..parser import CommandParser
from ..report import errors, needing, tell


def configure(parser: CommandParser) -> None:
    parser.description = (
        "A prompt for declarations and statements of the language, which run at once. Variables keep their values. "
        ":help lists its commands. Entries can also be piped."
    )
    parser.add_argument("file", metavar="FILE", nargs="?", help="a .tfg file whose declarations are loaded first")
    parser.add_argument("-q", "--quiet", action="store_true", help="no greeting")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    from .live import LiveProgram
    from .loop import run_lines, run_prompt

    extra = given(arguments)
    live = LiveProgram(extra.inputs(arguments.file or ""))
    gc.enable()  # it runs for long
    if arguments.file is not None:
        outcome = live.load(arguments.file, read(arguments.file, extra.limits).text)
        errors(outcome.warnings)
    if not sys.stdin.isatty():
        return run_lines(live, sys.stdin)
    with needing("the prompt", "prompt_toolkit pygments", "prompt_toolkit", "pygments"):
        from .prompt import ask_on_terminal
    if not arguments.quiet:
        names = len(live.compiled().program.graph().names) if arguments.file else 0
        loaded = f", {counted(names, 'name')} from {arguments.file}" if arguments.file else ""
        tell(f"tfdsl{loaded}; :help lists the commands, Ctrl-D leaves")
    return run_prompt(live, ask_on_terminal(live))
