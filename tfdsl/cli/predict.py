"""`tfdsl predict`: the values of a trained model for the rows of a new file, as a file."""

import argparse
import os
import sys
from collections.abc import Mapping
from shutil import copyfileobj
from tempfile import TemporaryDirectory

from ..analysis.prediction import Prediction, prediction
from ..diagnostics import DATA_UNKNOWN, Diagnostic, TfgError
from ..diagnostics.spelling import alternatives, counted, did_you_mean, listed, near_suffix
from ..driver import Compiled
from ..syntax.read import read
from . import tensorflow
from .options import add_program_options, given, names
from .parser import CommandParser
from .report import WrongUse, show_json, tell
from .trained import compiled_for, warn_of_use


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Write what a trained model gives for the rows of a new file: the columns that the data sets aside, then the "
        "values. The rows are transformed as the model has learned. The values are the outputs of the program's "
        "'export ... with X = DATA.features', or those that --values names."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("--from", metavar="CHECKPOINT", required=True, dest="checkpoint",
                        help="the path of a save, or the folder of a training's checkpoints")  # fmt: skip
    output = parser.add_argument("-o", "--output", metavar="OUT")
    parser.late_help(output, _output_help)
    parser.add_argument("--only", metavar="COLUMNS", help="write only these columns, with commas between them")
    parser.add_argument(
        "--values", metavar="NAMES", help="write these values of the graph half, with commas between them"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="replace OUT even if tfdsl did not write it, or it was changed since"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object with what was written")
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings of the program on standard error")
    add_program_options(parser)


def _output_help() -> str:
    from ..data.outputs import output_suffixes

    return f"the file to write, whose name ends in {alternatives(output_suffixes())} (default: standard output, as CSV)"


def command(arguments: argparse.Namespace) -> int:
    from ..data.outputs import OUTPUTS, output_suffixes, suffix_of

    if not arguments.output and arguments.json:
        raise WrongUse("--json tells what was written to a file: give its name with -o")
    suffix = suffix_of(arguments.output or "")
    if arguments.output and suffix not in OUTPUTS:
        near = near_suffix(arguments.output, output_suffixes())
        raise WrongUse(
            f"{arguments.output!r} does not end in {alternatives(output_suffixes())}" + (f"; {near}" if near else "")
        )
    new = _files(arguments.data)
    arguments.data = []
    extra = given(arguments)
    inputs = extra.inputs(arguments.file, tensorflow.foreign())
    compiled = compiled_for("predict", read(arguments.file, extra.limits), inputs, arguments.checkpoint)
    if not arguments.quiet:
        warn_of_use(compiled, names(arguments.values) or ())
    wanted = prediction(compiled.program, names(arguments.values), compiled.pipeline, new)
    files = _chosen(new, wanted, compiled)
    tensorflow.load()
    from ..runtime.prediction import Predicted, predict

    def written(output: str) -> Predicted:
        return predict(compiled, wanted, arguments.checkpoint, files, output, names(arguments.only) or (), tell,
                       arguments.overwrite)  # fmt: skip

    if not arguments.output:
        with TemporaryDirectory() as folder:  # a bad row is found before anything is printed
            written(path := os.path.join(folder, "predictions.csv"))
            with open(path, encoding="utf-8", newline="") as lines:
                copyfileobj(lines, sys.stdout)
        return 0
    made = written(arguments.output)
    if arguments.json:
        show_json({
            "output": arguments.output, "rows": made.rows, "columns": list(made.columns),
            "from": arguments.checkpoint, "data": files,
        })  # fmt: skip
    elif not arguments.quiet:
        tell(f"tfdsl: wrote {counted(made.rows, 'row')} to {arguments.output}")
    return 0


def _files(options: list[str]) -> dict[str, str]:
    """The new files by the names of data sets, "" for one without a name."""
    found: dict[str, str] = {}
    for option in options:
        name, equals, path = option.partition("=")
        name, path = (name.strip(), path) if equals and name.strip().replace(".", "_").isidentifier() else ("", option)
        if name in found:
            raise WrongUse("--data is given twice" + (f" for {name}" if name else ""))
        found[name] = path
    if not found:
        raise WrongUse("give the rows: --data PATH")
    return found


def _chosen(new: Mapping[str, str], wanted: Prediction, compiled: Compiled) -> dict[str, str]:
    """The file of each data set that is fed. A file without a name is for all of them."""
    names = {name: name for name in wanted.data} | {compiled.pipeline(name).learned_by: name for name in wanted.data}
    for name in new:
        if name and name not in names:
            details = {"name": name, "given": ""}
            help = did_you_mean(name, names) or f"these are fed: {listed(names)}"
            raise TfgError([Diagnostic(DATA_UNKNOWN, None, details, help=help)])
    files = {names[name]: path for name, path in new.items() if name}
    left = [name for name in wanted.data if name not in files]
    if left and "" not in new:
        raise WrongUse(f"give the rows of {left[0]} too: --data {left[0]}=PATH")
    return {name: files[name] if name in files else new[""] for name in wanted.data}
