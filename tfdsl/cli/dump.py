"""`tfdsl dump`: prints a program after a stage of the compiler."""

import argparse

from ..diff.kinds import kind_of
from ..driver import compile_source
from ..syntax.parse import parse
from ..syntax.read import read
from . import tensorflow
from .lift import MAX_FILE
from .options import add_program_options, given
from .parser import CommandParser
from .report import WrongUse, show, write_utf8


def configure(parser: CommandParser) -> None:
    parser.set_defaults(takes_others=True)  # files that are not programs
    parser.description = (
        "Print a program as it is after a stage: its tree, the typed program (YAML, which loads back), or the built "
        "TensorFlow graph in the form of the golden files. A graph that TensorFlow wrote is printed in the same form."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file, or a graph: a file, or the folder of a SavedModel")
    parser.add_argument("--stage", choices=("tree", "program", "graph"), required=True, help="which stage")
    parser.add_argument(
        "--graph", metavar="NAME", default="", help="which graph, for --stage graph (default: the default one)"
    )
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    write_utf8()
    extra = given(arguments)
    if kind_of(arguments.file) == "graph":
        return _graph(arguments)
    source = read(arguments.file, extra.limits)
    if arguments.stage == "tree":
        from ..syntax.outline import outline

        show(outline(parse(source, extra.limits)), end="")
        return 0
    compiled = compile_source(source, extra.inputs(arguments.file, tensorflow.foreign()))
    if arguments.stage == "program":
        from ..program.serialize import to_yaml

        show(to_yaml(compiled.program), end="")
        return 0
    names = [graph.name for graph in compiled.program.graphs]
    if arguments.graph not in names:
        known = ", ".join(name or "(the default one)" for name in names)
        raise WrongUse(f"there is no graph {arguments.graph!r}; there are {known}")
    tensorflow.load()
    from ..lowering.text import graph_text

    show(graph_text(compiled.built(arguments.graph)), end="")
    return 0


def _graph(arguments: argparse.Namespace) -> int:
    """Print a graph that TensorFlow wrote, in the form of the golden files."""
    if arguments.stage != "graph" or arguments.graph:
        raise WrongUse(f"{arguments.file} is a graph: print it with --stage graph")
    tensorflow.load()
    from ..lift.read import graph_def_of, read_graph
    from ..lowering.text import graph_def_text

    graph = read_graph(arguments.file, max_file=arguments.max_file or MAX_FILE)
    show(graph_def_text(graph_def_of(graph)), end="")
    return 0
