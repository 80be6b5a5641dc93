"""Graphs written by plain TensorFlow, as files for tests."""

import os
from pathlib import Path

from tfdsl.lowering.tf import tf, v1

# Graphs made by others: TFDSL_GRAPHS=folder pytest --long.
OTHERS = [
    path for path in sorted(Path(os.environ.get("TFDSL_GRAPHS", "nowhere")).glob("*.*"))
    if path.suffix in (".pb", ".pbtxt", ".meta")
]  # fmt: skip


def dense(graph=None):
    """A graph with a placeholder, a reference variable, a layer and a named output."""
    graph = graph or tf.Graph()
    with graph.as_default():
        x = v1.placeholder(tf.float32, [None, 3], name="x")
        with v1.variable_scope("layer", use_resource=False):
            w = v1.get_variable("w", [3, 2], initializer=v1.constant_initializer(0.5))
        y = tf.identity(tf.nn.relu(x @ w), name="y")
        v1.add_to_collection("losses", tf.reduce_sum(y, name="loss"))
    return graph


def loop():
    """A graph with a loop in the form of TensorFlow 1."""
    graph = tf.Graph()
    v1.disable_control_flow_v2()
    try:
        with graph.as_default():
            v1.while_loop(lambda i: i < 10, lambda i: i + 1, [tf.constant(0)], name="loop")
    finally:
        v1.enable_control_flow_v2()
    return graph


def written(graph, path, as_text=False):
    """Write a graph as a GraphDef."""
    v1.train.write_graph(graph, os.path.dirname(path) or ".", os.path.basename(path), as_text)
    return str(path)


def checkpoint(graph, path):
    """Initialise the variables of a graph, and save them with the MetaGraph."""
    with graph.as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        return v1.train.Saver().save(session, str(path))


def saved_model(graph, folder, tags=("serve",)):
    with graph.as_default(), v1.Session() as session:
        session.run(v1.global_variables_initializer())
        builder = v1.saved_model.Builder(str(folder))
        signature = v1.saved_model.predict_signature_def(
            {"rows": graph.get_tensor_by_name("x:0")}, {"scores": graph.get_tensor_by_name("y:0")}
        )
        builder.add_meta_graph_and_variables(session, list(tags), {"serving_default": signature})
        builder.save()
    return str(folder)
