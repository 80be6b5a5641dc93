"""All graphs of `graphs_by_hand` are lifted: the exact form builds the same graph, and the readable form computes the
same bits and is a program without errors or warnings."""

import numpy as np
import pytest
from conftest import some
from graphs_by_hand import graphs
from test_exact import built_again

from tfdsl.access import Access
from tfdsl.driver import check, compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.compare import differences
from tfdsl.lift.graph import VARIABLES
from tfdsl.lift.read import graph_of
from tfdsl.lift.readable import lift_readable
from tfdsl.lift.verify import Verifier
from tfdsl.limits import Limits
from tfdsl.lowering.tf import v1
from tfdsl.ops.lifted import lifted_step
from tfdsl.source import Source
from tfdsl.syntax.format import format_text

GRAPHS = graphs()
QUICK = ["chapter/lifecycle", "chapter/tensorboard", "port/gradient_descent_path", "program/moons"]
LIMITS = Limits(file=10**8, constant=10**7, seconds=600.0, unroll=10**6)

pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.filterwarnings("ignore:.*deprecated")]


def saved(name):
    """A graph, as it is read from the MetaGraph that TensorFlow saves."""
    with GRAPHS[name]().as_default():
        return graph_of(v1.train.export_meta_graph())


@pytest.mark.parametrize("name", some(GRAPHS, QUICK))
def test_a_program_by_hand(name, here):
    graph = saved(name)
    assert differences(graph, built_again(graph, here)) == []
    lifted = lift_readable(graph, "arrays.npz")
    assert not any("node for node" in note for note in lifted.notes)
    np.savez(here / "arrays.npz", **lifted.arrays)
    source = Source(str(here / "lifted.tfg"), lifted.source)
    assert format_text(source) == lifted.source
    inputs = CompileInputs(access=Access(source.path), limits=LIMITS)
    assert check(source, inputs)[1] == []  # without TensorFlow
    compiled = compile_source(source, inputs)
    assert compiled.diagnostics == []
    report = Verifier(graph, lifted, compiled, shapes={}, seed=1).verify()
    assert report.unequal == [] and report.failed == {} and report.is_same
    recognised(graph, lifted, compiled)


def recognised(graph, lifted, compiled):
    """All steps of optimizers are `optimize` or `apply`, and all variables that no step keeps are variables."""
    updates = {node.name.partition("/update_")[0] for node in graph.nodes.values() if lifted_step(node.op)}
    steps = [line for line in lifted.source.splitlines() if line.strip().startswith(("optimize ", "apply "))]
    assert len(steps) == len(updates)
    names = {node.name for node in graph.nodes.values() if node.op in VARIABLES}
    assert names == {one.op.name for one in compiled.graph.get_collection("variables")}
