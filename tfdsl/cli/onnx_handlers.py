"""Converts ops to ONNX where tf2onnx lacks them or makes other values of them: a function for each.

Each takes tf2onnx's graph and a node of it, and puts nodes of ONNX in its place. tf2onnx is imported where it is
needed, since the process sets up TensorFlow's output first.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Onnx: TypeAlias = Any  # graphs and nodes of tf2onnx and of ONNX, which have no types
Tables: TypeAlias = Mapping[str, list[list[str | int]]]  # by name, the keys and the values


class Lookup:
    """Converts a look-up in a table to a LabelEncoder. tf2onnx knows tables of texts only."""

    def __init__(self, tables: Tables):
        self._tables = tables

    def __call__(self, graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
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


def _compared(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a comparison of texts with one constant to a LabelEncoder of that constant. tf2onnx would make integers
    of texts, and the newest opset that it writes compares none."""
    from onnx import TensorProto

    if graph.get_dtype(node.input[0]) != TensorProto.STRING:
        _as_tf2onnx_does(graph, node)
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


def _floor_div(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a division of integers that rounds down. That of ONNX rounds to zero."""
    if _is_float(graph, node):
        _as_tf2onnx_does(graph, node)
        return
    x, y = node.input
    to_zero = _make(graph, "Div", [x, y])
    of_zero = _make(graph, "Sub", [x, _make(graph, "Mul", [to_zero, y])])
    beyond = _make(graph, "Sub", [_make(graph, "Mod", [x, y]), of_zero])  # 0, or y where it must be one less
    _replace(graph, node, "Sub", [to_zero, _make(graph, "Div", [beyond, y])])


def _floor_mod(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a remainder with the sign of the divisor. tf2onnx computes it of a quotient, which is rounded to zero
    for integers, and too inexact for large floats."""
    x, y = node.input
    if not _is_float(graph, node):
        _replace(graph, node, "Mod", [x, y])
        return
    rest = _make(graph, "Mod", [x, y], fmod=1)  # with the sign of x
    zero = _constant(graph, node, 0)
    signs = _make(graph, "Xor", [_make(graph, "Less", [one, zero]) for one in (rest, y)])
    is_zero = _make(graph, "Equal", [rest, zero])
    moves = _make(graph, "And", [signs, _make(graph, "Not", [is_zero])])
    _replace(graph, node, "Where", [moves, _make(graph, "Add", [rest, y]), rest])


def _extreme(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a maximum or minimum over axes, which is NaN if an element is. onnxruntime leaves NaN out."""
    import numpy as np
    from onnx import TensorProto
    from tf2onnx import utils

    x, axes = node.input
    every = graph.make_const(utils.make_name("shape"), np.array([-1], np.int64)).output[0]
    axes = _make(graph, "Reshape", [_make(graph, "Cast", [axes], to=TensorProto.INT64), every])
    options = {"keepdims": node.get_attr_value("keep_dims", 0), "noop_with_empty_axes": 1}
    op = f"Reduce{node.type}"
    if not _is_float(graph, node):
        _replace(graph, node, op, [x, axes], **options)
        return
    lacking = _make(graph, "Where", [_make(graph, "IsNaN", [x]), x, _constant(graph, node, 0)])
    lacking = _make(graph, "ReduceSum", [lacking, axes], **options)  # 0 or NaN
    _replace(graph, node, "Add", [_make(graph, op, [x, axes], **options), lacking])


def _place_of_extreme(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts the place of a maximum or minimum, for which NaN does not count. It does in onnxruntime."""
    import numpy as np
    from tf2onnx import utils

    if _is_float(graph, node):
        x, is_max = node.input[0], node.type == "ArgMax"
        limits = np.finfo(utils.map_onnx_to_numpy_type(graph.get_dtype(x)))
        worst = _constant(graph, node, limits.min if is_max else limits.max)
        is_better = _make(graph, "Greater" if is_max else "Less", [x, worst])
        graph.replace_input(node, x, _make(graph, "Where", [is_better, x, worst]), 0)
    _as_tf2onnx_does(graph, node)


def _gathered(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a look-up of rows. A negative number is refused when the model runs; in ONNX it counts from the end."""
    if not node.inputs[1].is_const():
        x, places = node.input[:2]
        sizes = None
        if node.type == "GatherV2":
            sizes = _make(graph, "Gather", [_make(graph, "Shape", [x]), node.input[2]])
        elif (shape := graph.get_shape(places)) and shape[-1] > 0:
            sizes = _make(graph, "Shape", [x], start=0, end=shape[-1])
        if sizes is not None:
            dtype = graph.get_dtype(places)
            sizes = _make(graph, "Cast", [sizes], to=dtype)
            zero = _make(graph, "Sub", [sizes, sizes])
            below = _make(graph, "Less", [places, zero])
            graph.replace_input(node, places, _make(graph, "Where", [below, sizes, places]), 1)
    _as_tf2onnx_does(graph, node)


def _chosen(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a choice between elements. tf2onnx makes a sum of products with 0 and 1 of it, which is NaN if one that
    is not taken is infinite or NaN."""
    node.set_attr("handles_nan", True)
    _as_tf2onnx_does(graph, node)
    node.attr.pop("handles_nan", None)


def _scattered(graph: Onnx, node: Onnx, name: str, arguments: object) -> None:
    """Converts a sum of what is written to the same place. tf2onnx has the last one there."""
    _as_tf2onnx_does(graph, node)
    node.set_attr("reduction", "add")


def _as_tf2onnx_does(graph: Onnx, node: Onnx) -> None:
    """Convert a node that tf2onnx gets right."""
    from tf2onnx import constants, handler

    known = handler.tf_op.find_effective_op(node.type, constants.ONNX_DOMAIN)
    assert known is not None  # tf2onnx converts it
    convert, options = known
    op, node.type = node.type, options.get("onnx_op", node.type)
    convert(graph, node, **options, tf_op=op)


def _is_float(graph: Onnx, node: Onnx) -> bool:
    from onnx import TensorProto

    return graph.get_dtype(node.input[0]) in (TensorProto.FLOAT16, TensorProto.FLOAT, TensorProto.DOUBLE)


def _constant(graph: Onnx, node: Onnx, value: float) -> str:
    """A scalar of the dtype of a node's first input."""
    import numpy as np
    from tf2onnx import utils

    dtype = utils.map_onnx_to_numpy_type(graph.get_dtype(node.input[0]))
    return graph.make_const(utils.make_name("scalar"), np.array(value, dtype)).output[0]


def _make(graph: Onnx, op: str, inputs: list[str], **attributes: object) -> str:
    """The output of a new ONNX node."""
    return graph.make_node(op, inputs, attributes).output[0]


def _replace(graph: Onnx, node: Onnx, op: str, inputs: list[str], **attributes: object) -> None:
    """Put an ONNX node in the place of a node."""
    name, outputs, shapes, dtypes = node.name, node.output, node.output_shapes, node.output_dtypes
    graph.remove_node(name)
    graph.make_node(op, inputs, attributes, outputs=outputs, name=name, shapes=shapes, dtypes=dtypes)


HANDLERS = (
    ("Equal", _compared), ("NotEqual", _compared), ("FloorDiv", _floor_div), ("FloorMod", _floor_mod),
    ("Max", _extreme), ("Min", _extreme), ("ArgMax", _place_of_extreme), ("ArgMin", _place_of_extreme),
    ("GatherV2", _gathered), ("GatherNd", _gathered), ("ScatterNd", _scattered),
    ("Select", _chosen), ("SelectV2", _chosen),
)  # fmt: skip
