"""`tfdsl eval`: prints the value of a node or an expression, computed in a separate session."""

import argparse

from ..diagnostics import FEED_TARGET, UNFED, UNKNOWN_NAME, Diagnostic
from ..driver import Compiled, check
from ..record import replace
from ..source import Source, Span
from ..syntax import tree as t
from ..syntax.parse import parse, parse_expression
from ..syntax.read import read
from . import tensorflow
from .options import add_program_options, given
from .parser import CommandParser
from .report import WrongUse, errors, show, show_json, tell


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Print the value of an expression over the names of a program, with every variable at its initial value. "
        "The program's own sessions are not run."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("expression", metavar="EXPR", help="such as mse, or reduce_max(abs(error))")
    parser.add_argument("--feed", metavar="X=VALUE", action="append", default=[],
                        help="feed a placeholder: X=[[1, 2, 3]], or X=housing.features")  # fmt: skip
    parser.add_argument("--graph", metavar="NAME", help="the graph of the expression (default: the default graph)")
    parser.add_argument("--json", action="store_true", help="print the value as JSON")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    extra = given(arguments)
    feeds = [fed(text) for text in arguments.feed]
    file = parse(read(arguments.file, extra.limits), extra.limits)
    expression = parse_expression(Source("EXPR", arguments.expression, is_argument=True), extra.limits)
    printed = t.Print(expression.span, (expression,), tuple(feeds))
    graph = None if arguments.graph is None else t.Identifier(expression.span, arguments.graph)
    session = t.Session(expression.span, None, graph, (printed,))
    graph_half = tuple(statement for statement in file.body if not isinstance(statement, t.Session))
    tree = t.File(file.span, (*graph_half, session))
    inputs = extra.inputs(arguments.file, tensorflow.foreign())
    program, diagnostics = check(tree, inputs)
    if program is None:
        names = [one.target.id for one in file.body if isinstance(one, t.Placeholder)]
        return errors(_with_feed(d, names) for d in diagnostics if d.severity == "error")

    tensorflow.load()
    from ..runtime.options import Options

    write = (lambda line: None) if arguments.json else show
    result = Compiled(program, extra.data, access=inputs.access).run(
        options=Options(write=write, note=_note, keep_variables=False)
    )
    if arguments.json:
        values = result.to_json()["values"]
        show_json(next(iter(values.values()), result.printed[0]), indent=None)
    return 0


def _with_feed(diagnostic: Diagnostic, placeholders: list[str]) -> Diagnostic:
    """Mention the option that feeds a placeholder on the command line."""
    details, place = dict(diagnostic.details or {}), diagnostic.span.source.path if diagnostic.span else ""
    if diagnostic.message is UNFED:
        names = str(details["names"]).split(" and ")
        details["what"] = "the expression"
        help = "give it a value: " + " ".join(f"--feed {name}=VALUE" for name in names)
        return replace(diagnostic, details=details, help=help)
    if diagnostic.message is UNKNOWN_NAME and place == "--feed" and not diagnostic.help and placeholders:
        return replace(diagnostic, help=f"the placeholders are {', '.join(placeholders)}")
    if diagnostic.message is FEED_TARGET and place == "--feed":
        return replace(diagnostic, details={**details, "hint": "feed a placeholder; a variable has its initial value"})
    return diagnostic


def _note(line: str) -> None:
    tell(line)


def fed(text: str) -> t.Fed:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise WrongUse(f"{text!r} is not of the form --feed X=VALUE")
    expression = parse_expression(Source("--feed", value.strip(), is_argument=True))
    place = Span(Source("--feed", text, is_argument=True), 0, len(name))
    return t.Fed(expression.span, t.Identifier(place, name.strip()), expression)
