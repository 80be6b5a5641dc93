"""`tfdsl grad`: prints the derivative of a scalar in the language, by SymPy. It does not need TensorFlow."""

import argparse

from ..analysis.calls.symbolic import derivative_text
from ..analysis.check import analysed
from ..analysis.context import StatementFailed
from ..diagnostics import UNKNOWN_NAME, Diagnostic, TfgError
from ..diagnostics.spelling import did_you_mean
from ..program import Graph, Ref
from ..syntax.parse import parse
from ..syntax.read import read
from .options import add_program_options, given
from .parser import CommandParser
from .report import WrongUse, errors, show, write_utf8


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Print the symbolic derivative of a scalar as statements over the names of the program. Put them at the "
        "end of the graph half; the last one, d_NODE_d_NAME, is the derivative."
    )
    parser.usage = "tfdsl grad FILE NODE wrt NAME [options]"
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("node", metavar="NODE", help="a scalar, such as mse or loss.mse")
    parser.add_argument("word", metavar="wrt", help="the word wrt")
    parser.add_argument("name", metavar="NAME", help="a scalar that it depends on")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    write_utf8()
    if arguments.word != "wrt":
        raise WrongUse(f"write: tfdsl grad {arguments.file} NODE wrt NAME")
    extra = given(arguments)
    tree = parse(read(arguments.file, extra.limits), extra.limits)
    ctx, program = analysed(tree, extra.inputs(arguments.file))
    if ctx.bag.errors:
        return errors(d for d in ctx.bag.ordered() if d.severity == "error")
    graph = program.graph("")
    y, x = (_ref(graph, name) for name in (arguments.node, arguments.name))
    names: dict[Ref, str] = {}
    for name, named in sorted(graph.names.items(), key=lambda item: (len(item[0]), item[0])):
        if isinstance(named.value, Ref):
            names.setdefault(named.value, name)
    place = graph.names[arguments.node].span
    text = ""
    try:
        text = derivative_text(ctx, y, x, names, place, set(graph.names))
    except StatementFailed as failure:
        ctx.abandon(failure)
    if ctx.bag.errors:
        return errors(d for d in ctx.bag.ordered() if d.severity == "error")
    show(text, end="")
    return 0


def _ref(graph: Graph, name: str) -> Ref:
    named = graph.names.get(name)
    if named is None or not isinstance(named.value, Ref):
        help = did_you_mean(name, graph.names)
        raise TfgError([Diagnostic(UNKNOWN_NAME, None, {"name": name}, help=help)])
    return named.value
