"""The process that converts a frozen graph to ONNX.

Input: `frozen.pb` in the working folder, and a request as JSON on standard input. Output: `model.onnx` beside it, and
a line of JSON on standard output with the nodes that cannot be converted, and the outputs that differ from TensorFlow's
for infinite, NaN or huge inputs.
"""

import json
import logging
import math
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ..types import Operand
from .onnx_handlers import HANDLERS, Lookup, Onnx, Tables
from .orders import carry_out

if TYPE_CHECKING:
    import numpy as np

_OPSET = 18  # the newest that tf2onnx writes
_ROWS = 8  # of inputs
_SMALL, _LARGE = [-7, -3, -2, -1, 2, 3, 5], [-70_000, -300, -128, 0, 1, 255, 300, 70_000]  # integers that are tried
_FLOATS = [-7.0, -2.5, -0.5, -0.0, 0.5, 1.0, 1.5, 2.5]
_LONGEST = 5_000  # milliseconds that TensorFlow has for a trial; a loop may never end for some numbers
_ENDLESS = "AdjustHue"  # nor does this op, for huge ones
_EXTREMES = [math.nan, -1.0, 2.5], [math.inf, -math.inf, 1.0], [-1e30, 1e30, 1.0]
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


def _convert(inputs: list[str], outputs: list[str], tables: Tables, prepare: str) -> None:
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow as tf

    with open("frozen.pb", "rb") as file:
        frozen = tf.compat.v1.GraphDef.FromString(file.read())
    nodes = [*frozen.node, *(node for function in frozen.library.function for node in function.node_def)]
    types = {node.name: node.op for node in nodes}
    failures = _Failures()
    logging.getLogger("tf2onnx").addHandler(failures)
    logging.getLogger("tf2onnx.tfonnx").addHandler(failures)
    apart: list[str] = []
    try:
        model, lacking = converted(frozen, inputs, outputs, tables)
        found = [{"name": node.name, "op": types.get(node.name, node.op_type), "reason": ""} for node in lacking]
        with open("model.onnx", "wb") as file:
            file.write(model)
        if not found:
            words = [key for keys, _ in tables.values() for key in keys]
            different, apart = differences(frozen, model, inputs, outputs, prepare, words)
            reason = "tf2onnx makes a model of it that computes other values"
            found = [{"name": name, "op": "", "reason": reason} for name in different]
    except Exception as error:  # of any kind
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        names = dict.fromkeys(failures.nodes) or {"": None}
        found = [{"name": name, "op": types.get(name, ""), "reason": reason} for name in names]
    print(json.dumps({"onnx": found, "apart": apart}), flush=True)


def converted(frozen: Onnx, inputs: list[str], outputs: list[str], tables: Tables) -> tuple[bytes, list[Onnx]]:
    """The ONNX model of a frozen graph, and its nodes that ONNX lacks."""
    import onnx
    import tensorflow as tf
    import tf2onnx
    from tf2onnx import tf_loader

    definition = tf.compat.v1.GraphDef()
    definition.CopyFrom(frozen)
    for node in [*definition.node, *(node for function in definition.library.function for node in function.node_def)]:
        if _INLINED in node.attr:
            node.attr[_INLINED].b = False  # tf2onnx converts If and While, but not all that they are inlined to
    wanted = {"input_names": [f"{one}:0" for one in inputs], "output_names": [f"{one}:0" for one in outputs]}
    _fix_one_hot(definition)
    _fix_backward_loops(definition)
    with tf.Graph().as_default():  # there is no eager execution in it
        definition = tf_loader.tf_optimize(wanted["input_names"], wanted["output_names"], definition)
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(definition, name="")
        found_by = [op for op in graph.get_operations() if op.type == _LOOKUP and op.inputs[1].shape.rank is not None]
        made = tf2onnx.tfonnx.process_tf_graph(
            graph, opset=_OPSET, extra_opset=[onnx.helper.make_opsetid("ai.onnx.ml", _ML_OPSET)],
            shape_override={op.outputs[0].name: op.inputs[1].shape.as_list() for op in found_by},
            custom_op_handlers={op: (handler, []) for op, handler in [(_LOOKUP, Lookup(tables)), *HANDLERS]},
            tensors_to_rename={f"{one}:0": one for one in (*inputs, *outputs)}, **wanted,
        )  # fmt: skip
        model = tf2onnx.optimizer.optimize_graph(made, catch_errors=True).make_model("tfdsl")
    schemas = {(one.domain, one.name) for one in onnx.defs.get_all_schemas()}
    lacking = [node for node in _nodes(model.graph) if (node.domain, node.op_type) not in schemas]
    return model.SerializeToString(deterministic=True), lacking


