"""The graph of an exported model: the part of a built graph that its signatures need.

It has no data and, unless a signature takes steps, no optimizer. Data that the outputs need becomes constants, so that
the model is self-contained. The graph is a copy in a session of its own, in which the variables have the values that
they have in the session of the program.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

from ...data.learned import Fitted
from ...diagnostics import EXPORT_TOO_LARGE
from ...lowering.built import BuiltGraph
from ...lowering.data import make_constants
from ...lowering.definitions import op_name
from ...lowering.failures import failure
from ...lowering.tf import SignatureDef, tf, v1
from ...program import Export, Signature
from ...program.signature import input_names
from ...quiet import unlogged
from .data_graph import DataGraph, data_graph

_MOST_DATA = 2_000_000_000  # bytes; the rest of the 2 GiB limit is for the graph
SAVE = "save"  # the signature that saves the variables of a model with steps


@dataclass(frozen=True, slots=True)
class Model:
    """The graph of a model in an open session. `prepare` is the op that prepares its tables, if it has some."""

    graph: tf.Graph
    session: v1.Session
    signatures: Mapping[str, SignatureDef]
    saver: v1.train.Saver
    prepare: tf.Operation | None


@contextmanager
def opened_model(
    built: BuiltGraph, values: Mapping[str, object], statement: Export, fitted: Callable[[str], Fitted]
) -> Iterator[Model]:
    """The model of a statement. `values` has those of the variables by name, and `fitted` returns what a data set has
    learned."""
    given = [built.tensor(ref) for _, ref in statement.outputs]
    steps = [built.operation(ref) for one in statement.signatures for ref in one.steps]
    taken = [built.tensor(ref) for _, ref in statement.inputs]
    variables = list(exported(built, statement).values())
    meta = _pruned(built.graph, variables, [tensor.op for tensor in (*given, *taken)] + steps)
    made = _with_fields(meta.graph_def, built, statement, fitted) if statement.made else None
    needed = [tensor.op.name for tensor in given] + [step.name for step in steps]
    _with_data(meta.graph_def, built, needed, taken, statement)
    with unlogged(), tf.Graph().as_default() as graph, v1.Session(graph=graph) as copy:
        v1.train.import_meta_graph(meta, clear_devices=True)
        for variable in graph.get_collection("variables"):
            copy.run(variable.initializer, {variable.initial_value: values[variable.op.name]})
        definition = graph.as_graph_def() if steps else v1.GraphDef()
        signatures = {one.name: _signature(built, one, statement, made, definition) for one in statement.signatures}
        saver = v1.train.Saver(graph.get_collection("variables"), allow_empty=True)
        if steps and SAVE not in signatures:
            saver_def = saver.as_saver_def()
            path, saved = (graph.get_tensor_by_name(one) for one in (saver_def.filename_tensor_name,
                                                                     saver_def.save_tensor_name))  # fmt: skip
            signatures[SAVE] = _defined({"path": path}, {"path": saved})
        prepare = graph.get_operation_by_name(made.prepare) if made and made.prepare else None
        yield Model(graph, copy, signatures, saver, prepare)


def exported(built: BuiltGraph, statement: Export) -> dict[str, tf.Variable]:
    """The variables that a model needs, by name, including those of optimizers."""
    names = {built.tensor(ref).name for _, ref in statement.outputs}
    names |= {f"^{built.operation(ref).name}" for one in statement.signatures for ref in one.steps}
    reached = set(built.copier.reached(names, frozenset(built.tensor(ref).name for ref in statement.given)))
    return {one.op.name: one for one in built.graph.get_collection("variables") if one.op.name in reached}


def _signature(
    built: BuiltGraph, one: Signature, statement: Export, made: DataGraph | None, definition: v1.GraphDef
) -> SignatureDef:
    """A signature in the default graph. The `definition` is that of this graph."""
    graph = v1.get_default_graph()
    tensors = {name: built.tensor(ref).name for name, ref in one.inputs}
    if made is not None:
        reached = built.program.reach(one.executes)
        columns = dict.fromkeys(name for ref, _ in statement.made if ref.node in reached for name in made.columns[ref])
        tensors |= {name: made.inputs[name] for name in columns}
    names = input_names(tensors)
    inputs = {names[name]: graph.get_tensor_by_name(tensor) for name, tensor in tensors.items()}
    if one.steps:
        return _defined(inputs, _stepped(built, one, definition))
    return _defined(inputs, {name: graph.get_tensor_by_name(built.tensor(ref).name) for name, ref in one.outputs})


def _defined(inputs: Mapping[str, tf.Tensor], outputs: Mapping[str, tf.Tensor]) -> SignatureDef:
    made = [
        {name: v1.saved_model.build_tensor_info(tensor) for name, tensor in some.items()} for some in (inputs, outputs)
    ]
    takes_examples = len(inputs) == 1 and [one.dtype for name, one in inputs.items() if name == "inputs"] == [tf.string]
    method = v1.saved_model.PREDICT_METHOD_NAME
    if takes_examples and outputs.keys() <= {"classes", "scores"}:
        method = v1.saved_model.CLASSIFY_METHOD_NAME
    elif takes_examples and outputs.keys() == {"outputs"}:
        method = v1.saved_model.REGRESS_METHOD_NAME
    return v1.saved_model.build_signature_def(*made, method)


def _stepped(built: BuiltGraph, one: Signature, definition: v1.GraphDef) -> dict[str, tf.Tensor]:
    """The outputs of a signature that takes steps. It computes them, and the steps, in a copy of what it needs of the
    graph: there `training` is true. The copy has the same variables, tables and placeholders."""
    graph, training = v1.get_default_graph(), built.program.training
    steps = [built.operation(ref).name for ref in one.steps]
    tensors = {name: built.tensor(ref).name for name, ref in one.outputs}
    with unlogged():
        part = v1.graph_util.extract_sub_graph(definition, sorted({*map(op_name, tensors.values()), *steps}))
    shared: dict[str, tf.Tensor] = {}
    for node in part.node:
        node.attr.pop("_class", None)  # in the copy, the op that it is colocated with has another name
        outputs = graph.get_operation_by_name(node.name).outputs
        if node.op.startswith("Placeholder") or (not node.input and outputs and _is_state(outputs[0].dtype)):
            shared[outputs[0].name] = outputs[0]
    if training is not None and (name := built.tensor(training).name) in shared:
        shared[name] = tf.constant(True)
    left = {op_name(name) for name in shared} - {op_name(name) for name in tensors.values()}
    kept = [node for node in part.node if node.name not in left]
    part.ClearField("node")
    part.node.extend(kept)
    used = {full for node in kept for full in map(_full, node.input)}
    found = tf.import_graph_def(
        part, {name: tensor for name, tensor in shared.items() if name in used}, [*tensors.values(), *steps],
        name="".join(c if c.isascii() and c.isalnum() else "_" for c in one.name).lstrip("_") or "step",
    )  # fmt: skip
    with tf.control_dependencies(found[len(tensors) :]):
        return {name: tf.identity(value) for name, value in zip(tensors, found)}


def _full(name: str) -> str:
    return name if ":" in name or name.startswith("^") else f"{name}:0"


def _is_state(dtype: tf.DType) -> bool:
    return dtype == tf.resource or dtype._is_ref_dtype


def _pruned(graph: tf.Graph, variables: list[tf.Variable], operations: list[tf.Operation]) -> v1.MetaGraphDef:
    """The part of a graph that executes some operations, with the ops that initialise and read its variables."""
    with graph.as_default():
        kept = [variable.to_proto() for variable in variables]
    wanted = {operation.name for operation in operations}
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
