"""`tfdsl export`: a trained model as a file or folder for other programs.

Input: a compiled program, an `Export` of one of its graphs, and a checkpoint. Output: a SavedModel, a frozen graph or
an ONNX model, and its signatures, as other programs see them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import assert_never

from ..access import TRUSTED, AccessRefused
from ..data.learned import Fitted
from ..diagnostics import EXPORT_TOO_LARGE, WRITE_EXISTS, WRITE_FAILED, Diagnostic, TfgError
from ..diagnostics.spelling import counted, listed
from ..lowering.built import BuiltGraph
from ..lowering.failures import failure, reason_of
from ..lowering.tf import SignatureDef, tf
from ..program import Export, Ref, Session
from ..program.forms import Form
from ..record import replace
from .execution.execution import Execution
from .files.frozen import FrozenGraph, frozen
from .files.model import Model, exported, opened_model
from .files.saved_model import write_model
from .files.written import NotWritten, replacing
from .options import Options
from .program import RunnableProgram
from .result import Result
from .run_context import RunContext
from .session import opened
from .trained import argument, learned_of, restored, stored, tell_data

Converter = Callable[[FrozenGraph, BuiltGraph], bytes]
_MOST = 2_000_000_000  # bytes of a graph in one file


@dataclass(frozen=True, slots=True)
class ExportedSignature:
    """A signature of a written model: its inputs and outputs, with the dtypes and shapes that callers see."""

    name: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ExportedModel:
    """What was written. `prepare` is the op of a frozen graph to execute once, "" if there is none."""

    signatures: tuple[ExportedSignature, ...]
    prepare: str = ""


def export(
    compiled: RunnableProgram, graph: str, statement: Export, checkpoint: str | None, path: str, form: Form,
    note: Callable[[str], None], overwrite: bool, to_onnx: Converter, inference: RunnableProgram,
) -> ExportedModel:  # fmt: skip
    """Write the model of a statement, with the variables of a checkpoint or, without one, with their initial values.
    `to_onnx` converts a frozen graph. `inference` is the part of the program that a frozen graph is made of."""
    built, place = compiled.built(graph), argument("-o", path)
    statement = replace(statement, origin=place)
    trains = any(one.steps for one in statement.signatures)
    plan = Session("", graph, checkpoint is None or trains, (), place)
    context = RunContext(
        Options(note=note), Result(compiled.program.path, {}), compiled.array, compiled.learned, compiled.fitted,
        TRUSTED, None, None,
    )  # fmt: skip
    with opened(plan, built, context) as session:
        run = session.run
        variables = exported(built, statement)
        saved: Mapping[str, Fitted] = {}
        if checkpoint is not None:
            saved = _restored(run, statement, checkpoint, note)
            outputs = [("the model", ref) for one in statement.signatures for ref in one.executes]
            tell_data(compiled, run.built.program, outputs, statement.given, note)
        elif variables:
            note(f"tfdsl: without --from, {_these(list(variables))} the initial values of the program")

        def fitted(name: str) -> Fitted:
            return compiled.fitted(name) if checkpoint is None else learned_of(compiled, name, checkpoint, saved, note)

        match form:
            case "savedmodel":
                signatures = write_model(built, run.session, statement, path, TRUSTED, fitted)
                return ExportedModel(tuple(_shown(name, one) for name, one in signatures.items()))
            case "graphdef" | "onnx":
                values, own = run.session.run(variables), inference.built(graph)
                with opened_model(own, values, statement, fitted) as model:
                    return _written(own, model, statement, path, form, overwrite, to_onnx)
            case _:
                assert_never(form)


def _these(names: list[str]) -> str:
    return f"the {counted(len(names), 'variable')} {'have' if len(names) > 1 else 'has'}"


def _restored(run: Execution, statement: Export, checkpoint: str, note: Callable[[str], None]) -> dict[str, Fitted]:
    """Restore the variables of a model, and those of its optimizers if the checkpoint has them. Returns what data sets
    have learned."""
    origin, program = argument("--from", checkpoint), run.built.program
    refs = [ref for one in statement.signatures for ref in one.executes]
    with stored(run, checkpoint, origin) as prefix:
        saved = restored(run, program.reach(refs, statement.given), prefix, checkpoint, origin)
        own = {run.built.value(Ref(node.id)).op.name for node in program.variables()}
        slots = exported(run.built, statement).keys() - own
        if slots:
            left = sorted(slots.intersection(name for name, _ in run.savers.read_matching(run.session, prefix)))
            if left:
                note(f"tfdsl: {checkpoint} has no {listed(left)}, so the optimizer begins afresh")
        return saved


def _written(
    built: BuiltGraph, model: Model, statement: Export, path: str, form: Form, overwrite: bool, to_onnx: Converter
) -> ExportedModel:
    """Write the frozen graph of the only signature of a model, or what it is converted to."""
    ((name, one),) = model.signatures.items()
    found = frozen(model, name)
    size = found.definition.ByteSize()
    if size > _MOST:
        raise failure(EXPORT_TOO_LARGE, statement.origin, what=listed(one.outputs), size=size / 1e9)
    content = to_onnx(found, built) if form == "onnx" else found.definition.SerializeToString(deterministic=True)
    try:
        with replacing(path, TRUSTED, overwrite) as file:
            file.write(content)
    except NotWritten:
        raise TfgError([Diagnostic(WRITE_EXISTS, None, {"path": path})]) from None
    except AccessRefused as error:
        raise TfgError([Diagnostic(error.message, None, error.details)]) from None
    except OSError as error:
        raise TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": reason_of(error)})]) from error
    shown = _shown(name, one)
    renamed = ExportedSignature(
        name, dict(zip(found.inputs, shown.inputs.values(), strict=True)),
        dict(zip(found.outputs, shown.outputs.values(), strict=True)),
    )  # fmt: skip
    return ExportedModel((renamed,), found.prepare if form == "graphdef" else "")


def _shown(name: str, signature: SignatureDef) -> ExportedSignature:
    sides = ({one: _type(some[one]) for one in sorted(some)} for some in (signature.inputs, signature.outputs))
    return ExportedSignature(name, *sides)


def _type(info) -> str:
    dtype = tf.as_dtype(info.dtype).name
    if info.tensor_shape.unknown_rank:
        return f"{dtype}[...]"
    sizes = ", ".join("?" if dim.size < 0 else str(dim.size) for dim in info.tensor_shape.dim)
    return f"{dtype}[{sizes}]" if sizes else dtype