def _fix_one_hot(definition: Onnx) -> None:
    """Have OneHot give zeros for an index outside its range, as in TensorFlow. tf2onnx makes it a look-up in a table,
    where a negative index counts from the end. If the new axis is the last one, comparisons take the place of OneHot;
    otherwise, a negative index is an error when the model runs."""
    from tensorflow.core.framework.types_pb2 import DT_INT32
    from tensorflow.python.framework.tensor_util import make_tensor_proto

    for node in [one for one in definition.node if one.op == "OneHot"]:
        (index, depth, on, off), dtype = node.input, node.attr["TI"].type

        def add(op: str, name: str, inputs: list[str], node: Onnx = node, **types: int) -> str:
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


def _fix_backward_loops(definition: Onnx) -> None:
    """Have the results of loops that count down stand in order. tf2onnx stacks what the iterations of a loop write one
    after the other, whatever the index. So they are reversed after it."""
    from tensorflow.core.framework.types_pb2 import DT_INT32
    from tensorflow.python.framework.tensor_util import make_tensor_proto

    nodes = {node.name: node for node in definition.node}
    bodies = {function.signature.name: function for function in definition.library.function}

    def is_backward(stack: Onnx) -> bool:
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


def _nodes(graph: Onnx) -> "Iterator[Onnx]":
    """The nodes of an ONNX graph and of the graphs in it."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            if attribute.HasField("g"):
                yield from _nodes(attribute.g)


def differences(
    frozen: Onnx, model: bytes, inputs: list[str], outputs: list[str], prepare: str, words: list[str | int]
) -> tuple[list[str], list[str]]:
    """The outputs that onnxruntime, if it is installed, computes otherwise than TensorFlow: those that differ for
    ordinary inputs, and those that differ for floats that are infinite, NaN or huge. tf2onnx takes some graphs for
    others that look alike. Inputs that TensorFlow refuses prove nothing."""
    try:
        import onnxruntime
    except ImportError:
        return [], []
    import numpy as np
    import tensorflow as tf

    different, apart = set[str](), set[str]()
    inference: Onnx = onnxruntime.InferenceSession(model)
    with tf.Graph().as_default() as graph, tf.compat.v1.Session() as session:
        tf.import_graph_def(frozen, name="")
        try:
            tensors = {name: graph.get_tensor_by_name(f"{name}:0") for name in inputs}
            trials = list(_trials(tensors, words))
            session.run(prepare or [])
        except (tf.errors.OpError, ValueError):  # ValueError: a shape is unknown
            return [], []
        is_endless = any(node.op == _ENDLESS for node in frozen.node)
        limit = tf.compat.v1.RunOptions(timeout_in_ms=_LONGEST)
        for fed, size in trials:
            if is_endless and size == math.inf:
                continue
            try:
                given = {f"{name}:0": one for name, one in fed.items()}
                wanted = session.run([f"{name}:0" for name in outputs], given, limit)
            except tf.errors.OpError:
                continue
            for name, one, other in zip(outputs, inference.run(outputs, fed), wanted, strict=True):
                near = 1e-4 * (size if size < math.inf else 1) if other.dtype.kind == "f" else 0
                is_same = other.dtype.kind == "O" or (
                    one.shape == other.shape and np.allclose(one, other, rtol=1e-3, atol=near, equal_nan=True)
                )
                if not is_same:
                    (different if size < math.inf else apart).add(name)
    return [name for name in outputs if name in different], [name for name in outputs if name in apart - different]


def _trials(tensors: dict[str, Operand], words: list[str | int]) -> "Iterator[tuple[dict[str, np.ndarray], float]]":
    """Inputs to try a model with, and how large their numbers are: random ones, then each input in turn with numbers
    that ops are at odds about."""
    import numpy as np
    import tensorflow as tf

    random = np.random.default_rng(1)
    texts = np.array([one for one in words if isinstance(one, str)] or ["a"], object)
    shapes = {name: [_ROWS if one is None else one for one in made.shape.as_list()] for name, made in tensors.items()}
    dtypes = {name: made.dtype.as_numpy_dtype for name, made in tensors.items()}

    def ordinary(name: str) -> np.ndarray:
        if tensors[name].dtype == tf.string:
            return random.choice(texts, shapes[name])
        if tensors[name].dtype.is_floating:
            return random.normal(size=shapes[name]).astype(dtypes[name])
        return random.integers(0, 2, shapes[name]).astype(dtypes[name])

    def put(name: str, values: Sequence[float]) -> dict[str, np.ndarray]:
        return plain | {name: np.resize(random.permutation(values), shapes[name]).astype(dtypes[name])}

    plain = {name: ordinary(name) for name in tensors}
    yield plain, 1
    for name, made in tensors.items():  # a division takes no 0 in any of them
        plain[name] = np.ones(shapes[name], dtypes[name]) if made.dtype.is_integer else plain[name]
    for name, made in tensors.items():
        if made.dtype.is_integer:
            for some in (_SMALL, _LARGE):
                fitting = [one for one in some if made.dtype.min <= one <= made.dtype.max]
                yield put(name, fitting), max(map(abs, fitting))
        elif made.dtype.is_floating:
            yield put(name, _FLOATS), max(map(abs, _FLOATS))
            for some in _EXTREMES:
                yield put(name, some), np.inf


if __name__ == "__main__":
    carry_out(_convert)
