"""`tfdsl diff`: compares two programs, graphs or checkpoints. Comparing programs does not import TensorFlow."""

import argparse
import glob
import os
import sys
import tempfile

from ..diagnostics import TfgError
from ..diagnostics.spelling import counted
from ..diff.differences import DiffReport
from ..diff.kinds import kind_of
from ..diff.opened import DiffInputs, compared_paths, nodes_compared
from ..diff.plain import report_json
from ..diff.text import DiffLayout, report_text
from . import tensorflow
from .lift import MAX_FILE, largest
from .options import add_program_options, given
from .parser import CommandParser, columns
from .report import WrongUse, colour, errors, show, show_json, tell, write_utf8

_WIDTH = 100  # columns, if the output is not a terminal
_SHOWN = 50  # differences of nodes


def configure(parser: CommandParser) -> None:
    parser.set_defaults(takes_others=True)  # files that are not programs
    parser.description = (
        "Compare two programs, graphs or checkpoints by what they mean: what is added, removed, renamed, moved, or has "
        "another shape, dtype, initializer, optimizer or plan. Graphs on disk are compared as the programs that lift "
        "writes. Exits with 0 if they are alike, 1 if they differ, 2 if they cannot be compared."
    )
    for name in ("A", "B"):
        parser.add_argument(name.lower(), metavar=name,
                            help="a .tfg file, a graph (.pb, .pbtxt, .meta, the folder of a SavedModel), or a "
                                 "checkpoint")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print a JSON object with all differences")
    parser.add_argument("--all", action="store_true",
                        help="list every difference, including those that follow from others and those inside "
                             "something that was added or removed")  # fmt: skip
    parser.add_argument("--exact", action="store_true",
                        help="compare graphs node for node, by the names of the nodes; programs are built")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing; the exit code is the answer")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    try:
        with tempfile.TemporaryDirectory(prefix="tfdsl-diff-") as folder:
            return _compare(arguments, folder)
    except TfgError as error:
        errors(error.diagnostics)
        return 2


def _compare(arguments: argparse.Namespace, folder: str) -> int:
    extra = given(arguments)
    inputs = DiffInputs(
        extra.inputs, tensorflow.foreign, extra.limits, largest(), arguments.max_file or MAX_FILE, folder
    )
    kinds = {kind_of(path) for path in (arguments.a, arguments.b)}
    if arguments.exact and "checkpoint" in kinds:
        raise WrongUse("--exact compares graphs and programs, not checkpoints")
    if "checkpoint" in kinds and len(kinds) > 1:
        raise WrongUse(_other_pair(arguments.a, arguments.b))
    if arguments.exact or kinds != {"program"}:
        tensorflow.load()
    if arguments.exact:
        return _exact(arguments, inputs)
    report = compared_paths(arguments.a, arguments.b, inputs)
    if not arguments.quiet:
        _print(report, arguments)
    return 1 if report.entries else 0


def _other_pair(*paths: str) -> str:
    """What to compare in place of a checkpoint and a graph or program."""
    (stored,) = (path for path in paths if kind_of(path) == "checkpoint")
    (other,) = (path for path in paths if path != stored)
    if not os.path.exists(other):
        of_steps = sorted(glob.glob(f"{glob.escape(other)}-*.index"), key=os.path.getmtime)
        latest = f"; the latest checkpoint of that name is {of_steps[-1].removesuffix('.index')}" if of_steps else ""
        return f"{stored} is a checkpoint, and there is no {other}{latest}"
    said = f"{stored} is a checkpoint, and {other} is a {kind_of(other)}"
    graph, values = f"{stored.removesuffix('.index')}.meta", other.removesuffix(".meta")
    if os.path.isfile(graph) and graph != other:
        return f"{said}; compare {graph} and {other}"
    if os.path.isfile(f"{values}.index") and values != stored:
        return f"{said}; compare {stored} and {values}"
    return f"{said}; compare two checkpoints, or two graphs or programs"


def _print(report: DiffReport, arguments: argparse.Namespace) -> None:
    write_utf8()
    if arguments.json:
        show_json(report_json(report))
        return
    for note in report.notes:
        tell(f"note: {note}")
    width = columns() if sys.stdout.isatty() else _WIDTH
    print(report_text(report, DiffLayout(width, colour(sys.stdout), arguments.all)), end="")


def _exact(arguments: argparse.Namespace, inputs: DiffInputs) -> int:
    found = nodes_compared(arguments.a, arguments.b, inputs)
    if arguments.json:
        nodes = [{"node": one.node, "what": one.what, "before": one.left, "after": one.right} for one in found]
        show_json({"left": arguments.a, "right": arguments.b, "alike": not found, "nodes": nodes})
    elif not arguments.quiet:
        write_utf8()
        shown = found if arguments.all else found[:_SHOWN]
        for one in shown:
            show(f"{one.node}: {one.what}: {one.left} -> {one.right}")
        if len(shown) < len(found):
            show(f"... and {counted(len(found) - len(shown), 'more difference')}; --all lists them")
    return 1 if found else 0
