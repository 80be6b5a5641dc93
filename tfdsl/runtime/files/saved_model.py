"""`export`: a SavedModel of some tensors, with the current values of the variables.

The folder is written beside its final place and moved there when it is complete. It has only the part of the graph that
the outputs need, so no training data and no optimizer. `tf.saved_model.load` and TensorFlow Serving can read it. Data
that the outputs need becomes constants, so that the model is self-contained.

The next export replaces a model if it is unchanged, according to the list of files inside it. Anything else at the path
is left alone.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count

from ...access import Access, AccessRefused, Folder
from ...data.learned import Fitted
from ...diagnostics import EXPORT_EXISTS, EXPORT_TOO_LARGE, WRITE_FAILED
from ...lowering.built import BuiltGraph
from ...lowering.data import make_constants
from ...lowering.definitions import op_name
from ...lowering.failures import failure, plain_reason
from ...lowering.tf import SignatureDef, tf, v1
from ...program import Export, Ref, Signature
from ...program.signature import input_names
from ...quiet import unlogged
from .data_graph import DataGraph, data_graph

_EXTRA, _LIST = "assets.extra", "tfdsl.json"  # the folder for extra files in a SavedModel; the list of its files
_MOST_LIST = 1_000_000  # bytes
_MOST_DATA = 2_000_000_000  # bytes; the rest of the 2 GiB limit is for the graph


def write_model(
    built: BuiltGraph, session: v1.Session, statement: Export, path: str, access: Access,
    fitted: Callable[[str], Fitted],
) -> None:  # fmt: skip
    """Write the SavedModel of a statement. It replaces an earlier one at the path that tfdsl exported. `fitted` returns
    what a data set has learned."""
    try:
        folder, name = access.beside(path, create=True)
    except AccessRefused as error:
        raise failure(error.message, statement.origin, **error.details) from None
    except OSError as error:
        raise failure(WRITE_FAILED, statement.origin, path=path, reason=plain_reason(error)) from error
    with folder:
        try:
            fault = _fault(folder, name)
            if fault:
                raise failure(EXPORT_EXISTS, statement.origin, path=path, reason=fault)
            with _work_folder(folder, name) as inside:
                _write(built, session, statement, os.path.join(inside.path, "new"), fitted)
                _list_files(inside)
                if folder.has(name):
                    folder.rename(name, "old", inside)
                    fault = _fault(inside, "old")
                    if fault:  # something else was put there meanwhile
                        inside.rename("old", name, folder)
                        raise failure(EXPORT_EXISTS, statement.origin, path=path, reason=fault)
                inside.rename("new", name, folder)
        except (OSError, AccessRefused, tf.errors.OpError) as error:
            reason = folder.named(plain_reason(error))
            raise failure(WRITE_FAILED, statement.origin, path=path, reason=reason) from error


@contextmanager
def _work_folder(folder: Folder, name: str) -> Iterator[Folder]:
    """A new folder beside the place of a model. It is removed at the end, unless it contains a model that is not
    ours."""
    work = f".{name}-{os.urandom(8).hex()}"
    with folder.folder(work, exclusive=True) as inside:
        try:
            yield inside
        finally:
            with suppress(OSError):
                if not _fault(inside, "old"):
                    shutil.rmtree("old", ignore_errors=True, dir_fd=inside.fd)
                shutil.rmtree("new", ignore_errors=True, dir_fd=inside.fd)
                os.rmdir(work, dir_fd=folder.fd)


def _fault(folder: Folder, name: str) -> str:
    """Why an export must not replace what is at the path. "" if it is nothing, an empty folder, or an unchanged
    model."""
    if not folder.has(name):
        return ""
    foreign = "it is not a model exported by tfdsl"
    try:
        with folder.folder(name) as there:
            if not there.names():
                return ""
            try:
                listed = _listed(there)
            except (OSError, ValueError):
                return foreign
            return "" if _digests(there) == listed else "it has changed since tfdsl exported it"
    except AccessRefused as error:
        return f"{error.details['path']} is {error.details['what']}"
    except OSError:  # a link or a file
        return foreign


def _digests(folder: Folder, at: str = "") -> dict[str, str]:
    """The files below a folder, except the list, with their digests. Raises `AccessRefused` for irregular files."""
    result = {}
    for name in folder.names():
        path = f"{at}{name}"
        if os.path.isdir(os.path.join(folder.path, name)) and not os.path.islink(os.path.join(folder.path, name)):
            with folder.folder(name) as below:
                result |= _digests(below, f"{path}/")
        elif path != f"{_EXTRA}/{_LIST}":
            with folder.reading(name) as file:
                result[path] = hashlib.file_digest(file, "sha256").hexdigest()
    return result


def _listed(folder: Folder) -> object:
    with folder.folder(_EXTRA) as extra, extra.reading(_LIST) as file:
        return json.loads(file.read(_MOST_LIST))


def _list_files(work: Folder) -> None:
    with work.folder("new") as new, new.folder(_EXTRA, create=True) as extra, extra.creating(_LIST) as file:
        file.write(json.dumps(_digests(new), indent=1).encode())


def exported(built: BuiltGraph, statement: Export) -> dict[str, tf.Variable]:
    """The variables that a model needs, by name."""
    program = built.program
    reached = program.reach([ref for _, ref in statement.outputs], statement.given)
    ids = [id for id in sorted(reached) if program.nodes[id].is_variable]
    return {variable.op.name: variable for variable in (built.value(Ref(id)) for id in ids)}


def _write(
    built: BuiltGraph, session: v1.Session, statement: Export, folder: str, fitted: Callable[[str], Fitted]
) -> None:
    given = [built.tensor(ref) for _, ref in statement.outputs]
    taken = [built.tensor(ref) for _, ref in statement.inputs]
    variables = list(exported(built, statement).values())
    values = session.run(variables)
    meta = _pruned(built.graph, variables, [*given, *taken])
    made = _with_fields(meta.graph_def, built, statement, fitted) if statement.made else None
    _with_data(meta.graph_def, built, [tensor.op.name for tensor in given], taken, statement)
    with unlogged(), tf.Graph().as_default() as graph, v1.Session(graph=graph) as copy:
        v1.train.import_meta_graph(meta, clear_devices=True)
        for variable, value in zip(graph.get_collection("variables"), values, strict=True):
            copy.run(variable.initializer, {variable.initial_value: value})
        columns = made.inputs if made else {}
        signatures = {one.name: _signature(graph, built, one, columns) for one in statement.signatures}
        prepare = graph.get_operation_by_name(made.prepare) if made and made.prepare else None
        builder = v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            copy,
            ["serve"],
            signatures,
            strip_default_attrs=True,
            clear_devices=True,
            main_op=prepare,
        )
        builder.save()


def _signature(graph: tf.Graph, built: BuiltGraph, one: Signature, columns: Mapping[str, str]) -> SignatureDef:
    """A signature for the copy of a graph. `columns` has more inputs of the signature, by name."""
    tensors = {name: built.tensor(ref).name for name, ref in one.inputs} | dict(columns)
    names = input_names(tensors)
    inputs = {names[name]: tensor for name, tensor in tensors.items()}
    outputs = {name: built.tensor(ref).name for name, ref in one.outputs}
    made = [
        {name: v1.saved_model.build_tensor_info(graph.get_tensor_by_name(tensor)) for name, tensor in some.items()}
        for some in (inputs, outputs)
    ]
    takes_examples = [info.dtype for name, info in made[0].items() if name == "inputs"] == [tf.string.as_datatype_enum]
    method = v1.saved_model.PREDICT_METHOD_NAME
    if takes_examples and len(inputs) == 1 and outputs.keys() <= {"classes", "scores"}:
        method = v1.saved_model.CLASSIFY_METHOD_NAME
    elif takes_examples and len(inputs) == 1 and outputs.keys() == {"outputs"}:
        method = v1.saved_model.REGRESS_METHOD_NAME
    return v1.saved_model.build_signature_def(*made, method)


def _pruned(graph: tf.Graph, variables: list[tf.Variable], tensors: list[tf.Tensor]) -> v1.MetaGraphDef:
    """The part of a graph that computes some tensors, with the ops that initialise and read its variables."""
    with graph.as_default():
        kept = [variable.to_proto() for variable in variables]
    wanted = {tensor.op.name for tensor in tensors}
    for proto in kept:
        names = proto.variable_name, proto.initializer_name, proto.snapshot_name, proto.initial_value_name
        wanted |= set(map(op_name, names))
    meta = v1.MetaGraphDef()
    with unlogged():
        meta.graph_def.CopyFrom(v1.graph_util.extract_sub_graph(graph.as_graph_def(), sorted(wanted)))
    if kept:
        serialized = [proto.SerializeToString() for proto in kept]
        meta.collection_def["variables"].bytes_list.value.extend(serialized)
    return meta


def _with_fields(
    definition: v1.GraphDef, built: BuiltGraph, statement: Export, fitted: Callable[[str], Fitted]
) -> DataGraph:
    """Add the graph that makes fields of data. Their placeholders take the values from there."""
    names = {node.name.partition("/")[0] for node in definition.node}
    scope = next(one for number in count() if (one := f"data_{number}" if number else "data") not in names)
    types = {ref: built.program.type(ref) for ref, _ in statement.made}
    made = data_graph(statement, types, fitted, scope)
    values = {built.tensor(ref).op.name: value for ref, value in made.values.items()}
    for node in definition.node:
        if node.name in values:
            dtype = node.attr["dtype"].type
            node.op = "Identity"
            node.ClearField("attr")
            node.attr["T"].type = dtype
            node.input[:] = [op_name(values[node.name])]
    definition.node.extend(made.definition.node)
    return made


def _with_data(
    definition: v1.GraphDef, built: BuiltGraph, outputs: list[str], taken: Iterable[tf.Tensor], statement: Export
) -> None:
    """Replace the data that outputs need by constants."""
    nodes = {node.name: node for node in definition.node}
    fed = {tensor.op.name for tensor in taken}
    data = {tensor.op.name: array for tensor, array in built.data.feeds.items() if tensor.op.name not in fed}
    reached, todo = set(), list(outputs)
    while todo:
        name = op_name(todo.pop())
        if name not in reached | fed:
            reached.add(name)
            todo += nodes[name].input
    size = sum(data[name].nbytes for name in reached & data.keys())
    if size > _MOST_DATA:
        what = " and ".join(name for name, _ in statement.outputs)
        raise failure(EXPORT_TOO_LARGE, statement.origin, what=what, size=size / 1e9)
    make_constants(definition, {name: data[name] for name in reached & data.keys()})
