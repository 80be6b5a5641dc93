"""The conditions that every text must satisfy: `judge` raises if it does not, and returns the kind of the text."""

import json

from tfdsl.diagnostics import TfgError
from tfdsl.diagnostics.render import render_concise, render_json, render_text
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.limits import Limits
from tfdsl.source import Source
from tfdsl.syntax.format import format_text
from tfdsl.syntax.parse import parse

LIMITS = Limits(unroll=1_000)
KINDS = ("no program", "wrong program", "good program")


class Wrong(AssertionError):
    """The output of the front end for a text breaks a promise."""


def judge(text: str, path: str = "fuzz.tfg") -> str:
    """One of `KINDS`. Raises an exception if the front end fails on the text."""
    source = Source(path, text)
    try:
        tree = parse(source)
    except TfgError as error:
        for diagnostic in error.diagnostics:
            _shown(diagnostic)
        return KINDS[0]
    program, diagnostics = check(tree, CompileInputs(limits=LIMITS))
    for diagnostic in diagnostics:
        _shown(diagnostic)
    if (program is None) is not any(d.severity == "error" for d in diagnostics):
        raise Wrong("errors and a program, or neither")
    formatted = Source(path, format_text(source))
    if format_text(formatted) != formatted.text:
        raise Wrong(f"formatting twice is not formatting once: {formatted.text!r}")
    if len(text) % 4:  # `format_text` has compared the trees; check some texts in another way
        return KINDS[2 if program is not None else 1]
    after = check(formatted, CompileInputs(limits=LIMITS))[1]
    if [d.code for d in after] != [d.code for d in diagnostics]:
        raise Wrong(f"formatted, it is another program: {formatted.text!r}")
    return KINDS[2 if program is not None else 1]


def _shown(diagnostic) -> None:
    if diagnostic.span is None:
        raise Wrong(f"no place: {diagnostic.code}")
    if diagnostic.code == "TFG899":
        raise Wrong("a bug")
    shown = render_text(diagnostic) + render_concise(diagnostic) + json.dumps(render_json(diagnostic))
    if not shown.replace("\n", "").isprintable():
        raise Wrong(f"not safe to print: {shown!r}")
