"""The process that converts a frozen graph to ONNX.

Input: `frozen.pb` in the working folder, and a request as JSON on standard input. Output: `model.onnx` beside it, and
a line of JSON on standard output with the nodes that cannot be converted.
"""

import json
import logging
import os
from collections.abc import Iterator
from typing import Any

from .orders import carry_out

_OPSET = 18  # the newest that tf2onnx writes
_ROWS = 4  # of random inputs
_ML_OPSET = 3  # of the tables
_INLINED = "_lower_using_switch_merge"
_LOOKUP = "LookupTableFindV2"


class _Failures(logging.Handler):
    """Collects the nodes that tf2onnx reports."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.nodes: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg.startswith("Failed to convert node") and isinstance(record.args, tuple):
            self.nodes.append(str(record.args[0]))


# Messages of tf2onnx have any type.
def _convert(inputs: list[str], outputs: list[str], tables: dict[str, list[Any]], prepare: str) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import onnx
    import tensorflow as tf
    import tf2onnx
    from tf2onnx import tf_loader

    definition = tf.compat.v1.GraphDef()
    with open("frozen.pb", "rb") as file:
        definition.ParseFromString(file.read())
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    types = {node.name: node.op for node in nodes}
    for node in nodes:
        if _INLINED in node.attr:
            node.attr[_INLINED].b = False  # tf2onnx converts If and While, but not all that they are inlined to
    failures = _Failures()
    logging.getLogger("tf2onnx").addHandler(failures)
    logging.getLogger("tf2onnx.tfonnx").addHandler(failures)
    wanted = {"input_names": [f"{one}:0" for one in inputs], "output_names": [f"{one}:0" for one in outputs]}
    found: list[dict[str, str]] = []
    try:
        _fix_one_hot(definition)
        _fix_backward_loops(definition)
        with tf.Graph().as_default():  # there is no eager execution in it
            definition = tf_loader.tf_optimize(wanted["input_names"], wanted["output_names"], definition)
        with tf.Graph().as_default() as graph:
            tf.import_graph_def(definition, name="")
            found_by = [
                op for op in graph.get_operations() if op.type == _LOOKUP and op.inputs[1].shape.rank is not None
            ]
            made = tf2onnx.tfonnx.process_tf_graph(
                graph, opset=_OPSET, extra_opset=[onnx.helper.make_opsetid("ai.onnx.ml", _ML_OPSET)],
                shape_override={op.outputs[0].name: op.inputs[1].shape.as_list() for op in found_by},
                custom_op_handlers={
                    _LOOKUP: (_Lookup(tables), []), "Equal": (_compared, []), "NotEqual": (_compared, []),
                },
                tensors_to_rename={f"{one}:0": one for one in (*inputs, *outputs)}, **wanted,
            )  # fmt: skip
            model = tf2onnx.optimizer.optimize_graph(made, catch_errors=True).make_model("tfdsl")
        schemas = {(one.domain, one.name) for one in onnx.defs.get_all_schemas()}
        lacking = [node for node in _nodes(model.graph) if (node.domain, node.op_type) not in schemas]
        found = [{"name": node.name, "op": types.get(node.name, node.op_type), "reason": ""} for node in lacking]
        with open("model.onnx", "wb") as file:
            file.write(model.SerializeToString(deterministic=True))
        if not found:
            found = _differences(inputs, outputs, prepare, [key for keys, _ in tables.values() for key in keys])
    except Exception as error:  # of any kind
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        names = dict.fromkeys(failures.nodes) or {"": None}
        found = [{"name": name, "op": types.get(name, ""), "reason": reason} for name in names]
    print(json.dumps({"onnx": found}), flush=True)


def _fix_one_hot(definition: Any) -> None:
    """Have OneHot give zeros for an index outside its range, as in TensorFlow. tf2onnx makes it a look-up in a table,
    where a negative index counts from the end. If the new axis is the last one, comparisons take the place of OneHot;
    otherwise, a negative index is an error when the model runs."""
    from tensorflow.core.framework.types_pb2 import DT_INT32
    from tensorflow.python.framework.tensor_util import make_tensor_proto

    for node in [one for one in definition.node if one.op == "OneHot"]:
        (index, depth, on, off), dtype = node.input, node.attr["TI"].type

        def add(op: str, name: str, inputs: list[str], node: Any = node, **types: int) -> str:
            made = definition.node.add(name=f"{node.name}/{name}", op=op, input=inputs)
            for attribute, type in types.items():
                made.attr[attribute].type = type
            return made.name

        def constant(name: str, value: int, type: int) -> str:
            made = add("Const", name, [], dtype=type)
            definition.node[-1].attr["value"].tensor.CopyFrom(make_tensor_proto(value, type))
            return made

        zero = constant("zero", 0, dtype)
        size = add("Cast", "extent", [depth], SrcT=DT_INT32, DstT=dtype)
        if node.attr["axis"].i != -1:
            below = add("Less", "below", [index, zero], T=dtype)
            node.input[0] = add("SelectV2", "place", [below, size, index], T=dtype)
            continue
        places = add("Range", "places", [zero, size, constant("one", 1, dtype)], Tidx=dtype)
        column = add("ExpandDims", "column", [index, constant("last", -1, DT_INT32)], T=dtype, Tdim=DT_INT32)
        is_one = add("Equal", "is_one", [column, places], T=dtype)
        made = node.attr["T"].type
        node.op = "SelectV2"
        node.ClearField("attr")
        node.attr["T"].type = made
        node.input[:] = [is_one, on, off]


def _fix_backward_loops(definition: Any) -> None:
    """Have the results of loops that count down stand in order. tf2onnx stacks what the iterations of a loop write one
    after the other, whatever the index. So they are reversed after it."""
    from tensorflow.core.framework.types_pb2 import DT_INT32
    from tensorflow.python.framework.tensor_util import make_tensor_proto

    nodes = {node.name: node for node in definition.node}
    bodies = {function.signature.name: function for function in definition.library.function}

    def is_backward(stack: Any) -> bool:
        """Whether the list comes from a loop that writes at an index from which it subtracts."""
        name, _, place = stack.input[0].partition(":")
        while nodes[name].op == "Identity":
            name, _, place = nodes[name].input[0].partition(":")
        if nodes[name].op not in ("While", "StatelessWhile"):
            return False
        body = bodies[nodes[name].attr["body"].func.name]
        inner = {node.name: node for node in body.node_def}
        taken, given = ([one.name for one in side] for side in (body.signature.input_arg, body.signature.output_arg))
        written = inner.get(body.ret[given[int(place or 0)]].partition(":")[0])
        if written is None or written.op != "TensorListSetItem" or written.input[1] not in taken:
            return False
        index = written.input[1]
        after = inner.get(body.ret[given[taken.index(index)]].partition(":")[0])
        return after is not None and after.op == "Sub" and after.input[0] == index

    for stack in [node for node in definition.node if node.op == "TensorListStack" and is_backward(node)]:
        name, dtype = stack.name, stack.attr["element_dtype"].type
        stack.name = f"{name}/backward"
        axis = definition.node.add(name=f"{name}/axis", op="Const")
        axis.attr["dtype"].type = DT_INT32
        axis.attr["value"].tensor.CopyFrom(make_tensor_proto([0], DT_INT32))
        made = definition.node.add(name=name, op="ReverseV2", input=[stack.name, axis.name])
        made.attr["T"].type, made.attr["Tidx"].type = dtype, DT_INT32


def _nodes(graph: Any) -> "Iterator[Any]":
    """The nodes of an ONNX graph and of the graphs in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def _differences(inputs: list[str], outputs: list[str], prepare: str, words: list[Any]) -> list[dict[str, str]]:
    """What onnxruntime, if it is installed, computes otherwise than TensorFlow, from random inputs. tf2onnx takes some
    graphs for others that look alike. Inputs that TensorFlow refuses prove nothing."""
    try:
        import onnxruntime
    except ImportError:
        return []
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(1)
    texts = [one for one in words if isinstance(one, str)] or ["a"]

    def made(tensor: Any) -> Any:
        shape = [_ROWS if size is None else size for size in tensor.shape.as_list()]
        if tensor.dtype == tf.string:
            return random.choice(np.array(texts, object), shape)
        if tensor.dtype.is_floating:
            return random.normal(size=shape).astype(tensor.dtype.as_numpy_dtype)
        return random.integers(0, 2, shape).astype(tensor.dtype.as_numpy_dtype)

    with open("frozen.pb", "rb") as file:
        definition = tf.compat.v1.GraphDef.FromString(file.read())
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(definition, name="")
        try:
            fed = {name: made(graph.get_tensor_by_name(f"{name}:0")) for name in inputs}
            session.run(prepare or [])
            wanted = session.run([f"{name}:0" for name in outputs], {f"{name}:0": one for name, one in fed.items()})
        except (tf.errors.OpError, ValueError):  # ValueError: a shape is unknown
            return []
    inference: Any = onnxruntime.InferenceSession("model.onnx")
    found = inference.run(outputs, fed)
    different = [
        name
        for name, one, other in zip(outputs, found, wanted, strict=True)
        if other.dtype.kind != "O"
        and not (one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=1e-4, equal_nan=True))
    ]
    return [
        {"name": name, "op": "", "reason": "tf2onnx makes a model of it that computes other values"}
        for name in different
    ]


