"""`tfdsl gradcheck`: compares the gradients of a program by all methods."""

import argparse
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ..analysis.check import analysed
from ..analysis.context import Analysis, StatementFailed
from ..analysis.gradcheck import Check, wanted
from ..analysis.sessions.fed_data import check_fed
from ..analysis.sessions.feeds import Plan, feed_entries
from ..analysis.values import Env
from ..diagnostics import TfgError
from ..diagnostics.spelling import counted, shortened
from ..driver import Compiled
from ..program import Feed, Program, Ref
from ..syntax import tree as t
from ..syntax.parse import parse
from ..syntax.read import read
from . import tensorflow
from .eval import fed
from .options import add_program_options, given
from .parser import CommandParser
from .report import errors, show, show_json, tell

if TYPE_CHECKING:
    from ..runtime.gradcheck import GradientReport


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Compute each gradient that a program takes, and those of its optimizers, by reverse mode, forward mode, "
        "central differences and formulas, at the initial values of the variables. Exits with 1 if they disagree."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument(
        "node", metavar="NODE", nargs="?", help="check the gradient of this scalar with respect to its variables"
    )
    parser.add_argument("--feed", metavar="X=VALUE", action="append", default=[],
                        help="feed a placeholder (default: the program's feed, or random numbers)")  # fmt: skip
    parser.add_argument("--tolerance", metavar="T", type=float, help="the allowed relative disagreement")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    extra = given(arguments)
    tree = parse(read(arguments.file, extra.limits), extra.limits)
    ctx, program = analysed(tree, extra.inputs(arguments.file, tensorflow.foreign()))
    if ctx.bag.errors:
        return errors(d for d in ctx.bag.ordered() if d.severity == "error")
    checks = wanted(ctx, program, arguments.node)
    checks = [check for check in checks if check.xs]
    if not checks:
        print("tfdsl: there is no gradient to check", file=sys.stderr)
        return 0
    feeds = _given_feeds(ctx, tuple(fed(text) for text in arguments.feed))
    tensorflow.load()
    reports = list(_reports(ctx, program, checks, feeds, extra.data, arguments.tolerance))
    if arguments.json:
        gradients = [_plain(ctx, report) for report in reports]
        show_json({"agrees": all(r.agrees for r in reports), "gradients": gradients})
    else:
        for report in reports:
            _print(ctx, report)
    wrong = sum(not report.agrees for report in reports)
    print(f"{counted(len(reports), 'gradient')}: {wrong or 'none'} with a disagreement", file=sys.stderr)
    return 1 if wrong else 0


def _given_feeds(ctx: Analysis, feds: tuple[t.Fed, ...]) -> dict[Ref, Feed]:
    env = Env(parent=ctx.env)
    plan = Plan(env, env)
    entries: dict[Ref, Feed] = {}
    try:
        entries = feed_entries(ctx, plan, feds)
    except StatementFailed as failure:
        ctx.abandon(failure)
    check_fed(ctx, plan.fed, ())
    if ctx.bag.errors:
        raise TfgError(ctx.bag.ordered())
    return entries


def _reports(
    ctx: Analysis, program: Program, checks: list[Check], feeds: dict[Ref, Feed], data: Mapping[str, object],
    tolerance: float | None,
) -> "Iterator[GradientReport]":  # fmt: skip
    from ..program import Origin, Session
    from ..runtime.gradcheck import compare, feeds_for
    from ..runtime.options import Options
    from ..runtime.result import Result
    from ..runtime.run_context import RunContext
    from ..runtime.session import opened

    compiled = Compiled(program, data, access=ctx.access)
    context = RunContext(
        Options(), Result(program.path, {}), compiled.array, compiled.learned, compiled.fitted, compiled.access
    )
    for name in dict.fromkeys(check.graph for check in checks):
        graph = program.graph(name)
        plan = Session("", name, True, (), Origin(checks[0].span))
        with opened(plan, compiled.built(name), context) as session:
            for check in (one for one in checks if one.graph == name):
                fed, said = feeds_for(program, graph, check, feeds)
                for line in said:
                    tell(f"tfdsl: {line}")
                yield compare(session.run, ctx, check, fed, tolerance)


def _name(ctx: Analysis, graph: str, ref: Ref) -> str:
    """The program's name for a tensor."""
    names = ctx.graphs[graph].finish().names
    found = sorted((name for name, named in names.items() if named.value == ref), key=len)
    node = ctx.graphs[graph].nodes[ref.node]
    return found[0] if found else node.name or f"{node.op} on line {node.origin.span.line}"


def _title(ctx: Analysis, report: "GradientReport") -> str:
    check = report.check
    ys, xs = (", ".join(_name(ctx, check.graph, ref) for ref in refs) for refs in (check.ys, check.xs))
    return f"gradient of {ys} with respect to {xs} ({check.span})"


def _print(ctx: Analysis, report: "GradientReport") -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(_title(ctx, report)), title_justify="left", title_style="bold")
    for column in ("method", "value", "disagreement", "relative", "passes", "time"):
        table.add_column(column, justify="left" if column in ("method", "value") else "right")
    for outcome in report.outcomes:
        if outcome.reason:
            table.add_row(outcome.method, Text(outcome.reason, style="dim"), "", "", "", "")
            continue
        parts = ("", "") if outcome.method == "reverse" else (f"{outcome.absolute:.2g}", f"{outcome.relative:.2g}")
        style = None if outcome.agrees else "red"
        value = "  ".join(_short(value) for value in outcome.values)
        table.add_row(outcome.method, Text(value), *parts, str(outcome.passes), _time(outcome.seconds), style=style)
    Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 110).print(table)
    if not report.agrees:
        suspect = report.suspect
        where = f"through {suspect.name or suspect.op} at {suspect.origin.span}" if suspect else "at a node not found"
        show(f"the gradients disagree first {where}")
        print("(a kink within the step of the differences, such as relu has, looks like this too)\n")


def _short(value: object) -> str:
    return shortened(" ".join(str(value).split()))


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.2f} ms"


def _plain(ctx: Analysis, report: "GradientReport") -> dict[str, object]:
    check, suspect = report.check, report.suspect
    return {
        "ys": [_name(ctx, check.graph, ref) for ref in check.ys],
        "xs": [_name(ctx, check.graph, ref) for ref in check.xs],
        "place": str(check.span),
        "agrees": report.agrees,
        "first": None if suspect is None else {"node": suspect.name or suspect.op, "place": str(suspect.origin.span)},
        "methods": {
            outcome.method: {"reason": outcome.reason} if outcome.reason else {
                "values": [value.tolist() for value in outcome.values], "absolute": outcome.absolute,
                "relative": outcome.relative, "passes": outcome.passes, "seconds": outcome.seconds,
                "agrees": outcome.agrees,
            }
            for outcome in report.outcomes
        },
    }  # fmt: skip
