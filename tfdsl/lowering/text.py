"""A built graph as canonical text for golden files: one op per line, sorted by name.

    loss/mse = Mean(loss/Square, loss/Const) keep_dims=false -> float32

It leaves out what changes between builds, processes or patch versions of TensorFlow: dtype attributes, which the types
on the right show, internal attributes, and attributes with default values. The seed of a random op is shown if the
program sets it; otherwise it is `auto`.

A graph that TensorFlow wrote is printed in the same form, with its own seeds.

The functions of `while` and `if` follow the ops, each with its parameters, results and ops. TensorFlow numbers
functions across the whole process, so here they have names of their own.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..diagnostics.spelling import visible
from ..program import Field, Node
from .built import BuiltGraph
from .tf import FunctionDefLibrary, GraphDef, function_graph, tf, v1

_SKIPPED = frozenset(
    ("shared_name", "container", "debug_name", "allowed_devices", "shape", "value", "seed", "seed2",
     "grad_a", "grad_b")  # hints for the layout of gradients
)  # fmt: skip
_INLINE = 16


def graph_text(built: BuiltGraph) -> str:
    """The canonical text of a graph. It ends with a newline."""
    owned = list(built.owned())
    text = _lines(owned, built.data.fields)
    functions = _functions(built, owned)
    for name, (graph, owner) in functions.items():
        inputs, outputs = (", ".join(map(_tensor_name, tensors)) for tensors in (graph.inputs, graph.outputs))
        owners = {op.name: node for op, node in built.owned(graph)}
        inside = [op for op in graph.get_operations() if op.type != "Placeholder"]
        body = _lines([(op, owners.get(op.name, owner)) for op in inside], {})
        text += f"\nfunction {name}({inputs}) -> {outputs}:\n{body}"
    return _renamed(text, list(functions))


def graph_def_text(graph_def: GraphDef) -> str:
    """The canonical text of a graph that TensorFlow wrote, with all of its functions."""
    text = _lines([(op, None) for op in _imported(graph_def, graph_def.library).get_operations()], {})
    names: list[str] = []
    for function in sorted(graph_def.library.function, key=lambda one: one.signature.name):
        body, tensors = function_graph(function)
        ops = [op for op in _imported(body, graph_def.library).get_operations() if op.type != "Placeholder"]
        inputs = ", ".join(arg.name for arg in function.signature.input_arg)
        outputs = (function.ret[arg.name] for arg in function.signature.output_arg)
        results = ", ".join(tensors.get(name, name).removesuffix(":0") for name in outputs)
        names.append(function.signature.name)
        text += f"\nfunction {names[-1]}({inputs}) -> {results}:\n{_lines([(op, None) for op in ops], {})}"
    return _renamed(text, names)


def _imported(graph_def: GraphDef, library: FunctionDefLibrary) -> tf.Graph:
    """A graph with the nodes of a GraphDef."""
    whole = GraphDef(node=graph_def.node, versions=graph_def.versions, library=library)
    graph = tf.Graph()
    with graph.as_default():
        v1.import_graph_def(whole, name="")
    return graph


def _lines(owned: Sequence[tuple[tf.Operation, Node | None]], data: Mapping[str, Field]) -> str:
    return "".join(line + "\n" for _, line in sorted(_line(op, owner, data.get(op.name)) for op, owner in owned))


def _functions(built: BuiltGraph, owned: list[tuple[tf.Operation, Node]]) -> dict[str, tuple[tf.Graph, Node]]:
    """The functions that ops call, directly or indirectly, in the order of the calls, with the nodes that own them."""
    found: dict[str, tuple[tf.Graph, Node]] = {}
    todo = list(owned)
    for op, owner in todo:
        for attribute in op.op_def.attr:
            if attribute.type == "func":
                name = op.get_attr(attribute.name).name
                if name not in found:
                    graph = built.graph._get_function(name).graph
                    found[name] = graph, owner
                    todo += [(inner, owner) for inner in graph.get_operations()]
    return found


def _renamed(text: str, functions: list[str]) -> str:
    """The text with names of functions that do not depend on what else the process has built."""
    names: dict[str, str] = {}
    for function in functions:
        plain = name = re.sub(r"_\d+|_rewritten", "", function)
        number = 0
        while name in names.values():
            number += 1
            name = f"{plain}_{number}"
        names[function] = name
        names.setdefault(function.removesuffix("_rewritten"), name)  # parameters keep the old name
    for function in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![A-Za-z0-9]){function}(?![0-9])", names[function], text)
    return text


def graphs_text(graphs: Sequence[BuiltGraph]) -> str:
    """The canonical text of all graphs of a program. If there are several, each follows its name."""
    if len(graphs) == 1:
        return graph_text(graphs[0])
    return "\n".join(f"graph {built.program.name or '(default)'}:\n{graph_text(built)}" for built in graphs)


def natural(name: str) -> list[tuple[int, str]]:
    """A sort key that puts z_2 before z_10."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _line(op: tf.Operation, owner: Node | None, data: Field | None) -> tuple[list, str]:
    """A line and its sort key. `data` is the field of a placeholder that stands for data."""
    inputs = [_tensor_name(tensor) for tensor in op.inputs]
    inputs += [f"^{control.name}" for control in sorted(op.control_inputs, key=lambda c: c.name)]
    text = f"{op.name} = {op.type}({', '.join(inputs)})"
    for part in (*_attributes(op), *_seed(op, owner), *_value(op)):
        text += f" {part}"
    if data is not None:
        text += f" data={data}"
    if op.device:
        text += f" device={op.device}"
    outputs = ", ".join(map(_output, op.outputs))
    return natural(op.name), text + (f" -> {outputs}" if outputs else "")


