"""Every example of the op table is compiled, built and run. Its type is the same as TensorFlow's."""

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.ops import OPS
from tfdsl.ops.forbidden_ops import barred

BARRED = set(barred())
# TensorFlow builds them of hundreds of ops. Without `--long` `test_ops.py` has their types.
SLOW = {"non_max_suppression_padded", "eigh_tridiagonal", "ctc_loss_v2"}


@pytest.mark.usefixtures("example_files")
@pytest.mark.parametrize("name", some(sorted(OPS), sorted(OPS.keys() - SLOW)))
def test_example_runs_and_has_tensorflows_type(name):
    *declarations, expression = OPS[name].example.split("\n")
    text = "\n".join([*declarations, f"result = {expression}", "session:", "    init"]) + "\n"
    program = tfdsl.compile(text)
    graph = program.program.graph()
    node = max(graph.nodes.values(), key=lambda n: n.id)
    built = program.built()
    made = built.values[node.id]
    assert not {op.type for op in built.graph.get_operations()} & BARRED
    assert len(made) == max(1, len(node.outputs))
    for type, tensor in zip(node.outputs, made, strict=False):
        tensor = built.graph.as_graph_element(tensor)
        assert tensor.dtype.base_dtype.name == type.dtype.name
        shape = tensor.shape.as_list() if tensor.shape.rank is not None else None
        known = shape is None or None in shape or tuple(shape) == type.shape
        assert known, f"{type} but TensorFlow has {shape}"
    with program.session() as session:
        values = session.session.run(list(made))
    for type, value in zip(node.outputs, values, strict=False):
        assert type.shape is None or np.shape(value) == tuple(
            actual if dim is None else dim for dim, actual in zip(type.shape, np.shape(value), strict=True)
        )
