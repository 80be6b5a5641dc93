"""`tfdsl graph`: draws the graph of a program."""

import argparse
import os
import sys

from ..diagnostics.spelling import alternatives, near_suffix
from ..draw.formats import FORMATS, suffixes
from ..draw.formats.base import Drawing, Format
from ..driver import Compiled, compile_source
from ..outputs import write_output
from ..program import Graph
from ..syntax.read import read
from . import tensorflow
from .options import add_program_options, given
from .parser import CommandParser
from .report import WrongUse, refuse_program, show


def configure(parser: CommandParser) -> None:
    formats = ", ".join(f"{name} {row.doc}" for name, row in FORMATS.items())
    parser.description = f"Draw the graph of a program: scopes are boxes, edges carry shapes. The formats: {formats}."
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("-o", "--output", metavar="OUT", default="-",
                        help=f"a file that ends in {alternatives(suffixes())}, or - for standard output")  # fmt: skip
    parser.add_argument("--format", choices=tuple(FORMATS), help="the format, if OUT does not show it (default: dot)")
    parser.add_argument("--graph", metavar="NAME", help="only this graph; pbtxt uses the default graph without it")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    form = FORMATS[arguments.format or _format(arguments.output)]
    extra = given(arguments)
    foreign = tensorflow.foreign() if form.needs_tensorflow else None
    compiled = compile_source(read(arguments.file, extra.limits), extra.inputs(arguments.file, foreign))
    graphs = [graph for graph in compiled.program.graphs if arguments.graph in (None, graph.name)]
    if not graphs:
        known = ", ".join(graph.name or "(the default one)" for graph in compiled.program.graphs)
        raise WrongUse(f"there is no graph {arguments.graph!r}; there are {known}")
    refuse_program(arguments.output)
    _write(arguments.output, _drawn(compiled, graphs, form))
    return 0


def drawn(compiled: Compiled, output: str) -> str | bytes:
    """The picture of a program, in the format that the name of the output file shows."""
    refuse_program(output)
    return _drawn(compiled, list(compiled.program.graphs), FORMATS[_format(output)])


def _drawn(compiled: Compiled, graphs: list[Graph], form: Format) -> str | bytes:
    def graph_def():
        tensorflow.load()
        return compiled.built(graphs[0].name).graph.as_graph_def()

    title = os.path.basename(compiled.program.path)
    return form.write(Drawing(title, compiled.program, graphs, graph_def))


def _format(output: str) -> str:
    if output == "-":
        return "dot"
    suffix = os.path.splitext(output)[1].lower().removeprefix(".")
    if suffix not in FORMATS:
        help = near_suffix(output, suffixes()) or "or give --format"
        raise WrongUse(f"{output!r} does not end in {alternatives(suffixes())}; {help}")
    return suffix


def _write(output: str, content: str | bytes) -> None:
    if output != "-":
        write_output(output, content)
    elif isinstance(content, bytes):
        sys.stdout.buffer.write(content)
    else:
        show(content, end="")
