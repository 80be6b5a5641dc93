"""Runs work of a command in a child process, because TensorFlow or the work itself may kill the process.

The child ends with the command. It reads its order, the arguments of the work, as JSON from standard input.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping

from ..diagnostics import TfgError
from . import process
from .child import end_with, environment
from .report import bug, errors, no_memory


def carried_out(module: str, order: Mapping[str, object], folder: str) -> subprocess.CompletedProcess[str]:
    """Run a module of this package in a child process in a folder, with an order. The module calls `carry_out`."""
    command = [sys.executable, "-P", "-m", f"{__package__}.{module}", str(os.getpid())]
    return subprocess.run(
        command, input=json.dumps(order), cwd=folder, env=environment(), capture_output=True, text=True
    )


def carry_out(work: Callable[..., None]) -> None:
    """Do the work of this process, with the order as keyword arguments."""

    def command() -> int:
        try:
            work(**json.load(sys.stdin))
            return 0
        except TfgError as error:
            return errors(error.diagnostics)
        except MemoryError:
            return no_memory()
        except Exception as error:
            return bug(error)

    end_with(int(sys.argv.pop(1)))
    process(command)
