"""Paths that several runs of `tfdsl run --each` write, one over the other."""

import os
import re
from collections.abc import Callable, Iterator, Mapping

from ..analysis.sessions.paths import paths
from ..diagnostics import EACH_OVERWRITES, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..driver import Compiled
from ..program import Checkpoint, Counter, Export, Keep, LogTo, Program, Save, Template, Write
from ..source import Span

_LAST = "so only what the last one writes is left"
_EFFECTS = {  # of each statement that writes
    Save: _LAST, Keep: _LAST, Write: _LAST, Export: _LAST, LogTo: "so TensorBoard shows their curves as one",
    Checkpoint: "so an interrupted one cannot go on if another has begun",
}  # fmt: skip
_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"\Z')


def overwritten(
    compiled: Callable[[Mapping[str, str]], Compiled], first: Compiled, params: Mapping[str, str],
    axes: Mapping[str, list[str]], session: str | None,
) -> Iterator[Diagnostic]:  # fmt: skip
    """A warning for each path that runs write whatever the value of one of their params is. `first` is the program with
    `params`, those of the first run, `axes` has the values that each can have, and `compiled` gives the program with
    others."""
    written = _written(first.program, session)
    shared: dict[tuple[Span, str, str], list[str]] = {}
    for name, values in axes.items() if written else ():
        other = next((value for value in values if value != params[name]), None)
        if other is None:
            continue
        try:
            program = compiled({**params, name: other}).program
        except TfgError:
            continue  # the run with this value says so
        for key in written & _written(program, session):
            shared.setdefault(key, []).append(name)
    for (span, path, effect), names in sorted(shared.items(), key=lambda one: one[0][0].start):
        literal = _LITERAL.search(span.text)
        shown = literal[1] if literal else path
        stem, suffix = os.path.splitext(shown) if "}" not in shown.rpartition(".")[2] else (shown, "")
        whole = f'"{stem.rstrip("/")}-{"-".join(f"{{{name}}}" for name in names)}{suffix}"'
        what = "the param" if len(names) == 1 else "the params"
        details = {"params": listed(names), "path": shown, "effect": effect, "what": what, "whole": whole}
        yield Diagnostic(EACH_OVERWRITES, span, details)


def _written(program: Program, session: str | None) -> set[tuple[Span, str, str]]:
    """The paths that sessions write, with their statements and what becomes of what several runs write there. Those
    with the time in them are left out."""
    return {
        (statement.origin.span, path, _EFFECTS[type(statement)]) for statement, path in paths(program, session)
        if type(statement) in _EFFECTS and not _has_time(statement.uses().path)
    }  # fmt: skip


def _has_time(path: object) -> bool:
    return isinstance(path, Template) and any(isinstance(one, Counter) and one.name == "now" for one in path.parts)
