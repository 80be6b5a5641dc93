"""`tfdsl lift`: writes the source of a graph that TensorFlow wrote."""

import argparse
import io
import json
import math
import os
import re
import sys
import tempfile
from typing import TYPE_CHECKING, Any, TypeAlias

from ..access import Access
from ..diagnostics import VERIFY_ENDED, Diagnostic, TfgError
from ..diagnostics.spelling import counted, listed
from ..driver import compile_source
from ..inputs import CompileInputs
from ..lift.options import DROPS, KEEP_NAMES, USUAL, LiftOptions
from ..lift.unfolded import ALL_FOLDED, Unfolded, unfolded_json, unfolded_of
from ..limits import Limits
from ..outputs import write_output
from ..source import Source
from . import tensorflow
from .options import positive
from .orders import carried_out
from .parser import CommandParser
from .report import WrongUse, show, show_json, tell, write_utf8

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy as np

    from ..driver import Compiled
    from ..lift.graph import SavedGraph
    from ..lift.lifted import Lifted
    from ..lift.verify import VerifyReport

ReportJson: TypeAlias = dict[str, Any]  # JSON with the form of `report_json`, from the process that compared
_NAMED = 5  # the most names in a line
_MOST_ENDS = 50  # how many processes one verification may start
_SHOWN = 20  # how many differences are printed
MAX_FILE = 100_000_000  # bytes
_UNPROVED = "note: not proved yet: with --verify, lift compares the program with the graph"


def configure(parser: CommandParser) -> None:
    parser.set_defaults(takes_others=True)  # files that are not programs
    parser.description = (
        "Write the source of a graph that TensorFlow wrote: a GraphDef, a MetaGraph or a SavedModel, binary or text. "
        "Reading the graph does not run it."
    )
    parser.add_argument("graph", metavar="GRAPH", help="a file, or the folder of a SavedModel")
    parser.add_argument("-o", "--output", metavar="OUT", default="-",
                        help="the .tfg file to write, or - for standard output; large constants go to a .npz file "
                             "beside it")  # fmt: skip
    parser.add_argument("--exact", action="store_true",
                        help="write one line per node, which builds exactly the same graph, instead of readable "
                             "source")  # fmt: skip
    parser.add_argument("--outputs", metavar="NAMES", type=names, default=[],
                        help="lift only what these nodes need; separate several names with commas")  # fmt: skip
    parser.add_argument("--keep-names", choices=KEEP_NAMES,
                        help="which nodes keep their names: all (each in a statement of its own), outputs (and "
                             "placeholders and variables; the default), or none")  # fmt: skip
    parser.add_argument("--drop", metavar="PARTS", type=parts, default=[],
                        help=f"leave out parts of the graph: {', '.join(DROPS)}; separate several with "
                             "commas")  # fmt: skip
    parser.add_argument("--as-variables", metavar="NAMES", type=weights, nargs="?", const=[],
                        help="turn the weights of a frozen graph, or the constants with these names, into variables "
                             "that can be trained; * stands for any characters")  # fmt: skip
    parser.add_argument("--tags", metavar="TAGS", type=names, default=[],
                        help="which graph of a SavedModel to lift, if it has several (default: serve)")  # fmt: skip
    parser.add_argument("--checkpoint", metavar="CHECKPOINT", default="",
                        help="the checkpoint with the variables, if it is not beside the graph")  # fmt: skip
    parser.add_argument("--constants", choices=("beside", "inline"),
                        help="where large constants go: into a file beside the program (the default with -o), or into "
                             "the program (the default without -o)")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true", help="replace OUT if it exists")
    parser.add_argument("--verify", action="store_true",
                        help="compare the program with the graph: the same random feeds and variables must give the "
                             "same values; without -o, the program is not kept")  # fmt: skip
    parser.add_argument("--shape", metavar="NAME=2,3", type=shape, action="append", default=[], dest="shapes",
                        help="the sizes of a placeholder for --verify; without it, unknown sizes are 2")  # fmt: skip
    parser.add_argument("--seed", metavar="N", type=positive, default=1, help="the seed of --verify (default: 1)")
    parser.add_argument("--json", action="store_true", help="print the report of --verify as JSON")
    parser.add_argument("--max-file-size", metavar="N", type=positive, default=MAX_FILE,
                        help=f"read graphs of up to N bytes (default: {MAX_FILE})")  # fmt: skip


def names(text: str) -> list[str]:
    """Names separated by commas."""
    found = [one.strip() for one in text.split(",")]
    if not all(found):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of names separated by commas")
    return found


