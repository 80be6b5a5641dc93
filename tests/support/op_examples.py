"""Examples of the op table, evaluated: their arguments, and the same call for a shape rule and for TensorFlow."""

import itertools
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

sys.path.append(str(Path(__file__).parents[2]))  # make `benchmarks` importable

from benchmarks.fuzzing.by_hand import OWN_WAY
from tfdsl.ops import OPS as ALL_OPS
from tfdsl.ops.op import OpCall
from tfdsl.types import DTYPES, Sizes, TensorType

OPS = {name: op for name, op in ALL_OPS.items() if op.group != "graph"}  # no rule types those


def resolve(path):
    found = tf.compat.v1
    for part in path.split("."):
        found = getattr(found, part)
    return found


def invoke(op, arguments):
    """The result of TensorFlow for a row and its arguments."""
    if op.group == "initializers":
        own = {k: v for k, v in arguments.items() if k not in ("shape", "dtype")}
        return resolve(op.tf)(**own)(arguments["shape"], dtype=arguments.get("dtype", tf.float32))
    return OWN_WAY.get(op.name, resolve(op.tf))(**arguments)


# Grappler may turn a call that cannot run into one that can.
PLAIN = tf.compat.v1.ConfigProto()
PLAIN.graph_options.rewrite_options.disable_meta_optimizer = True
PLAIN.graph_options.optimizer_options.opt_level = -1


class Example:
    """A call in an example: the op and, for each given parameter, a value, a list or a nested Example."""

    def __init__(self, op, args, kwargs):
        self.op = op
        names = [param.name for param in op.params]
        assert len(args) <= len(names) and set(kwargs) <= set(names), op.name
        self.given = dict(zip(names, args)) | kwargs
        for param in op.params:
            if isinstance(self.given.get(param.name), Example):
                self.given[param.name] = self.given[param.name].value()

    def value(self):
        """The value of a nested call, with its dtype."""
        with tf.Graph().as_default(), tf.compat.v1.Session(config=PLAIN) as session:
            return session.run(invoke(self.op, tf_arguments(Bound(self))))


def evaluate(text):
    """The outermost call of an example, after its declarations of variables."""
    names = {"true": True, "false": False, "none": None, **DTYPES}
    names |= {name: lambda *a, op=op, **k: Example(op, a, k) for name, op in OPS.items()}
    *declarations, expression = text.split("\n")
    for line in declarations:
        name, value = line.removeprefix("variable ").split(" = ")
        names[name] = eval(value, names)
    return eval(expression, {"__builtins__": {}}, names)


