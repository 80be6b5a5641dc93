"""Trains fifty further steps from a checkpoint, with a graph in plain TensorFlow 1 and with the lifted program."""

import json
import re

import numpy as np

import tfdsl
from tfdsl.lift.folds.row_updates import step_names
from tfdsl.lift.graph import PLACEHOLDERS, VARIABLES
from tfdsl.lift.options import LiftOptions
from tfdsl.lift.read import graph_def_of, read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.sums import order_sums
from tfdsl.lowering.tf import tf, v1
from tfdsl.record import replace
from tfdsl.runtime.execution import data_session
from tfdsl.runtime.options import Options

STEPS = 50
_TINY = 1e-20


class Original:
    """A graph in a session of TensorFlow 1, with the values of its checkpoint."""

    def __init__(self, graph):
        self.graph = graph
        self._tf = tf.Graph()
        with self._tf.as_default():
            definition = graph_def_of(graph)
            for node in definition.node:
                node.device = ""
            v1.import_graph_def(definition, name="")
            self.session = v1.Session(config=data_session.ordered())  # as programs have them
            self._own = [node.name for node in graph.nodes.values() if node.op in VARIABLES]
            self._values = {name: self._reader(name) for name in self._own}
        order_sums(self._tf)
        for name in self._own:
            if f"{name}/Assign" in graph.nodes:
                self.session.run(f"{name}/Assign")
        if graph.checkpoint:
            self._restore(graph.checkpoint)

    def _reader(self, name):
        node = self._tf.get_operation_by_name(name)
        if node.type == "VarHandleOp":
            return tf.raw_ops.ReadVariableOp(resource=node.outputs[0], dtype=node.get_attr("dtype"))
        return tf.identity(node.outputs[0])

    def _restore(self, path):
        reader = v1.train.load_checkpoint(path)
        for name in set(self._own) & set(reader.get_variable_to_shape_map()):
            holder, value = self._tf.get_tensor_by_name(f"{name}:0"), reader.get_tensor(name)
            with self._tf.as_default():
                if holder.op.type == "VarHandleOp":
                    self.session.run(v1.raw_ops.AssignVariableOp(resource=holder, value=value))
                else:
                    self.session.run(v1.raw_ops.Assign(ref=holder, value=value).op)

    def save(self, path):
        """Save all variables as a Saver does."""
        values = self.values()
        with self._tf.as_default():
            prefix, names, slices = tf.constant(str(path)), list(values), [""] * len(values)
            self.session.run(v1.raw_ops.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices,
                                               tensors=list(map(tf.constant, values.values()))))  # fmt: skip

    def values(self):
        return self.session.run(self._values)

    def train(self, steps, feed):
        for _ in range(STEPS):
            for step in steps:
                self.session.run(step, {f"{name}:0": value for name, value in feed.items()})


def feeds(graph, steps, given, seed=1):
    """Numbers for the placeholders that steps need. Unknown sizes are 4, unless `given` has the shape or the value."""
    random = np.random.default_rng(seed)
    found = {}
    for name in sorted(graph.above(*steps)):
        node = graph.nodes[name]
        if node.op in PLACEHOLDERS and node.op != "PlaceholderWithDefault":
            shape = given.get(name, [4] if node.types[0].shape is None else
                              [one if isinstance(one, int) else 4 for one in node.types[0].shape])  # fmt: skip
            dtype = node.types[0].dtype.name
            if isinstance(shape, np.ndarray):
                found[name] = shape.astype(dtype)
            elif dtype == "bool":
                found[name] = np.zeros(shape, bool)
            elif dtype.startswith("float"):
                found[name] = np.round(random.uniform(0.1, 1, shape), 2).astype(dtype)
            else:
                found[name] = random.integers(0, 2, shape).astype(dtype)
    return found


def trained_on(lifted, only, feed, folder):
    """The variables of a lifted program after the further steps, by their names in the graph: all steps, or `only`
    some."""
    names = {str(end): text.removeprefix("^") for end, text in lifted.correspondence.items()}
    fed = ", ".join(f"{names[name]} = {json.dumps(value.tolist())}" for name, value in feed.items())
    lines = [
        lifted.source.rstrip(),
        f"    train {STEPS} steps:",
        f"        feed {fed}" if fed else '        every 50 steps: print "trained"',
        *(f"        run {names[one]}" for one in only),
    ]
    lines += [f'    save to "{folder}/after.ckpt"', ""]
    tfdsl.compile("\n".join(lines)).run(options=Options(write=lambda line: None))
    reader = v1.train.load_checkpoint(f"{folder}/after.ckpt")
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


def same_training(path, folder, given=(), only=(), **options):
    """Compare the variables of the graph and of the lifted program after the further steps. Return the source. A graph
    without a checkpoint gets one with its initial values. `given` has shapes or values of placeholders."""
    graph = read_graph(str(path), **options)
    steps = list(only) or step_names(graph)
    original = Original(graph)
    if not graph.checkpoint:
        original.save(folder / "before.ckpt")
        graph = replace(graph, checkpoint=f"{folder}/before.ckpt")
    lifted = lift_readable(graph, options=LiftOptions(checkpoint=graph.checkpoint))
    assert re.search(r"^    restore ", lifted.source, re.MULTILINE)
    feed = feeds(graph, steps, dict(given))
    original.train(steps, feed)
    wanted, found = original.values(), trained_on(lifted, only, feed, folder)
    touched = [name for name in wanted if name in graph.above(*steps)]
    assert set(touched) <= set(found) and touched
    for name in touched:
        np.testing.assert_array_equal(plain(found[name]), plain(wanted[name]), err_msg=name)
    return lifted.source


def plain(values):
    """Values without numbers that come from subnormal ones, which TensorFlow flushes to zero on some of its threads."""
    return np.where(np.abs(values) < _TINY, 0, values) if values.dtype.kind == "f" else values
