"""`tfdsl lift`: writes the source of a graph that TensorFlow wrote."""

import argparse
import io
import os
import re
from typing import Any

from ..diagnostics.spelling import counted
from ..outputs import write_output
from . import tensorflow
from .options import positive
from .parser import CommandParser
from .report import WrongUse, show, tell, write_utf8

_MAX_FILE = 100_000_000  # bytes


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Write the source of a graph that TensorFlow wrote: a GraphDef, a MetaGraph or a SavedModel, binary or text. "
        "Nothing of the graph is run to read it."
    )
    parser.add_argument("graph", metavar="GRAPH", help="a file, or the folder of a SavedModel")
    parser.add_argument("-o", "--output", metavar="OUT", default="-",
                        help="the .tfg file to write, or - for standard output; large constants go to a .npz file "
                             "beside it")  # fmt: skip
    parser.add_argument("--exact", action="store_true", required=True,
                        help="a line for each node, which builds the same graph again, instead of what a person would "
                             "write")  # fmt: skip
    parser.add_argument("--outputs", metavar="NAMES", type=names, default=[],
                        help="lift only what these nodes need; several have commas between them")  # fmt: skip
    parser.add_argument("--tags", metavar="TAGS", type=names, default=[],
                        help="which graph of a SavedModel, if it has several (default: serve)")  # fmt: skip
    parser.add_argument("--checkpoint", metavar="CHECKPOINT", default="",
                        help="the checkpoint with the variables, if it is not beside the graph")  # fmt: skip
    parser.add_argument("--constants", choices=("beside", "inline"),
                        help="where large constants go: beside the program (the default with -o), or into it (the "
                             "default without)")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument("--max-file-size", metavar="N", type=positive, default=_MAX_FILE,
                        help=f"read graphs of up to N bytes (default: {_MAX_FILE})")  # fmt: skip


def names(text: str) -> list[str]:
    """Names with commas between them."""
    found = [one.strip() for one in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names with commas between them")
    return found


def command(arguments: argparse.Namespace) -> int:
    output = arguments.output
    if output == "-" and arguments.constants == "beside":
        raise WrongUse("--constants beside needs a place for the file: name the program with -o OUT")
    if output != "-" and os.path.lexists(output) and not arguments.overwrite:
        raise WrongUse(f"{output} exists already; --overwrite replaces it")
    tensorflow.load()
    from ..lift.exact import lift_exact
    from ..lift.read import read_graph

    graph = read_graph(
        arguments.graph, arguments.outputs, arguments.tags, arguments.checkpoint, arguments.max_file_size
    )
    is_inline = (arguments.constants or ("inline" if output == "-" else "beside")) == "inline"
    beside = re.sub(r"(\.tfg)?$", ".npz", output, count=1)
    lifted = lift_exact(graph, "" if is_inline else os.path.basename(beside))
    for note in lifted.notes:
        tell(f"note: {note}")
    if output == "-":
        write_utf8()
        show(lifted.source, end="")
        return 0
    if lifted.arrays:
        import numpy as np

        file = io.BytesIO()
        arrays: dict[str, Any] = dict(lifted.arrays)  # NumPy's stubs treat keywords as options
        np.savez_compressed(file, **arrays)
        write_output(beside, file.getvalue())
    write_output(output, lifted.source)
    written = f"{output} and {beside}" if lifted.arrays else output
    tell(f"{counted(len(graph.nodes), 'node')} of {arguments.graph} are in {written}")
    return 0
