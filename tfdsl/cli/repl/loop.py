"""Reads entries, from a terminal or a pipe, runs them and shows what they did."""

import os
import re
import sys
from collections.abc import Callable, Iterable

from ...diagnostics import TfgError
from ...diagnostics.render import render_text
from ...runtime.options import Options
from ..report import WrongUse, bug, colour, errors, show, tell, wrong_use
from ..signals import interruptible
from .commands import COMMANDS, Leave, run_command
from .entries import divided, has_code
from .live import Effect, LiveProgram


class Prompt:
    """Runs the entries of one prompt, and says what they changed."""

    def __init__(self, live: LiveProgram):
        self.live: LiveProgram = live

    def run(self, text: str) -> int:
        """Run an entry; return the exit code that it would end a command with. Raises `Leave` if the user leaves."""
        try:
            if text.lstrip().startswith(":"):
                outcome = run_command(self.live, text)
            elif not has_code(text):
                outcome = None
            else:
                outcome = self._run(text)
        except TfgError as error:
            if (word := text.strip().removesuffix("()")) in (*COMMANDS, "exit"):
                return wrong_use(f"commands begin with a colon: :{word.replace('exit', 'quit')}")
            if asked := re.fullmatch(r"help\(([\w.]+)\)|\??([\w.]+)\?|\?([\w.]+)", text.strip()):
                return wrong_use(
                    f"outside the prompt, this describes it: tfdsl explain {asked[1] or asked[2] or asked[3]}"
                )
            return errors(error.diagnostics)
        except WrongUse as error:
            return wrong_use(str(error))
        except Leave:
            raise
        except Exception as error:
            return bug(error)
        if outcome is not None:
            self._report(outcome)
            return 130 if outcome.result is not None and outcome.result.interrupted else 0
        return 0

    def _run(self, text: str) -> Effect:
        with interruptible() as interrupted:
            options = Options(write=show, note=tell, interrupted=interrupted, overwrite=False)
            return self.live.enter(text, options)

    def _report(self, outcome: Effect) -> None:
        paint = colour(sys.stderr)
        for one in outcome.warnings:
            print(render_text(one, paint), file=sys.stderr)
        if outcome.result is not None and outcome.result.interrupted:
            tell(f"interrupted after {outcome.result.steps} steps; the variables keep their values")
        for name in outcome.hidden:
            tell(f"{name} was a variable, and is an expression now; set {name} = ... gives a variable another value")
        if outcome.changed:
            tell(f"this changes {', '.join(outcome.changed)}")


def run_lines(live: LiveProgram, lines: Iterable[str]) -> int:
    """Run piped entries up to the first that fails."""
    session = Prompt(live)
    try:
        for text in divided(lines):
            if code := session.run(text):
                return code
    except Leave:
        pass
    return 0


def run_prompt(live: LiveProgram, ask: Callable[[], str | None]) -> int:
    """Run entries until the user leaves. `ask` returns the next one, or None at the end."""
    session = Prompt(live)
    try:
        while (text := ask()) is not None:
            session.run(text)
    except Leave:
        pass
    return 0


def history_file() -> str:
    """The file with the entries of earlier prompts. Its folder is made."""
    state = os.environ.get("XDG_STATE_HOME") or os.path.join(os.path.expanduser("~"), ".local", "state")
    folder = os.path.join(state, "tfdsl")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    return os.path.join(folder, "history")