def _tensor_name(tensor: tf.Tensor) -> str:
    return tensor.op.name if tensor.value_index == 0 else f"{tensor.op.name}:{tensor.value_index}"


def _output(tensor: tf.Tensor) -> str:
    if tensor.op.type == "VarHandleOp":
        shape = tf.TensorShape(tensor.op.get_attr("shape"))
        return f"resource {_type(tensor.op.get_attr('dtype'), shape)}"
    return _type(tensor.dtype, tensor.shape)


def _type(dtype: tf.DType, shape: tf.TensorShape) -> str:
    name = dtype.base_dtype.name
    if shape.rank is None:
        return f"{name}[...]"
    dims = ", ".join("?" if dim is None else str(dim) for dim in shape.as_list())
    return f"{name}[{dims}]" if dims else name


def _attributes(op: tf.Operation) -> list[str]:
    result = []
    for attribute in sorted(op.op_def.attr, key=lambda a: a.name):
        name = attribute.name
        if name == "container" and op.type == "VarHandleOp" and op.get_attr(name):
            result.append(f"container={_attribute(op.get_attr(name))}")
        if name in _SKIPPED or name.startswith("_") or attribute.type in ("type", "list(type)"):
            continue
        if attribute.type == "int" and _is_length(op, name):
            continue
        value = op.get_attr(name)
        if attribute.HasField("default_value") and op.node_def.attr[name] == attribute.default_value:
            continue
        result.append(f"{name}={_attribute(value)}")
    return result


def _is_length(op: tf.Operation, name: str) -> bool:
    """Whether an attribute only counts inputs or outputs."""
    return any(arg.number_attr == name for arg in (*op.op_def.input_arg, *op.op_def.output_arg))


def _attribute(value: Any) -> str:  # of an attribute of any type
    match value:
        case bytes():
            return f'"{visible(value.decode("utf-8", "backslashreplace"))}"'
        case bool():
            return str(value).lower()
        case list():
            return "[" + ", ".join(map(_attribute, value)) + "]"
        case tf.DType():
            return value.name
        case float():
            return str(np.float32(value))
        case str():
            return f'"{visible(str(value))}"'
        case _ if hasattr(value, "name") and hasattr(value, "attr"):
            return value.name
        case _ if hasattr(value, "dim"):
            return "[" + ", ".join("?" if d.size < 0 else str(d.size) for d in value.dim) + "]"
        case _:
            return " ".join(str(value).split())


def _seed(op: tf.Operation, owner: Node | None) -> list[str]:
    """The seed of a random op. `owner` is the node of the program that made the op, or None."""
    names = {attribute.name for attribute in op.op_def.attr}
    if not {"seed", "seed2"} <= names:
        return []
    seed, seed2 = op.get_attr("seed"), op.get_attr("seed2")
    if owner is None and not (seed or seed2):
        return []
    if owner is None or "seed" in owner.args:
        return [f"seed={seed},{seed2}"]
    return ["seed=auto"] if seed or seed2 else []


def _value(op: tf.Operation) -> list[str]:
    """The value of a constant, or a digest of a large one."""
    if op.type != "Const":
        return []
    array = tf.make_ndarray(op.get_attr("value"))
    if array.size > _INLINE:
        data = repr(array.tolist()).encode() if array.dtype == object else np.ascontiguousarray(array).tobytes()
        return [f"value=sha256:{hashlib.sha256(data).hexdigest()[:16]}"]
    return [f"value={_literal(array)}"]


def _literal(value: np.ndarray | np.generic | bytes) -> str:
    """The shortest text that converts back to the numbers of their dtype."""
    if isinstance(value, np.ndarray):
        return "[" + ", ".join(map(_literal, value)) + "]" if value.ndim else _literal(value[()])
    if isinstance(value, bytes):
        return f'"{visible(value.decode("utf-8", "backslashreplace"))}"'
    return str(value).lower() if isinstance(value, np.bool_) else str(value)
