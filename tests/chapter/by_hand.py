"""What the chapter's programs are written with by hand: TensorFlow 1 with resource variables.

A graph by hand gives names only where the language does, so that the two can be compared op by op.
"""

import numpy as np
import tensorflow as tf
from tensorflow.compat import v1

import tfdsl
from tfdsl.lowering.sums import order_sums, ordered

_random = np.random.RandomState(0)
FEATURES = np.c_[np.ones(20), _random.rand(20, 2)].astype(np.float32)
TARGET = (FEATURES @ [[1.0], [2.0], [-3.0]] + 0.1 * _random.randn(20, 1)).astype(np.float32)
DATA = {"houses": (FEATURES, TARGET)}


def variable(value, name, **options):
    return v1.Variable(value, name=name, use_resource=True, **options)


def graph(build):
    """The graph that a function builds; what the function returns is its attribute `made`."""
    result = tf.Graph()
    with result.as_default():
        result.made = build()
    return result


def session(graph):
    """A session with all variables initialised. Sums add in the order of their inputs: by itself, TensorFlow takes one
    that depends on names and on timing."""
    order_sums(graph)
    result = v1.Session(graph=graph, config=ordered())
    result.run([v.initializer for v in graph.get_collection("variables")])
    return result


def put(session, variable, value):
    """Give a variable a value, through its initializer."""
    session.run(variable.initializer, {variable.initializer.inputs[1]: value})


def ops(graph):
    return sorted((op.name, op.type) for op in graph.get_operations())


def ops_of(program, graph=""):
    """The ops of a compiled program, to be compared with those by hand.

    The one difference: data is a constant by hand, and in a program's graph a placeholder of the constant's name.
    """
    built = program.built(graph)
    data = {tensor.op.name for tensor in built.data.feeds}
    assert all(built.graph.get_operation_by_name(name).type == "Placeholder" for name in data)
    return sorted((name, "Const" if name in data else type) for name, type in ops(built.graph))


def run(text, params=None, data=None, options=None):
    return tfdsl.compile(text, params, data).run(options=options)


def same(a, b):
    """Whether two arrays agree in every bit."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
