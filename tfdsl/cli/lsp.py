"""`tfdsl lsp`: the server of editors. It imports neither TensorFlow nor NumPy."""

import argparse
import gc
import os
import sys

from .report import WrongUse, needing

_MOST_OBJECTS = 1_000_000  # those of some 40 edits of a program of 500 lines


def configure(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Answer an editor by the language server protocol, over standard input and output: errors while typing, "
        "completion, hover, definitions, renaming, formatting. Editors start it; docs/howto/editors.md says how."
    )
    parser.add_argument("--stdio", action="store_true", help="use standard input and output, as without it")


def command(arguments: argparse.Namespace) -> int:
    with needing("the server", "'pygls>=2,<3'", "pygls", "lsprotocol"):
        from ..editor.server import serve
    if sys.stdin is None or sys.stdout is None:
        raise WrongUse("the server talks over standard input and output, and one of them is closed")
    # It runs for long, and collects when the client pauses. Without a pause, this many new objects can wait.
    gc.freeze()
    gc.set_threshold(_MOST_OBJECTS)
    gc.enable()
    # Whatever prints must not get between the messages.
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as writes:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        try:
            serve(sys.stdin.buffer, writes)
        except SystemExit as ended:  # the client says that it ends
            return ended.code if isinstance(ended.code, int) else 0
    return 0
