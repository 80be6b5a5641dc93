"""Helpers for the chapter's programs by hand: TensorFlow 1 with resource variables.

A graph by hand has names only where the language has them, so that the two can be compared op by op.
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
    """The graph that a function builds. Its attribute `made` is what the function returns."""
    result = tf.Graph()
    with result.as_default():
        result.made = build()
    return result


def session(graph):
    """A session with all variables initialised. Sums add in the order of their inputs; TensorFlow's own order depends
    on names and timing."""
    order_sums(graph)
    result = v1.Session(graph=graph, config=ordered())
    result.run([v.initializer for v in graph.get_collection("variables")])
    return result


def put(session, variable, value):
    """Set a variable through its initializer."""
    session.run(variable.initializer, {variable.initializer.inputs[1]: value})


def ops(graph):
    return sorted((op.name, op.type) for op in graph.get_operations())


def ops_of(program, graph=""):
    """The ops of a compiled program, to compare with those by hand.

    The only difference: data is a constant by hand, and a placeholder with the constant's name in a program's graph.
    """
    built = program.built(graph)
    data = {tensor.op.name for tensor in built.data.feeds}
    assert all(built.graph.get_operation_by_name(name).type == "Placeholder" for name in data)
    return sorted((name, "Const" if name in data else type) for name, type in ops(built.graph))


def run(text, params=None, data=None, options=None):
    return tfdsl.compile(text, params, data).run(options=options)


def same(a, b):
    """Whether two arrays have the same bits."""
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