class _Lookup:
    """Converts a look-up in a table to a LabelEncoder. tf2onnx knows tables of texts only."""

    def __init__(self, tables: dict[str, list[Any]]):
        self._tables = tables

    def __call__(self, graph: Any, node: Any, name: str, arguments: object) -> None:
        table = node.inputs[0]
        while table.type == "Identity":
            table = table.inputs[0]
        keys, values = self._tables[table.name]
        default = int(node.inputs[2].get_tensor_value())
        kind = "strings" if keys and isinstance(keys[0], str) else "int64s"
        shape, dtype, outputs = graph.get_shape(node.output[0]), graph.get_dtype(node.output[0]), node.output
        source = node.input[1]
        graph.remove_node(node.name)
        attributes = {f"keys_{kind}": keys, "values_int64s": values, "default_int64": default}
        graph.make_node("LabelEncoder", [source], attributes, outputs=outputs, name=name, domain="ai.onnx.ml",
                        shapes=[shape], dtypes=[dtype])  # fmt: skip


def _compared(graph: Any, node: Any, name: str, arguments: object) -> None:
    """Converts a comparison of texts with one constant to a LabelEncoder of that constant. tf2onnx would make integers
    of texts, and the newest opset that it writes compares none."""
    from onnx import TensorProto
    from tf2onnx import constants, handler

    if graph.get_dtype(node.input[0]) != TensorProto.STRING:
        known = handler.tf_op.find_effective_op(node.type, constants.ONNX_DOMAIN)
        assert known is not None  # tf2onnx converts it
        known[0](graph, node)
        return
    constant = next(
        (one for one in node.inputs if one.is_const() and one.get_tensor_value(as_list=False).size == 1), None
    )
    if constant is None:
        raise ValueError("ONNX compares texts with one constant only, not with each other")
    text = constant.get_tensor_value(as_list=False).item()
    source = node.input[1 - node.inputs.index(constant)]
    is_equal = node.type == "Equal"
    shape, dtype, outputs = graph.get_shape(node.output[0]), graph.get_dtype(node.output[0]), node.output
    graph.remove_node(node.name)
    attributes = {
        "keys_strings": [text.decode() if isinstance(text, bytes) else text],
        "values_int64s": [int(is_equal)], "default_int64": int(not is_equal),
    }  # fmt: skip
    found = graph.make_node("LabelEncoder", [source], attributes, domain="ai.onnx.ml", shapes=[shape],
                            dtypes=[TensorProto.INT64])  # fmt: skip
    graph.make_node("Cast", found.output, {"to": dtype}, outputs=outputs, name=name, shapes=[shape], dtypes=[dtype])


if __name__ == "__main__":
    carry_out(_convert)
