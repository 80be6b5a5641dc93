"""The random ops of a graph, with visible generator states.

A random TensorFlow op keeps its generator inside its kernel, where nothing can read or set it. But the generator is
Philox with a counter: the op's seeds are its key and the upper half of its counter, and each execution advances the
lower half by 256 for every number drawn. The stateless twins of the ops take key and counter as inputs and draw the
same bits. So a random op in a loop becomes its twin, with the lower half of the counter as a loop variable.
`kept_random.py` has ops whose state is a variable of the graph.

A state is int64 [3]. Its bits are the uint64 values that the twins take: the key, and the two halves of the counter.
"""

from collections.abc import Sequence

import numpy as np

from .tf import NodeDef, tf

# Random ops and their stateless twins, which take key, counter and algorithm after the shape.
TWINS = {
    "RandomUniform": "StatelessRandomUniformV2",
    "RandomStandardNormal": "StatelessRandomNormalV2",
    "TruncatedNormal": "StatelessTruncatedNormalV2",
    "RandomUniformInt": "StatelessRandomUniformIntV2",
}
PHILOX = 1  # the number of the generator in stateless ops
_PER_NUMBER = 256  # how far the counter moves per number


class RandomStream:
    """The generator of one random op in one session."""

    def __init__(self, op: tf.Operation):
        seeds = op.get_attr("seed"), op.get_attr("seed2")
        if seeds == (0, 0):  # a random one, like in the kernel
            seeds = tuple(np.random.SeedSequence().generate_state(2, np.uint64).view(np.int64).tolist())
        self.state = np.array([seeds[0], 0, seeds[1]], np.int64)

    def advance(self, size: int) -> None:
        """Record that an execution has drawn `size` numbers."""
        self.state[1] += size * _PER_NUMBER


def generator(state: tf.Tensor) -> dict[str, object]:
    """The arguments of a stateless op for the state of its generator."""
    return {"key": tf.bitcast(state[:1], tf.uint64), "counter": tf.bitcast(state[1:], tf.uint64), "alg": PHILOX}


def draw(op: tf.Operation, inputs: Sequence[tf.Tensor], state: tf.Tensor) -> tf.Tensor:
    """What an op with a twin draws, given its inputs and the state of its generator."""
    shape, *limits = inputs
    given = dict(zip(("minval", "maxval"), limits, strict=False)) or {"dtype": op.outputs[0].dtype}
    return getattr(tf.raw_ops, TWINS[op.type])(shape=shape, **generator(state), **given)


def twin(definition: NodeDef, key: str, counter: str, algorithm: str) -> None:
    """Change the definition of a random op to that of its twin, given the names of key, counter and algorithm."""
    dtypes = {name: definition.attr[name].type for name in ("dtype", "Tout", "T") if name in definition.attr}
    inputs = list(definition.input)
    integers = definition.op == "RandomUniformInt"  # it names its attributes differently
    definition.op = TWINS[definition.op]
    definition.ClearField("attr")
    definition.attr["dtype"].type = dtypes["Tout" if integers else "dtype"]
    definition.attr["Tshape"].type = dtypes["T"]
    definition.ClearField("input")
    definition.input.extend([inputs[0], key, counter, algorithm, *inputs[1:]])


def distance(draws: tf.Tensor) -> tf.Tensor:
    """How far drawing a tensor moves the counter."""
    return tf.size(draws, out_type=tf.int64) * _PER_NUMBER


def advanced(state: tf.Tensor, by: tf.Tensor) -> tf.Tensor:
    """A state after the counter has moved."""
    return state + tf.stack([tf.zeros([], tf.int64), by, tf.zeros([], tf.int64)])
