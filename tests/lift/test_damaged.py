"""Damaged graphs give an error or lift correctly, and nothing else."""

import pytest
from damage import damaged
from graph_files import checkpoint, dense, loop, saved_model

from tfdsl.access import Access
from tfdsl.diagnostics import TfgError
from tfdsl.driver import compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.compare import differences
from tfdsl.lift.exact import lift_exact
from tfdsl.lift.read import graph_of, read_graph
from tfdsl.lowering.tf import GraphDef, MetaGraphDef, SavedModel
from tfdsl.source import Source


@pytest.fixture
def graphs(here):
    """Graphs of each kind, as bytes."""
    checkpoint(dense(), "model")
    saved_model(dense(), "served")
    return [
        (dense().as_graph_def().SerializeToString(), GraphDef),
        (loop().as_graph_def().SerializeToString(), GraphDef),
        ((here / "model.meta").read_bytes(), MetaGraphDef),
        ((here / "served/saved_model.pb").read_bytes(), SavedModel),
    ]


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(40, 400), marks=[pytest.mark.long])], ids=str)
def test_an_error_or_the_same_graph(graphs, here, seeds):
    outcomes = set()
    for seed in seeds:
        how, data = damaged(*graphs[seed % len(graphs)], seed)
        (here / "damaged.pb").write_bytes(data)
        try:
            graph = read_graph("damaged.pb")
            source = Source("damaged.tfg", lift_exact(graph).source)
            built = compile_source(source, CompileInputs(access=Access("damaged.tfg"))).graph
            assert differences(graph, graph_of(built.as_graph_def())) == [], (seed, how)
            outcomes.add("the same")
        except TfgError as error:
            outcomes |= {one.code for one in error.diagnostics}
    assert {"the same", "TFG002", "TFG006", "TFG008"} <= outcomes
