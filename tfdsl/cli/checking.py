"""Checks programs and prints what it finds, for `tfdsl check` and its `--watch`."""

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Literal, assert_never

from ..access import Access
from ..diagnostics import Diagnostic, TfgError
from ..diagnostics.render import render_concise, render_github, render_json, render_text
from ..diagnostics.spelling import counted
from ..driver import check
from ..record import replace
from ..source import Span
from ..syntax.read import read
from .options import GivenInputs
from .report import advise, colour, failure, show_json

Format = Literal["text", "concise", "json", "github"]


def diagnose(files: list[str], extra: GivenInputs, access: Callable[[str], Access] | None = None) -> list[Diagnostic]:
    """The diagnostics of programs. Each is listed once, even if several programs import the same file. `access` returns
    the access of a program, by its path."""
    diagnostics: list[Diagnostic] = []
    reported: set[tuple[str, Span | None, str]] = set()
    for path in files:
        try:
            inputs = extra.inputs(path)
            if access is not None:
                inputs = replace(inputs, access=access(path))
            found: Sequence[Diagnostic] = check(read(path, extra.limits), inputs)[1]
        except TfgError as error:
            found = error.diagnostics
        diagnostics += [one for one in found if _identity(one) not in reported]
        reported |= {_identity(one) for one in found if one.span is not None and not one.span.source.is_argument}
    return diagnostics


def _identity(one: Diagnostic) -> tuple[str, Span | None, str]:
    return one.code, one.span, one.headline


def report(arguments: argparse.Namespace, files: list[str], diagnostics: list[Diagnostic]) -> int:
    """Print diagnostics and their number; return the exit code."""
    _print(diagnostics, arguments.format)
    errors = [one for one in diagnostics if one.severity == "error"]
    if not arguments.quiet and arguments.format != "json":
        warnings = len(diagnostics) - len(errors)
        print(f"{counted(len(files), 'file')}: {counted(len(errors), 'error')}, "
              f"{counted(warnings, 'warning')}",
              file=sys.stderr)  # fmt: skip
    return failure(errors) if errors else 0


def _print(diagnostics: list[Diagnostic], format: Format) -> None:
    match format:
        case "json":
            show_json({"diagnostics": [render_json(one) for one in diagnostics]})
        case "concise":
            print("".join(f"{render_concise(one)}\n" for one in diagnostics), end="")
        case "github":
            print("".join(f"{render_github(one)}\n" for one in diagnostics), end="")
        case "text":
            paint = colour(sys.stdout)
            for one in diagnostics:
                print(render_text(one, paint))
            advise(diagnostics, sys.stdout)
        case _:
            assert_never(format)