def weights(text: str) -> list[str]:
    """Names of constants, or patterns for them, separated by commas."""
    if text.endswith((".pb", ".pbtxt", ".meta")):
        raise argparse.ArgumentTypeError(f"{text!r} would be a name here: put GRAPH before --as-variables")
    return names(text)


def parts(text: str) -> list[str]:
    """Parts of a graph to leave out, separated by commas."""
    found = names(text)
    unknown = next((one for one in found if one not in DROPS), None)
    if unknown is not None:
        raise argparse.ArgumentTypeError(f"{unknown!r} is not one of {', '.join(DROPS)}")
    return found


def shape(text: str) -> tuple[str, list[int]]:
    """`x=2,3`: the name of a placeholder, and its sizes."""
    name, equals, sizes = text.partition("=")
    numbers = [one.strip() for one in sizes.split(",")] if sizes else []
    if not equals or not name or not all(one.isascii() and one.isdigit() and len(one) < 7 for one in numbers):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=2,3")
    return name, list(map(int, numbers))


def command(arguments: argparse.Namespace) -> int:
    output = arguments.output
    if output == "-" and arguments.constants == "beside":
        raise WrongUse("--constants beside needs -o OUT, because the file is written beside the program")
    for path in () if output == "-" or arguments.overwrite else (output, arrays_of(output)):
        if os.path.lexists(path):
            raise WrongUse(f"{path} exists already; --overwrite replaces it")
    folder = os.path.dirname(output)
    if folder and not os.path.isdir(folder):
        raise WrongUse(f"{output} cannot be written: there is no folder {folder}")
    for option in ("shapes", "json"):
        if getattr(arguments, option) and not arguments.verify:
            raise WrongUse(f"--{option.removesuffix('s')} belongs to --verify")
    for option, unset in (("keep_names", None), ("drop", []), ("as_variables", None)):
        if getattr(arguments, option) != unset and arguments.exact:
            raise WrongUse(f"--{option.replace('_', '-')} belongs to the readable form: --exact keeps every node")
    tensorflow.load()
    is_inline = (arguments.constants or ("inline" if output == "-" else "beside")) == "inline"
    if arguments.verify and output == "-":
        with tempfile.TemporaryDirectory(prefix="tfdsl-lift-") as work:
            program = os.path.join(work, "lifted.tfg")
            _write(arguments, program, is_inline=False)
            return _verify(arguments, program, is_inline=False)
    if output == "-":
        _, lifted = _built_by(arguments, "")
        if lifted.arrays:
            some = next(iter(lifted.arrays))
            raise WrongUse(f"the constant {some!r} needs a file of its own: name the program with -o OUT")
        write_utf8()
        for note in lifted.notes if lifted.is_exact else ():  # the readable form has them as comments
            tell(f"note: {note}")
        tell(_UNPROVED)
        show(lifted.source, end="")
        return 0
    tell(_write(arguments, output, is_inline))
    if arguments.verify:
        return _verify(arguments, output, is_inline)
    tell(_UNPROVED)
    return 0


def lifted_by(
    arguments: argparse.Namespace, arrays: str, unfolded: Unfolded = ALL_FOLDED
) -> "tuple[SavedGraph, Lifted]":
    """The graph that a command line names, and its program. `arrays` is the name of the file for large constants, and
    `unfolded` says which parts stay as they were."""
    from ..lift.exact import lift_exact
    from ..lift.read import read_graph
    from ..lift.readable import lift_readable

    given = (arguments.outputs, arguments.tags, arguments.checkpoint, arguments.max_file_size)
    graph = read_graph(arguments.graph, *given, with_initializers=not arguments.exact)
    if arguments.exact:
        return graph, lift_exact(graph, arrays)
    return graph, lift_readable(graph, arrays, unfolded, options_of(arguments, graph))


def _built_by(arguments: argparse.Namespace, arrays: str) -> "tuple[SavedGraph, Lifted]":
    """The graph that a command line names, and its program. Parts that do not compile stay as they were."""
    from ..lift.exact import ARRAYS
    from ..lift.proof import Prover
    from ..lift.readable import lift_readable
    from ..lift.verify import VerifyReport

    graph, lifted = lifted_by(arguments, arrays)
    if lifted.is_exact:
        return graph, lifted
    with tempfile.TemporaryDirectory(prefix="tfdsl-lift-") as work:

        def build(original: "SavedGraph", made: "Lifted", source: Source) -> "VerifyReport":
            if made.arrays:
                write_arrays(os.path.join(work, arrays or ARRAYS), made.arrays)
            place = os.path.join(work, "lifted.tfg")
            compiled(Source(place, source.text), place).built()
            return VerifyReport()

        try:
            build(graph, lifted, Source("lifted", lifted.source))
        except Exception:  # TensorFlow raises errors of many classes while it builds a graph
            options = options_of(arguments, graph)
            lifted = lift_readable(graph, arrays, Prover(graph, arrays, build, options).unfolded(), options)
    return graph, lifted


