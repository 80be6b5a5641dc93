"""`export`: a SavedModel of what some tensors need, with the values that the variables have now.

The folder is written beside its place and moved there when it is whole. Only the part of the graph that the
outputs need is in it, so no training data, no optimizer; `tf.saved_model.load` and TensorFlow Serving read it. Data
that the outputs do need is in it as constants, so that the model stands alone.
"""

import os
import tempfile

from ..diagnostics import EXPORT_EXISTS, EXPORT_TOO_LARGE, WRITE_FAILED
from ..lowering.data import make_constants
from ..lowering.failures import failure, plain_reason
from ..lowering.graph import BuiltGraph
from ..lowering.tf import tf, v1
from ..program import Export, Ref

_FILE = "saved_model.pb"
_MOST_DATA = 2_000_000_000  # bytes; the rest of a definition of 2 GiB is for all else


def export(built: BuiltGraph, session: v1.Session, statement: Export, path: str) -> None:
    """Write the SavedModel of a statement; an earlier one at the path is replaced."""
    path = os.path.abspath(path)
    is_ours = os.path.exists(os.path.join(path, _FILE))
    is_free = not os.path.lexists(path) or (os.path.isdir(path) and not os.listdir(path))
    if not is_ours and not is_free:
        raise failure(EXPORT_EXISTS, statement.origin, path=path)
    folder = os.path.dirname(path)
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{os.path.basename(path)}-", dir=folder) as work:
            new, old = os.path.join(work, "new"), os.path.join(work, "old")
            _write(built, session, statement, new)
            if os.path.lexists(path):
                os.rename(path, old)
            os.rename(new, path)
    except (OSError, tf.errors.OpError) as error:
        raise failure(WRITE_FAILED, statement.origin, path=path, reason=plain_reason(error)) from error


def _write(built: BuiltGraph, session: v1.Session, statement: Export, folder: str) -> None:
    program = built.program
    given = {name: built.tensor(ref) for name, ref in statement.outputs}
    taken = {name: built.tensor(ref) for name, ref in statement.inputs}
    reached = program.reach([ref for _, ref in statement.outputs], frozenset(ref for _, ref in statement.inputs))
    variables = [built.value(Ref(id)) for id in sorted(reached) if program.nodes[id].op in ("variable", "shared")]
    values = session.run(variables)
    meta = _pruned(built.graph, variables, [*given.values(), *taken.values()])
    _with_data(meta.graph_def, built, [tensor.op.name for tensor in given.values()], taken.values(), statement)
    with tf.Graph().as_default() as graph, v1.Session(graph=graph) as copy:
        v1.train.import_meta_graph(meta)
        for variable, value in zip(graph.get_collection("variables"), values, strict=True):
            copy.run(variable.initializer, {variable.initial_value: value})
        signature = v1.saved_model.predict_signature_def(
            *({name: graph.get_tensor_by_name(t.name) for name, t in some.items()} for some in (taken, given))
        )
        builder = v1.saved_model.Builder(folder)
        builder.add_meta_graph_and_variables(
            copy, ["serve"], {"serving_default": signature}, strip_default_attrs=True, clear_devices=True
        )
        builder.save()


def _pruned(graph: tf.Graph, variables: list[tf.Variable], tensors: list[tf.Tensor]) -> v1.MetaGraphDef:
    """The part of a graph that computes some tensors, with what initialises and reads its variables."""
    with graph.as_default():
        kept = [variable.to_proto() for variable in variables]
    wanted = {tensor.op.name for tensor in tensors}
    for proto in kept:
        names = proto.variable_name, proto.initializer_name, proto.snapshot_name, proto.initial_value_name
        wanted |= {name.partition(":")[0] for name in names}
    meta = v1.MetaGraphDef()
    meta.graph_def.CopyFrom(v1.graph_util.extract_sub_graph(graph.as_graph_def(), sorted(wanted)))
    if kept:
        serialized = [proto.SerializeToString() for proto in kept]
        meta.collection_def["variables"].bytes_list.value.extend(serialized)
    return meta


def _with_data(definition: v1.GraphDef, built: BuiltGraph, outputs: list[str], taken, statement: Export) -> None:
    """Put constants in the place of the data that outputs are made of."""
    nodes = {node.name: node for node in definition.node}
    fed = {tensor.op.name for tensor in taken}
    data = {tensor.op.name: array for tensor, array in built.data.feeds.items() if tensor.op.name not in fed}
    reached, todo = set(), list(outputs)
    while todo:
        name = todo.pop().removeprefix("^").partition(":")[0]
        if name not in reached | fed:
            reached.add(name)
            todo += nodes[name].input
    size = sum(data[name].nbytes for name in reached & data.keys())
    if size > _MOST_DATA:
        what = " and ".join(name for name, _ in statement.outputs)
        raise failure(EXPORT_TOO_LARGE, statement.origin, what=what, size=size / 1e9)
    make_constants(definition, {name: data[name] for name in reached & data.keys()})
