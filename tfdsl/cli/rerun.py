"""`tfdsl run --watch`: runs a program again whenever one of its files changes.

This process imports TensorFlow once, and does nothing else with it. Each run is a fork of this process, so an edit does
not wait until a new process has imported TensorFlow.
"""

import argparse
import gc
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from threading import Event
from typing import NoReturn

from ..diagnostics import TfgError
from ..diagnostics.spelling import counted
from . import main, tensorflow
from .checking import diagnose
from .child import Fork, fork
from .options import given
from .report import WrongUse, tell
from .signals import GRACE, await_end, children
from .watch import CLEAR, Noting, Seen

_PAUSE = 0.05  # seconds between two looks
_TEXTS = (".tfg", ".yaml", ".yml")
# The modules that runs need. They import the rest.
_NEEDED = ("runtime.run", "lowering.graph", "runtime.training.train", "runtime.checkpoint.store")


def watch(arguments: argparse.Namespace) -> NoReturn:
    """Run now and after each change, until a signal ends the process. If the text of the program changes, the current
    run ends after its step. Changes of other files are ignored until the run is over, because the run may have made
    them."""
    for option, is_given in (("--verify-resume", arguments.verify_resume), ("--async", arguments.asynchronous)):
        if is_given:
            raise WrongUse(f"--watch cannot be combined with {option}")
    tensorflow.load()
    for name in _NEEDED:
        import_module(f"tfdsl.{name}")
    gc.enable()
    words = [word for word in arguments.words if word != "--watch"]
    while True:
        seen = Seen()
        for path in (arguments.file, *arguments.configs):
            seen.note(path)
        with _run(words) as run:
            _note(arguments, seen)
            while run.code is None and not seen.is_changed(_TEXTS):
                Event().wait(_PAUSE)
                run.poll()
            if run.code is None:
                tell("tfdsl: the program has changed: stopping this run")
                continue
        seen.renew(_TEXTS)
        if not arguments.quiet:
            tell(f"tfdsl: watching {counted(len(seen), 'file')}; Ctrl-C ends this")
        while not seen.is_changed():
            Event().wait(_PAUSE)


def _note(arguments: argparse.Namespace, seen: Seen) -> None:
    """Note the files that a check of the program reads. The run reports their errors."""
    try:
        extra = given(arguments)
    except (TfgError, WrongUse):
        return
    for path in extra.data.values():
        seen.note(path)
    diagnose([arguments.file], extra, lambda path: Noting(path, extra.allowed, seen))


@contextmanager
def _run(words: list[str]) -> Iterator[Fork]:
    """Run the command with these words. At the end of the block, let the run finish its step, write its checkpoint and
    end. Kill it if this takes too long."""
    if sys.stdout.isatty():
        print(CLEAR, end="")
    run = fork(lambda: main(words))  # on Ctrl-C, this process stops it
    children.add(run)
    try:
        yield run
    finally:
        run.kill(signal.SIGTERM)
        await_end([run], GRACE)
        run.kill()
        children.remove(run)