def compiled(source: Source, place: str) -> "Compiled":
    """A lifted program, compiled as if it were in a file at a place."""
    inputs = CompileInputs(limits=largest(), foreign=tensorflow.foreign(), access=Access(place, trusted=True))
    return compile_source(source, inputs)


def options_of(arguments: argparse.Namespace, graph: "SavedGraph") -> LiftOptions:
    """The choices of a command line for the readable form."""
    path = graph.checkpoint and os.path.relpath(graph.checkpoint)
    given = arguments.as_variables
    as_variables = None if given is None else tuple(given)
    return LiftOptions(arguments.keep_names or USUAL.keep_names, path, frozenset(arguments.drop), as_variables)


def arrays_of(program: str) -> str:
    """The path of the file with the constants of a program."""
    return re.sub(r"(\.tfg)?$", ".npz", program, count=1)


def _is_below(path: str, folder: str) -> bool:
    """Whether a path is in a folder, or in a folder of it."""
    names = os.path.realpath(folder or "."), os.path.realpath(path)
    return os.path.commonpath(names) == names[0]


def _write(arguments: argparse.Namespace, program: str, is_inline: bool, unfolded: Unfolded = ALL_FOLDED) -> str:
    """Write the program, and the file with its constants. Return what was written, in words."""
    beside = arrays_of(program)
    arrays = "" if is_inline else os.path.basename(beside)
    graph, lifted = lifted_by(arguments, arrays, unfolded) if arguments.verify else _built_by(arguments, arrays)
    if arguments.shapes:
        from ..lift.fed_shapes import check_shapes

        check_shapes(dict(arguments.shapes), graph, lifted)
    for note in lifted.notes if unfolded == ALL_FOLDED else ():
        tell(f"note: {note}")
    if lifted.restores and not any(_is_below(graph.checkpoint, one) for one in (os.path.dirname(program), "")):
        folder = os.path.dirname(os.path.abspath(graph.checkpoint))
        tell(f"note: check and run the program with --allow-path {folder}, where its checkpoint is")
    if lifted.arrays:
        write_arrays(beside, lifted.arrays)
    write_output(program, lifted.source)
    written = f"{program} and {beside}" if lifted.arrays else program
    return f"{counted(len(graph.nodes), 'node')} of {arguments.graph} are in {written}"


def write_arrays(path: str, arrays: "Mapping[str, np.ndarray]") -> None:
    """Write the file with the constants of a program."""
    import numpy as np

    file = io.BytesIO()
    named: dict[str, Any] = dict(arrays)  # NumPy's stubs treat keywords as options
    np.savez_compressed(file, **named)
    write_output(path, file.getvalue())


# --- --verify -----------------------------------------------------------------------------------


def largest() -> Limits:
    """The limits for a program that this command wrote."""
    return Limits(file=10**9, constant=10**8, seconds=3600.0, unroll=10**7)


def _verify(arguments: argparse.Namespace, program: str, is_inline: bool) -> int:
    """Compare a program with its graph in another process. If an op ends that process, start again without the op. If
    folds cause differences, write the program again without these folds."""
    avoid: list[str] = []
    one_by_one = False
    order = {**vars(arguments), "graph": os.path.abspath(arguments.graph)}
    if arguments.checkpoint:
        order["checkpoint"] = os.path.abspath(arguments.checkpoint)
    code = 0
    for _ in range(_MOST_ENDS):
        asked = {"arguments": order, "program": os.path.abspath(program), "avoid": avoid, "one_by_one": one_by_one}
        with tempfile.TemporaryDirectory(prefix="tfdsl-verify-") as work:
            done = carried_out("lift_child", asked, work)
        said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        if said and "report" in said[-1]:
            unfolded = unfolded_of(said[-1]["unfolded"])
            if unfolded != ALL_FOLDED:
                _write(arguments, program, is_inline, unfolded)
            return _show(arguments, said[-1]["report"], unfolded)
        code = done.returncode
        if code >= 0:
            sys.stderr.write(done.stderr)
            return max(code, 1)
        names = said[-1]["names"] if said else []
        if not names:
            break
        if one_by_one:
            avoid += names
        one_by_one = True
    raise TfgError([Diagnostic(VERIFY_ENDED, None, {"path": arguments.graph, "signal": -code})])


