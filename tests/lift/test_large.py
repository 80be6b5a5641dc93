"""A graph of more than 10,000 nodes: Keras' InceptionV3 with Adam."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfdsl.access import Access
from tfdsl.driver import check, compile_source
from tfdsl.inputs import CompileInputs
from tfdsl.lift.graph import VARIABLES
from tfdsl.lift.read import read_graph
from tfdsl.lift.readable import lift_readable
from tfdsl.limits import Limits
from tfdsl.source import Source

SCRIPT = Path(__file__).resolve().parent.parent / "support" / "inception.py"


@pytest.mark.long
def test_inception(here):
    environment = {key: value for key, value in os.environ.items() if key != "TF_USE_LEGACY_KERAS"}
    subprocess.run([sys.executable, str(SCRIPT), "inception.meta"], check=True, env=environment)
    graph = read_graph("inception.meta")
    assert len(graph.nodes) > 10_000
    lifted = lift_readable(graph, "arrays.npz")
    np.savez("arrays.npz", **lifted.arrays)
    assert "optimize loss with adam(learning_rate=0.001)" in lifted.source
    assert lifted.source.count("\n") < len(graph.nodes) / 10
    source = Source(str(here / "lifted.tfg"), lifted.source)
    inputs = CompileInputs(access=Access(source.path), limits=Limits())
    # Nothing takes the moving averages, in Keras' graph either.
    assert {one.code for one in check(source, inputs)[1]} <= {"TFG901"}
    built = compile_source(source, inputs).graph
    wanted = {node.name for node in graph.nodes.values() if node.op in VARIABLES}
    assert {one.op.name for one in built.get_collection("variables")} == wanted
