"""Random ops whose state is a variable of the graph, so that a run can resume from a checkpoint.

A program that keeps checkpoints has its random ops built like this, if they are executed during or after the first such
training. The TensorFlow function builds the node in a separate graph, whose ops are then added to the program's graph
one by one. Each random op is replaced by a variable, the stateless op that draws from the variable's state, and an
assignment that advances it:

    state = read(variable)           # key and counter, as `streams.py` describes them
    draws = stateless(..., key, counter)
    variable = state + distance      # before anything uses the draws

The initial state is that of TensorFlow's kernel, and most ops draw the same bits as it. For two of them (`_SEEDED`),
the stateless op takes seeds and computes key and counter from them in its own way: they draw other numbers, which also
depend only on the seeds and on how often the op was executed.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..program import Field, Node, Ref
from ..record import Record
from .streams import TWINS, advanced, distance, draw, generator
from .tf import seeds_taken, tf, v1

_STAND_IN = "stand.in"  # names in programs have no dots


class _Kept(Record):
    """How an op draws, given the op, its inputs and a state, and how far this advances the counter, given the inputs
    and the draws."""

    draw: Callable[[tf.Operation, Sequence[tf.Tensor], tf.Tensor], tf.Tensor]
    distance: Callable[[Sequence[tf.Tensor], tf.Tensor], tf.Tensor]


def _each(shape: tf.Tensor, parameter: tf.Tensor) -> tf.Tensor:
    """The shape of the draws, if each number of a parameter has its own distribution."""
    return tf.concat([shape, tf.shape(parameter, out_type=shape.dtype)], 0)


def _gamma(op: tf.Operation, inputs: Sequence[tf.Tensor], state: tf.Tensor) -> tf.Tensor:
    shape, alpha = inputs
    return tf.raw_ops.StatelessRandomGammaV3(shape=_each(shape, alpha), alpha=alpha, **generator(state))


def _shuffle(op: tf.Operation, inputs: Sequence[tf.Tensor], state: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.StatelessShuffle(value=inputs[0], **generator(state))


def _poisson(op: tf.Operation, inputs: Sequence[tf.Tensor], state: tf.Tensor) -> tf.Tensor:
    shape, rate = inputs
    return tf.raw_ops.StatelessRandomPoisson(
        shape=_each(shape, rate), seed=_seeds(state), lam=rate, dtype=op.outputs[0].dtype
    )


def _multinomial(op: tf.Operation, inputs: Sequence[tf.Tensor], state: tf.Tensor) -> tf.Tensor:
    logits, count = inputs
    return tf.raw_ops.StatelessMultinomial(
        logits=logits, num_samples=count, seed=_seeds(state), output_dtype=op.outputs[0].dtype
    )


def _seeds(state: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.StatelessRandomUniformFullIntV2(shape=[2], dtype=tf.int64, **generator(state))


def _all_drawn(inputs: Sequence[tf.Tensor], draws: tf.Tensor) -> tf.Tensor:
    return distance(draws)


def _for_seeds(inputs: Sequence[tf.Tensor], draws: tf.Tensor) -> tf.Tensor:
    return distance(tf.zeros([2]))


def _for_order(inputs: Sequence[tf.Tensor], draws: tf.Tensor) -> tf.Tensor:
    """One less than the number of slices. A step of the counter yields four numbers."""
    return (tf.maximum(tf.shape(inputs[0], out_type=tf.int64)[0] - 1, 0) + 3) // 4


_SEEDED = {
    "RandomPoissonV2": _Kept(_poisson, _for_seeds),
    "Multinomial": _Kept(_multinomial, _for_seeds),
}
KEPT: dict[str, _Kept] = {
    **{type: _Kept(draw, _all_drawn) for type in TWINS},
    "RandomGamma": _Kept(_gamma, _all_drawn),
    "RandomShuffle": _Kept(_shuffle, _for_order),
    **_SEEDED,
}


def is_random(node: Node) -> bool:
    """Whether a node draws numbers by ops whose state can be a variable."""
    if node.raw_op is not None:
        return node.raw_op.tf in KEPT
    return node.row is not None and node.row.draws


class KeptRandom:
    """The random ops of one graph whose state is kept: `nodes` has the ids of their nodes, and `variables` the states
    by the names of the ops. `alone(node, values, arrays)` builds a node into the default graph and returns what it
    becomes."""

    def __init__(self, graph: tf.Graph, nodes: frozenset[int], alone: Callable, offset: int = 0):
        """`offset` is added to the keys, so that the graphs of several processes draw different numbers."""
        self._offset = offset
        self._graph, self._nodes, self._alone = graph, nodes, alone
        self.variables: dict[str, tf.Variable] = {}

    def has(self, node: Node) -> bool:
        return node.id in self._nodes and is_random(node)

    def build(self, node: Node, value: Callable[[Ref], object], array: Callable[[Field], object]) -> tuple:
        """What a node becomes. `value` and `array` return its inputs."""
        graph = v1.get_default_graph()
        outside: dict[str, tf.Tensor] = {}  # by the names of their stand-ins

        def stand_in(given: Any) -> tf.Tensor:  # whatever TensorFlow makes a tensor of
            with graph.as_default():
                tensor = tf.convert_to_tensor(given)
            with alone.as_default():
                placeholder = v1.placeholder(tensor.dtype, tensor.shape, _STAND_IN)
            outside[placeholder.name] = tensor
            return placeholder

        alone = tf.Graph()
        values = {ref: stand_in(value(ref)) for ref in node.inputs()}
        scope = graph.get_name_scope()
        with alone.as_default():
            v1.set_random_seed(graph.seed)
            seeds_taken[alone] = seeds_taken.get(graph, 0)  # the seeds of ops without a seed depend on it
            alone._names_in_use.update(graph._names_in_use)
            with v1.name_scope(f"{scope}/" if scope else None):
                made = self._alone(node, values, lambda field: stand_in(array(field)))
        seeds_taken[graph] = seeds_taken[alone]
        added = _Added(self, graph, outside)
        for operation in alone.get_operations():
            if operation.type != "Placeholder" or operation.outputs[0].name not in outside:
                added.add(operation)
        graph._names_in_use.update(
            (name, count) for name, count in alone._names_in_use.items() if not name.startswith(_STAND_IN)
        )
        return tuple(map(added.tensor, made))

    def state(self, operation: tf.Operation) -> tf.Variable:
        """The variable for a random op. Its initial value has the op's seeds, or random ones if the op has none."""
        key, upper = operation.get_attr("seed"), operation.get_attr("seed2")
        with self._graph.as_default(), tf.control_dependencies(None), v1.name_scope(None):
            if key == upper == 0:
                bits = tf.raw_ops.NonDeterministicInts(shape=[2], dtype=tf.int64)
                initial = tf.stack([bits[0], tf.zeros([], tf.int64), bits[1]])
            else:
                initial = tf.constant([key + self._offset, 0, upper], tf.int64)
            name = f"random/{operation.name}"
            variable = v1.Variable(initial, trainable=False, name=name, use_resource=True)
        self.variables[variable.op.name] = variable
        return variable