def report_json(report: "VerifyReport") -> ReportJson:
    """A report in JSON."""
    return {
        "same": report.is_same, "compared": report.compared, "updates": report.updates, "variables": report.variables,
        "unequal": [
            {"name": one.name, "difference": _number(one.difference), "relative": _number(one.relative),
             "rounding": one.is_rounding, "reason": one.reason}
            for one in report.unequal
        ],
        "failed": report.failed, "left_out": report.left_out, "guessed": report.guessed,
        "made_up": report.made_up, "restored": report.restored, "renamed": report.renamed,
        "misnamed": report.misnamed, "races": report.races,
    }  # fmt: skip


def _number(value: float) -> float | None:
    """A difference, or None if it is not finite: the values cannot be subtracted, or one of them is infinite."""
    return value if math.isfinite(value) else None


def _show(arguments: argparse.Namespace, report: ReportJson, unfolded: Unfolded) -> int:
    from ..lift.verify import AFTER  # imports TensorFlow, like all of `lift`

    if arguments.json:
        show_json({**report, "unfolded": unfolded_json(unfolded)})
        return 0 if report["same"] else 1
    for part in unfolded.parts:
        print(f"{min(part.nodes)} {part}")
    if unfolded.exact:
        print(f"written node for node, because {unfolded.exact}")
    if unfolded.is_apart:
        print("each value has its own statement, because nested expressions do not compute the same")
    for name, message in report["failed"].items():
        print(f"fails in the program: {name}: {message}")
    unequal = report["unequal"]
    for one in unequal[:_SHOWN]:
        print(_difference(one))
    if len(unequal) > _SHOWN:
        print(f"and {len(unequal) - _SHOWN} more")
    updated = [one["name"] for one in unequal if AFTER in one["name"]]
    of_updates = len({name.partition(AFTER)[0] for name in updated})
    tensors, variables = report["compared"], report["variables"]
    print(f"the same bits in {tensors - len(unequal) + len(updated)} of {counted(tensors, 'tensor')}")
    if variables:
        same = f"{variables - of_updates} of {counted(variables, 'variable')}"
        each = "each of " if report["updates"] > 1 else ""
        print(f"the same bits in {same}, after {each}{counted(report['updates'], 'update')}")
    if report["restored"]:
        print(f"the names of {counted(report['restored'], 'variable')} are those in a checkpoint of the graph")
    if report["renamed"]:
        others = [f"{name} ({there} there)" for name, there in report["renamed"].items()]
        print(f"other names than in a checkpoint of the graph: {listed(others, _NAMED)}")
    if report["misnamed"]:
        print(f"differs: the graph has no variables with these names: {listed(report['misnamed'], _NAMED)}")
    if not tensors and not variables:
        print("nothing was compared, so nothing is proved")
    if report["races"]:
        more = f" ({len(report['races']) - 1} more)" if len(report["races"]) > 1 else ""
        print(f"in the graph, {report['races'][0]}{more}; the comparison takes the order of the program")
    if report["made_up"]:
        names = listed(report["made_up"], _NAMED)
        print(f"made-up content in tables that the graph does not fill with constants: {names}; no files are read")
    for reason, names in report["left_out"].items():
        print(f"not compared: {counted(len(names), 'result')}, such as {names[0]}: {reason}")
    for line in _ways(report):
        print(f"help: {line}")
    return 0 if report["same"] else 1


def _ways(report: ReportJson) -> "Iterator[str]":
    """The options that may allow tensors to be compared that were left out."""
    from ..lift.sides import CAN_WAIT, CANNOT_RUN, ENDS_PROCESS, IN_BRANCH

    reasons = [reason.partition(":")[0] for reason in report["left_out"]]
    if report["guessed"] and (CANNOT_RUN in reasons or ENDS_PROCESS in reasons):
        fed = (
            f"--shape {name}={','.join(map(str, sizes))}" for name, sizes in list(report["guessed"].items())[:_NAMED]
        )
        yield f"unknown sizes were chosen, as with {' '.join(fed)}; give the sizes that the graph was made for"
    if CAN_WAIT in reasons:
        yield "queues and readers are not run; without --exact, they become placeholders, which are fed"
    if report["renamed"]:
        name, there = next(iter(report["renamed"].items()))
        yield f'`restore NAME as "{there}" from "PATH"` restores {name}; NAME is its name in the program'
    if IN_BRANCH in reasons:
        yield "with another --seed, other branches may run"


def _difference(one: ReportJson) -> str:
    from ..lift.verify import CLOSE  # imports TensorFlow, like all of `lift`

    size = "in shape, dtype or infinities" if one["difference"] is None else f"by up to {one['difference']:.3g}"
    reason = f": {one['reason']}" if one["reason"] else ""
    if one["rounding"]:
        return f"rounded: {one['name']} {size}, at most {CLOSE:g} of its largest number{reason}"
    return f"differs: {one['name']} {size}{reason}"
