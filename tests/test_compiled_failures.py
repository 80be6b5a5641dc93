"""What a kernel for the CPU reports, the engine `xla` reports at the same line, or refuses before anything runs."""

import pytest

import tfdsl
from tfdsl.lowering import compiled
from tfdsl.lowering.tf import tf
from tfdsl.ops import OPS
from tfdsl.runtime import engines
from tfdsl.runtime.session import Options

ENGINES = ["step", "loop", "xla", "auto"]


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    """`auto` compiles whatever it can."""
    monkeypatch.setattr(engines, "_WORTH", 0)


def outcome(text, engine):
    """What a run printed, and its error by code, line and headline."""
    printed = []
    options = Options(printed.append, engine=engine)
    try:
        result = tfdsl.compile(text).run(options=options)
    except tfdsl.TfgError as error:
        (diagnostic,) = error.diagnostics
        return printed, (diagnostic.code, diagnostic.span.line, diagnostic.headline)
    return printed, result.engines


# Each fails on its first line, at the step at which k is 3.
FAILING = {
    "an assertion": "after assert_less(k, 3):\n    y = k * 1",
    "an assertion of floats": 'after assert_near(cast(k, float32), 1.0, atol=1.5, message="far"):\n    y = k * 1',
    "numbers": "y = check_numerics(1.0 / cast(3 - k, float32), \"infinite\")",
    "gather": "y = gather([1.0, 2.0, 3.0], [0, k])",
    "gather below": "y = gather([1.0, 2.0, 3.0], 2 - k)",
    "gather of a variable": "y = gather(table, k)",
    "gather along an axis": "y = gather([[1.0, 2.0, 3.0]], [0, k], axis=1)",
    "gather_nd": "y = gather_nd([[1.0, 2.0, 3.0]], [[0, k]])",
    "embedding_lookup": "y = embedding_lookup(table, [k, 0])",
    "an index": "y = table[k]",
    "an index below": "y = reshape(table, [1, 3])[0, 2 - 2 * k]",
    "an index behind others": "y = reshape(table, [1, 3, 1])[..., none, k, 0]",
    "slice": "y = slice(table, [k], [1])",
    "scatter_nd": "y = scatter_nd([[k]], [1.0], [3])",
    "tensor_scatter": "y = tensor_scatter_nd_update([1.0, 2.0, 3.0], [[k]], [5.0])",
    "unsorted_segment_sum": "y = unsorted_segment_sum([1.0, 2.0], [0, k], 3)",
    "dynamic_partition": "parts = dynamic_partition([1.0, 2.0], [0, k // 3 * 2], 2)\ny = reduce_sum(parts[0])",
    "reverse_sequence": "y = reverse_sequence([[1.0, 2.0]], [k], seq_axis=1)",
    "invert_permutation": "y = invert_permutation([0, 1 + k // 3])",
    "division": "y = 7 // (3 - k)",
    "remainder": "y = 7 % (3 - k)",
    "truncated division": "y = truncatediv(7, 3 - k)",
    "power": "y = pow(2, 2 - k)",
    "band": "y = matrix_band_part([[1.0, 2.0], [3.0, 4.0]], k, 0)",
    "labels": "y = sparse_softmax_cross_entropy_with_logits(labels=[k], logits=[[1.0, 2.0, 3.0]])",
    "counts": "y = reduce_sum(bincount([2 - k], minlength=3))",
    "random": "y = random_uniform([2], k - 3, 0, dtype=int32, seed=1) * 0",
    "scatter_sub": "y = scatter_sub(table, [k], [1.0])",
}
PROGRAM = """\
variable k = 0
variable table = [1.0, 2.0, 3.0]
{nodes}
more = assign_add(k, 1)
session:
    train 6 steps:
        print k, {shown}
        run more
"""


@pytest.mark.parametrize("nodes", FAILING.values(), ids=FAILING)
def test_a_failure_in_a_training(nodes):
    text = PROGRAM.format(nodes=nodes, shown="y")
    printed, error = outcome(text, "step")
    assert error[:2] == ("TFG702", 3) and len(printed) == 3
    for engine in ENGINES[1:]:
        assert outcome(text, engine) == (printed, error), engine
