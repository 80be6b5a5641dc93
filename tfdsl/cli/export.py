"""`tfdsl export`: a trained model as a SavedModel, a frozen graph or an ONNX model, for other programs."""

import argparse
import os
from functools import partial
from typing import TYPE_CHECKING

from ..analysis.exporting import Wanted, check_constant, declared, of_values, with_only, with_steps, without_training
from ..driver import Compiled
from ..limits import Limits
from ..program import Program, Ref
from ..program.forms import FORMS, OTHERS, form_of
from ..source import Source, Span
from ..syntax import tree as t
from ..syntax.parse import parse, parse_expression
from ..syntax.read import read
from . import tensorflow
from .options import add_program_options, given, names
from .parser import CommandParser
from .report import WrongUse, show_json, tell
from .trained import compiled_for, warn_of_use

if TYPE_CHECKING:
    from ..runtime.exporting import ExportedModel


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Write a trained model for other programs: a SavedModel, a frozen graph or an ONNX model. It is what the "
        "program's 'export' or its signatures say, or the values that --values names."
    )
    parser.add_argument("file", metavar="FILE", help="a .tfg file")
    parser.add_argument("-o", "--output", metavar="OUT", required=True,
                        help="the folder of a SavedModel, a .pb file for a frozen graph, or an .onnx file")  # fmt: skip
    parser.add_argument("--from", metavar="CHECKPOINT", dest="checkpoint",
                        help="the path of a save, or the folder of a training's checkpoints (default: the initial "
                             "values of the variables)")  # fmt: skip
    parser.add_argument("--format", choices=FORMS, help="the form of OUT, if its name does not say it")
    parser.add_argument("--values", metavar="NAMES",
                        help="export these values of the graph half, with commas between them")  # fmt: skip
    parser.add_argument("--with", metavar="X=DATA.FIELD", action="append", default=[], dest="made",
                        help="with --values: compute the placeholder X from columns of data, as in X=houses.features; "
                             "or, as X alone, take a tensor as an input that has a value; can be repeated")  # fmt: skip
    parser.add_argument("--train", action="store_true",
                        help="give a SavedModel a signature that takes a step of the program's optimizer")  # fmt: skip
    parser.add_argument("--signature", metavar="NAME",
                        help="export only this signature, of the export of the program that has it; a frozen graph "
                             "and an ONNX model have one (default: serving_default)")  # fmt: skip
    parser.add_argument("--overwrite", action="store_true",
                        help="replace a file OUT even if tfdsl did not write it, or it was changed since")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="print one JSON object with the signatures")
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings of the program on standard error")
    add_program_options(parser)


def command(arguments: argparse.Namespace) -> int:
    suffix = os.path.splitext(arguments.output)[1].lower()
    if not arguments.format and suffix in OTHERS:
        raise WrongUse(
            f"{arguments.output!r} ends in {suffix}, which is not a form that tfdsl writes; write a folder, a .pb "
            "or an .onnx file, or give --format"
        )
    form = arguments.format or form_of(arguments.output)
    if arguments.made and not arguments.values:
        raise WrongUse("--with belongs to --values")
    if arguments.train and form != "savedmodel":
        raise WrongUse("--train belongs to a SavedModel: the variables of other forms are constants")
    if form == "onnx":
        from .onnx import check_installed

        check_installed()
    compiled, wanted = _compiled(arguments)
    if arguments.train:
        wanted = with_steps(compiled.program, wanted)
    if form != "savedmodel" or arguments.signature:
        wanted = with_only(wanted, arguments.signature)
    if form != "savedmodel":
        check_constant(compiled.program, wanted)
    tensorflow.load()
    from ..runtime.exporting import export
    from .onnx import converted

    def note(line: str) -> None:
        if not arguments.quiet:
            tell(line)

    inference = compiled.of(without_training(compiled.program, wanted))
    made = export(compiled, wanted.graph, wanted.export, arguments.checkpoint, arguments.output, form, note,
                  arguments.overwrite, partial(converted, note), inference)  # fmt: skip
    if arguments.json:
        show_json(_as_json(made, arguments.output, form))
    elif not arguments.quiet:
        tell(f"tfdsl: wrote {arguments.output}")
        for line in _lines(made):
            print(line)
    return 0


def _compiled(arguments: argparse.Namespace) -> tuple[Compiled, Wanted]:
    """The program, and what to export of it."""
    extra = given(arguments)
    inputs = extra.inputs(arguments.file, tensorflow.foreign())
    values = names(arguments.values)
    compiled = compiled_for("export", read(arguments.file, extra.limits), inputs, arguments.checkpoint)
    if not arguments.quiet:
        warn_of_use(compiled, values or ())
    if values is None:
        return compiled, declared(compiled.program, arguments.signature)
    wanted = of_values(compiled.program, values, [text.partition("=")[0].strip() for text in arguments.made])
    if not arguments.made:
        return compiled, wanted
    file = parse(read(arguments.file, extra.limits), extra.limits)
    half = tuple(one for one in file.body if not isinstance(one, t.Session))
    tree = t.File(
        file.span, (*half, _session(file.span, compiled.program, wanted, values, arguments.made, extra.limits))
    )
    compiled = compiled_for("export", tree, inputs, arguments.checkpoint)
    return compiled, declared(compiled.program)


def _session(
    span: Span, program: Program, wanted: Wanted, values: list[str], made: list[str], limits: Limits
) -> t.Session:
    """A session that exports values, with some placeholders made of data."""
    inputs: list[t.ExportInput] = []
    for text in made:
        name, equals, value = text.partition("=")
        if not name.strip() or (equals and not value.strip()):
            raise WrongUse(f"{text!r} is not of the form --with X=DATA.FIELD or --with X")
        place = Span(Source("--with", text, is_argument=True), 0, len(name))
        expression = parse_expression(Source("--with", value.strip(), is_argument=True), limits) if equals else None
        inputs.append(t.ExportInput(place, t.Identifier(place, name.strip()), expression))
    graph = program.graph(wanted.graph)
    known = {named.value: name for name, named in graph.names.items() if isinstance(named.value, Ref)}
    given = {one.target.id for one in inputs}
    inputs += [
        t.ExportInput(span, t.Identifier(span, known[ref]), None)
        for _, ref in wanted.export.inputs
        if ref in known and known[ref] not in given
    ]
    outputs = [parse_expression(Source("--values", name, is_argument=True), limits) for name in values]
    target = t.Identifier(span, graph.name) if graph.name else None
    return t.Session(span, None, target, (t.Export(span, tuple(outputs), tuple(inputs), t.Constant(span, "model")),))


def _as_json(made: "ExportedModel", output: str, form: str) -> dict[str, object]:
    found: dict[str, object] = {
        "output": output, "format": form,
        "signatures": {one.name: {"inputs": dict(one.inputs), "outputs": dict(one.outputs)} for one in made.signatures},
    }  # fmt: skip
    return found | ({"prepare": made.prepare} if made.prepare else {})


def _lines(made: "ExportedModel") -> list[str]:
    """The signatures of a model, as calls."""
    lines = []
    for one in made.signatures:
        sides = (", ".join(f"{name}: {type}" for name, type in side.items()) for side in (one.inputs, one.outputs))
        lines.append("{}({}) -> {}".format(one.name, *sides))
    return [*lines, *([f"run {made.prepare} once in each session: it fills the tables"] if made.prepare else [])]
