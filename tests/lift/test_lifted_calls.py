"""Each op of the table of lifted calls, built by the example of its row and lifted back."""

from collections import Counter

import tfdsl
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lowering.tf import op_def
from tfdsl.ops import OPS
from tfdsl.ops.lifted import lifted_call, lifted_ops

# Ops of older graphs, for which TensorFlow builds others now, and ops that an initializer or a loss makes.
SUCCEEDED = {"Inv", "Add", "Mod", "Concat", "Gather", "BatchMatMul", "Pad", "Multinomial", "Div"}


def test_the_table_fits_the_definitions_of_the_ops():
    for name in lifted_ops():
        call, definition = lifted_call(name), op_def(name)
        params = {param.name for param in call.op.params}
        assert len(definition.input_arg) == len(call.inputs), name
        assert {*call.inputs, *call.attrs} <= params, name
        assert {*call.attrs.values(), *call.demanded} <= {attr.name for attr in definition.attr}, name


def test_examples_come_back():
    """All examples in one graph: lifted, the program needs no raw call, and builds as many ops of each type."""
    rows = sorted({lifted_call(name).op.name for name in lifted_ops()} - {"assign", "no_op"})
    lines = [f"e{at} = {OPS[row].example}" for at, row in enumerate(rows) if not OPS[row].writes]
    graph = tfdsl.compile("\n".join(lines)).graph
    lifted = lift_readable(graph_of(graph.as_graph_def()))
    raw = sorted({line.split("raw.")[1].split("(")[0] for line in lifted.source.splitlines() if "raw." in line})
    assert set(raw) <= {"EncodeJpeg"}, raw  # in examples of other ops
    again = tfdsl.compile(lifted.source).graph
    built, wanted = (Counter(one.type for one in made.get_operations()) for made in (again, graph))
    missing = {op: (wanted[op], built[op]) for op in lifted_ops() if wanted[op] and not built[op]}
    assert missing == {}