def natural(value):
    """The default dtype of a value."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return DTYPES[value.dtype.name] if value.dtype.kind not in "SU" else DTYPES["string"]
    flat = list(leaves(value))
    if any(isinstance(leaf, (str, bytes)) for leaf in flat):
        return DTYPES["string"]
    if all(isinstance(leaf, (bool, np.bool_)) for leaf in flat):
        return DTYPES["bool"]
    return DTYPES["float32" if any(isinstance(leaf, float) for leaf in flat) else "int32"]


def leaves(value):
    return itertools.chain.from_iterable(map(leaves, value)) if isinstance(value, (list, tuple)) else [value]


def array(value, dtype):
    return np.array(value, tf.dtypes.as_dtype(dtype.name).as_numpy_dtype)


class Bound:
    """The arguments of an example with their dtypes, for an `OpCall` and for TensorFlow."""

    def __init__(self, example, **forced):
        self.op, self.given = example.op, dict(example.given)
        self.groups = dict(forced)
        params = {param.name: param for param in self.op.params}
        for param in params.values():
            value = self.given.get(param.name, param.default)
            if param.kind == "dtype" and param.group in forced:
                self.given[param.name] = forced[param.group]
            elif param.kind == "dtype" and param.group and isinstance(value, type(DTYPES["bool"])):
                self.groups.setdefault(param.group, value)
        for group, values in self.by_group(params).items():
            strong = [v for v in values if isinstance(v, np.ndarray | np.generic)]
            best = max(map(natural, strong or values or [0.0]), key=lambda d: (d.kind == "float", d.bits))
            self.groups.setdefault(group, DTYPES.get(group, best))
        self.arrays = {}
        for name, value in self.given.items():
            param = params[name]
            if not param.is_tensor or value is None:
                continue
            dtype = DTYPES["int32"] if param.kind == "shape" else self.groups[param.group]
            many = param.kind == "tensors"
            self.arrays[name] = [array(v, dtype) for v in value] if many else array(value, dtype)

    def by_group(self, params):
        found = {}
        for name, value in self.given.items():
            param = params[name]
            if param.is_tensor and param.group and value is not None:
                found.setdefault(param.group, []).extend(value if param.kind == "tensors" else [value])
        return found

    def inputs(self):
        """Every tensor of the call, as (parameter, position in its list, value)."""
        for name, value in self.arrays.items():
            for position, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                yield name, position, one


def our_type(value, shape="own"):
    dtype = DTYPES["string"] if value.dtype == object else DTYPES[tf.dtypes.as_dtype(value.dtype).name]
    return TensorType(dtype, value.shape if shape == "own" else shape)


def our_call(bound, shapes):
    """The `OpCall` for a rule. `shapes` has the known types of the tensors that are not constants."""
    arguments, values = {}, {}
    for param in bound.op.params:
        name = param.name
        if name in bound.arrays and param.kind == "tensors":
            parts = list(enumerate(bound.arrays[name]))
            arguments[name] = tuple(our_type(v, shapes.get((name, i), "own")) for i, v in parts)
            values[name] = [None if (name, i) in shapes else v.tolist() for i, v in parts]
        elif name in bound.arrays:
            arguments[name] = our_type(bound.arrays[name], shapes.get((name, None), "own"))
            if (name, None) not in shapes and param.kind != "variable":
                values[name] = bound.arrays[name].tolist()
        elif param.is_tensor and param.default is not None and name not in bound.given:
            arguments[name] = TensorType(bound.groups.get(param.group, DTYPES.get(param.group)), ())
            values[name] = param.default
        else:
            arguments[name] = bound.given.get(name, param.default)
    return OpCall(bound.op, arguments, values, bound.groups, Sizes())


def tf_arguments(bound, shapes=None, defaults=False):
    """The keyword arguments for TensorFlow, in the default graph."""
    shapes, built = shapes or {}, {}
    for name, position, value in bound.inputs():
        dtype = tf.string if value.dtype == object else value.dtype
        kind = next(param.kind for param in bound.op.params if param.name == name)
        if kind == "variable":
            tensor = tf.compat.v1.get_variable(name, initializer=tf.constant(value), use_resource=True)
        elif (name, position) in shapes:
            tensor = tf.compat.v1.placeholder(dtype, shapes[name, position])
        else:
            tensor = value if kind == "shape" or bound.op.name == "constant" else tf.constant(value, dtype)
        if position is None:
            built[name] = tensor
        else:
            built.setdefault(name, []).append(tensor)
    for param in bound.op.params:
        given = param.name in bound.given
        if param.name in built or (param.is_tensor and not given):
            continue
        if given or (defaults and param.default is not None):
            value = bound.given[param.name] if given else param.default
            built[param.name] = tf.dtypes.as_dtype(value.name) if value in DTYPES.values() else value
    return built


def described(result):
    """TensorFlow's result in our terms."""
    if isinstance(result, (list, tuple)):
        return tuple(map(described, result))
    if result is None or isinstance(result, tf.Operation):
        return ()
    shape = None if result.shape.rank is None else tuple(result.shape.as_list())
    return TensorType(DTYPES[tf.dtypes.as_dtype(result.dtype).base_dtype.name], shape)