class _Added:
    """Adds the ops of a separate graph to the default graph."""

    def __init__(self, kept: KeptRandom, graph: tf.Graph, outside: dict[str, tf.Tensor]):
        self._kept, self._graph = kept, graph
        self._tensors = outside
        self._operations: dict[str, tf.Operation] = {}

    def tensor(self, tensor: tf.Tensor) -> tf.Tensor:
        """What a tensor became."""
        result = self._tensors[tensor.name]
        result.set_shape(tensor.shape)  # TensorFlow functions may know more than shape inference
        return result

    def add(self, operation: tf.Operation) -> None:
        inputs = [self.tensor(one) for one in operation.inputs]
        with tf.control_dependencies([self._operations[one.name] for one in operation.control_inputs]):
            if operation.type in KEPT:
                outputs = [self._drawn(operation, inputs)]
                self._operations[operation.name] = outputs[0].op
            else:
                copy = self._graph.create_op(
                    operation.type, inputs, [one.dtype for one in operation.outputs], name=f"{operation.name}/",
                    attrs=dict(operation.node_def.attr.items()), op_def=operation.op_def,
                )  # fmt: skip
                outputs = copy.outputs
                self._operations[operation.name] = copy
        self._tensors.update((one.name, output) for one, output in zip(operation.outputs, outputs, strict=True))

    def _drawn(self, operation: tf.Operation, inputs: list[tf.Tensor]) -> tf.Tensor:
        row, variable = KEPT[operation.type], self._kept.state(operation)
        with v1.name_scope(f"{operation.name}/"):
            state = variable.read_value()
            draws = row.draw(operation, inputs, state)
            moved = variable.assign(advanced(state, row.distance(inputs, draws)), read_value=False)
            with tf.control_dependencies([moved]):
                return tf.identity(draws, name=f"{operation.name}/")
