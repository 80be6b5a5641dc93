"""What statements execute: the marked nodes are those that a walk over the graph finds."""

from itertools import combinations

import pytest

import tfdsl
from tfdsl.analysis.check import analysed
from tfdsl.analysis.executed import Executions, Kind, Reached
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.program import Node, Ref
from tfdsl.source import Source
from tfdsl.syntax.parse import parse

PROGRAMS = {
    "a training": """\
placeholder X: float32[n, 2]
variable w: float32[2, 1] = zeros
h = X @ w
loss reduce_mean(square(h))
optimize with adam()
session:
    run h with X = [[1, 2]]
""",
    "switches": """\
import nn
placeholder X: float32[n, 4]
placeholder mode: bool = false
h = nn.dropout(X, rate=0.5, training=mode)
g = nn.batch_norm(h)
keep = logical_or(mode, training)
k = nn.dropout(g, rate=0.5, training=keep)
loss reduce_mean(k)
optimize with adam()
""",
    "an order": """\
placeholder X: float32[2]
variable v: float32[2] = zeros
variable u: float32[2] = zeros
add = assign_add(v, X)
after add:
    read = v + u
    placeholder late: float32[2]
    after read:
        more = late + assign(u, X)
parts = split(read, 2)
end = parts[1] + more[0]
""",
    "branches and loops": """\
placeholder X: float32
variable v = 0.0
i = constant(0)
s = X
while i < 3:
    i = i + 1
    s = s + assign_add(v, 1.0)
if s > 0.0:
    c = assign(v, s)
else:
    c = s + 1.0
d = c * X
""",
}
KINDS = {
    Kind.PLACEHOLDER: lambda node: node.is_placeholder,
    Kind.VARIABLE: lambda node: node.is_variable,
    Kind.STEP: lambda node: node.is_step,
    Kind.WRITE: lambda node: node.is_write,
    Kind.DROP: lambda node: node.row is not None and node.row.modes != "",
}


def built(text):
    ctx, program = analysed(parse(Source("t", text)), CompileInputs())
    assert not ctx.bag.errors, ctx.bag.errors
    return ctx.graph, program.graph()


def compare(executions, graph, refs, fed):
    executed, reached = executions.of(refs, fed), graph.reach(refs, fed)
    found = Reached(executions, executed.mask & ~executed.by_gradients)
    for kind, is_one in KINDS.items():
        assert found.all(kind) == sorted(id for id in reached if is_one(graph.nodes[id])), (kind, refs, fed)
    outside = {item.id for item in graph.items if isinstance(item, Node)} & reached
    assert found.all(Kind.CHANGE) == sorted(id for id in outside if graph.nodes[id].is_step or graph.nodes[id].is_write)
    assert found.takes_step is any(graph.nodes[id].is_step for id in reached)
    for id in executions.bits:
        assert (id in found) is (id in reached)


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_marked_nodes_are_those_that_a_walk_finds(name):
    builder, graph = built(PROGRAMS[name])
    tensors = [Ref(id, at) for id, node in graph.nodes.items() for at in range(max(1, len(node.outputs)))]
    for ref in tensors:
        compare(builder.executions, graph, [ref], frozenset())
    fed = [ref for ref in tensors if graph.nodes[ref.node].outputs and not graph.nodes[ref.node].is_variable]
    for pair in combinations(fed, 2):
        compare(builder.executions, graph, tensors[-6:], frozenset(pair))
        if pair[0].node % 5 == 0:
            builder.executions.mark(pair[0].node, Kind.ASKED)  # later than the masks
            compare(builder.executions, graph, tensors[-1:], frozenset(pair[1:]))


def test_removed_nodes_are_forgotten():
    builder, graph = built(PROGRAMS["an order"])
    nodes = dict(graph.nodes)
    executions = Executions(nodes, builder.controls)
    last = Ref(max(nodes))
    before = executions.of([last]).all(*Kind)
    executions.mark(1, Kind.ASKED)
    for count in (len(nodes) - 1, 4):
        executions.forget(count)
        for id in [id for id in nodes if id >= count]:
            del nodes[id]
        assert executions.of([Ref(count - 1)]).all(*Kind) == [
            id for id in sorted(graph.reach([Ref(count - 1)])) if id in executions.bits
        ]
        assert all(id < count for id in executions.bits)
    nodes.update(graph.nodes)
    assert executions.of([last]).all(*Kind) == sorted({*before, *({1} & graph.reach([last]))})


PRINTS = """\
placeholder X: float32[n, 4]
variable w: float32[4, 4] = zeros
h = X @ w
for i in range(4500):
    h = tanh(h)
ys = [reduce_mean(h * (i + 1.0)) for i in range(500)]
session:
    for y in ys:
        print y with X = [[1, 2, 3, 4]]
"""


def test_many_statements_over_many_nodes_are_no_more_work():
    """So the work of a check does not grow with statements times nodes."""
    program, found = check(Source("t", PRINTS), CompileInputs(limits=tfdsl.Limits(seconds=600.0)))
    assert [one.code for one in found] == []
    assert len(program.graph().nodes) > 5000
    assert len(program.sessions[0].body) == 500


def test_a_training_feeds_a_tensor_that_no_statement_has_fed_before():
    program = tfdsl.compile("""
placeholder x: float32
double = x * 2.0
variable w = 1.0
cost = square(w * double + x)
optimize cost with gradient_descent(learning_rate=0.0)
session:
    train 1 steps:
        feed x = 1.0, double = 3.0
        every 1 steps: print cost, double with x = 5.0
""")
    assert program.run().printed == ["64.0 3.0"]
