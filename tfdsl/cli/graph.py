"""`tfdsl graph`: a program's graph as a picture. Only pbtxt, TensorFlow's own form, needs TensorFlow."""

import argparse
import os

from ..driver import compile_source
from ..outputs import write_output
from ..syntax.read import read
from . import tensorflow
from .options import add_program_options, given
from .parser import Parser
from .report import WrongUse, show

_FORMATS = ("svg", "dot", "html", "pbtxt")


def configure(parser: Parser) -> None:
    parser.description = (
        "Draw the graph of a program: scopes are boxes, edges carry shapes. html is a page whose boxes open and close, "
        "svg needs Graphviz (pip install pygraphviz), pbtxt is the GraphDef."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("-o", "--output", metavar="OUT", default="-",
                        help="a file that ends in .svg, .dot, .html or .pbtxt, or - for standard output")  # fmt: skip
    parser.add_argument("--format", choices=_FORMATS, help="the form, where OUT does not say it (default: dot)")
    parser.add_argument("--graph", metavar="NAME", help="only this graph; pbtxt takes the default one without it")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    form = arguments.format or _form(arguments.output)
    extra = given(arguments)
    foreign = tensorflow.foreign() if form == "pbtxt" else None
    compiled = compile_source(
        read(arguments.file, extra.limits),
        extra.params,
        extra.data,
        extra.limits,
        None,
        foreign,
        extra.access(arguments.file),
    )
    graphs = [graph for graph in compiled.program.graphs if arguments.graph in (None, graph.name)]
    if not graphs:
        known = ", ".join(graph.name or "(the default one)" for graph in compiled.program.graphs)
        raise WrongUse(f"there is no graph {arguments.graph!r}; there are {known}")
    _write(arguments.output, _text(compiled, graphs, form))
    return 0


def _form(output: str) -> str:
    if output == "-":
        return "dot"
    suffix = os.path.splitext(output)[1].lower().removeprefix(".")
    if suffix not in _FORMATS:
        raise WrongUse(f"{output!r} does not end in .svg, .dot, .html or .pbtxt; or give --format")
    return suffix


def _text(compiled, graphs: list, form: str) -> str:
    if form == "pbtxt":
        tensorflow.load()
        from google.protobuf import text_format

        return text_format.MessageToString(compiled.built(graphs[0].name).graph.as_graph_def())
    from ..draw.dot import dot, svg
    from ..draw.html import html
    from ..draw.picture import picture

    pictures = [picture(graph) for graph in graphs if graph.items or len(graphs) == 1]
    if form == "html":
        return html(pictures, os.path.basename(compiled.program.path))
    return svg(pictures) if form == "svg" else dot(pictures)


def _write(output: str, text: str) -> None:
    if output == "-":
        show(text, end="")
        return
    write_output(output, text)
