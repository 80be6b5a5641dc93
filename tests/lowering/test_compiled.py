"""What a CPU kernel reports, the engine `xla` reports at the same line, or refuses before anything runs."""

from itertools import product

import pytest
from conftest import part_of, some

import tfdsl
from tfdsl.lowering import compiled
from tfdsl.lowering.tf import tf
from tfdsl.runtime.options import Options
from tfdsl.runtime.training import select as engines

pytestmark = pytest.mark.loops


@pytest.fixture(autouse=True)
def worth_it(monkeypatch):
    """`auto` compiles whenever it can."""
    monkeypatch.setattr(engines, "_WORTH", 0)


def outcome(text, engine):
    """The lines that a run printed, and its error by code, line and headline."""
    printed = []
    options = Options(write=printed.append, engine=engine)
    try:
        result = tfdsl.compile(text).run(options=options)
    except tfdsl.TfgError as error:
        (diagnostic,) = error.diagnostics
        return printed, (diagnostic.code, diagnostic.span.line, diagnostic.headline)
    return printed, result.engines


# Each fails on its first line, at the step with k == 3.
FAILING = {
    "an assertion": "after assert_less(k, 3):\n    y = k * 1",
    "an assertion of floats": 'after assert_near(cast(k, float32), 1.0, atol=1.5, message="far"):\n    y = k * 1',
    "numbers": 'y = check_numerics(1.0 / cast(3 - k, float32), "infinite")',
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
    "counts": "y = raw.DenseBincount(input=[2 - k], size=3, weights=constant([1.0]))",
    "random": "y = cast(random_uniform([2], k - 3, 0, dtype=int32, seed=1) < 0, int32)",
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


IN_XLA = ("an assertion", "numbers", "gather", "slice", "scatter_nd", "dynamic_partition", "division", "random")


@pytest.mark.parametrize(("kind", "engine"), some(
    product(FAILING, ("loop", "xla")), [("gather", "loop"), *product(IN_XLA, ["xla"])]
))  # fmt: skip
def test_a_failure_in_a_training(kind, engine):
    text = PROGRAM.format(nodes=FAILING[kind], shown="y")
    printed, error = outcome(text, "step")
    assert error[:2] == ("TFG702", 3) and len(printed) == 3
    assert outcome(text, engine) == (printed, error)


REFUSED = {
    "an inverse": ("y = matrix_inverse([[1.0, 1.0], [1.0, cast(4 - k, float32)]])", 3, "MatrixInverse"),
    "a solution": ("y = matrix_solve([[1.0, 1.0], [1.0, cast(4 - k, float32)]], [[1.0], [2.0]])", 3, "MatrixSolve"),
    "an assertion in a while": (
        "i = 0\ny = k\nwhile i < 1:\n    i = i + 1\n    after assert_less(k, 3):\n        y = y + 1",
        7,
        "Assert",
    ),
    "an index in an if": ("if k > 1:\n    y = table[k]\nelse:\n    y = 0.0", 4, "StridedSlice"),
    "a division in a while": ("i = 0\ny = 7\nwhile i < 1:\n    i = i + 1\n    y = y // (3 - k)", 7, "FloorDiv"),
}


@pytest.mark.parametrize("kind", some(REFUSED, part_of(REFUSED, 3)))
def test_refused_programs(kind):
    nodes, line, op = REFUSED[kind]
    """The engine `xla` reports the line before anything runs, and `auto` selects another engine."""
    text = PROGRAM.format(nodes=nodes, shown="y")
    printed, error = outcome(text, "step")
    assert error[:2] == ("TFG702", line) and len(printed) == 3
    assert outcome(text, "loop") == outcome(text, "auto") == (printed, error)
    nothing, refused = outcome(text, "xla")
    assert nothing == [] and refused[:2] == ("TFG715", line)
    assert refused[2].startswith(f"XLA cannot compile this training: {op} ")


RIGHT = {
    "constants in a while": (
        "i = 0\ny = 7\nwhile i < 2:\n    i = i + 1\n    y = y // 2 + cast(table[1] * 0.0, int32) * 0 + shape(table)[0]"
    ),
    "all in range": "y = gather(table, minimum(k, 2)) + table[k % 3] + table[-1] + reduce_sum(table[k:])",
    "divided by numbers": "y = k // 2 + k % 3 + 2 ** k",
}


@pytest.mark.parametrize("nodes", RIGHT.values(), ids=RIGHT)
def test_programs_that_do_not_fail(nodes):
    text = PROGRAM.format(nodes=nodes, shown="y").replace("cast(table[1] * 0.0, int32) * 0 + ", "")
    step, _ = outcome(text, "step")
    assert outcome(text, "xla") == (step, ["xla"])


VALUES = {
    "shifts": "y = raw.LeftShift(x=1, y=k * 20)",
    "floats beyond whole numbers": "y = cast(10.0 ** cast(k * 5, float32), int32)",
    "infinity as a whole number": "y = cast(1.0 / cast(3 - k, float32), int32)",
    "the largest of numbers and NaN": "y = reduce_max([1.0, log(2.5 - cast(k, float32))])",
    "the smallest of NaN alone": "y = reduce_min([log(2.5 - cast(k, float32))])",
    "the place of NaN": "y = argmax([log(2.5 - cast(k, float32)), 1.0])",
    "the place of the smallest beside NaN": "y = argmin([1.0, log(2.5 - cast(k, float32)), 0.5])",
    "the largest two beside NaN": "y = top_k([1.0, log(2.5 - cast(k, float32)), 2.0], 2)[1]",
    "the largest of a segment": "y = unsorted_segment_max([1.0, log(2.5 - cast(k, float32)), 2.0], [0, 0, 1], 2)",
    "a window of NaN": 'y = max_pool(log(reshape([2.5, 2.6, 2.7, 2.8], [1, 2, 2, 1]) - cast(k, float32)), 2, 2, "VALID")',
    "a mean of large whole numbers": "y = reduce_mean([2147483645 + minimum(k, 2), k, -1])",
}


def numbered(nodes):
    """Nodes with unique names for their results, and these names."""
    number = list(VALUES.values()).index(nodes)
    return nodes.replace("y = ", f"y{number} = "), f"y{number}"


@pytest.mark.long
def test_all_programs_that_xla_computes_differently():
    nodes, names = zip(*map(numbered, VALUES.values()), strict=True)
    text = PROGRAM.format(nodes="\n".join(nodes), shown=", ".join(names))
    step, _ = outcome(text, "step")
    assert outcome(text, "xla") == (step, ["xla"])


@pytest.mark.long
@pytest.mark.parametrize("nodes", VALUES.values(), ids=VALUES)
def test_programs_that_xla_computes_differently(nodes):
    text = PROGRAM.format(nodes=nodes, shown="y")
    step, _ = outcome(text, "step")
    assert outcome(text, "xla") == (step, ["xla"])


def test_auto_does_not_compile_this_assertion():
    text = """\
variable k = 0.0
u = assign_add(k, 1.0)
chk = assert_less(k, 2.0)
after chk:
    v = k * 1.0
session:
    train 1000000 steps with engine="auto":
        run u
        every 5 steps: print v
    print k
"""
    _, error = outcome(text, "")
    assert error[:2] == ("TFG702", 3) and "x < y does not hold" in error[2]


def test_an_embedding_in_a_training():
    """The step whose batch has an index out of range is reported, after all steps before it."""
    text = """\
variable t = [[1.0], [2.0], [3.0]]
placeholder i: int32[n]
loss reduce_sum(embedding_lookup(t, i))
optimize with gradient_descent(learning_rate=0.5)
session:
    train 9 steps:
        feed i = [step, 0]
        every 2 steps: print step, t[:, 0]
"""
    wanted = outcome(text, "step")
    assert len(wanted[0]) == 2 and wanted[1] == ("TFG702", 3, "indices[0] = 3 is not in [0, 3)")
    assert outcome(text, "loop") == outcome(text, "xla") == wanted


def test_an_uninitialised_variable():
    """There is nothing to restore while a variable has no value, so the first step is taken alone."""
    text = """\
variable k = 0
container "kept":
    variable a = 5
u = assign(a, 12 // (3 - k))
more = assign_add(k, 1)
session:
    init k
    train 9 steps:
        run u
        print a, k
        run more
"""
    wanted = outcome(text, "step")
    assert wanted[0] == ["4 0", "6 1", "12 2"] and wanted[1][:2] == ("TFG702", 4)
    assert outcome(text, "loop") == outcome(text, "auto") == wanted
    assert outcome(text, "xla")[1] == ("TFG715", 8, "XLA cannot compile this training: a variable has no value yet")


def test_every_op_of_xla_is_in_one_table():
    """No type of op is in two tables, and each type that XLA supports and rows of the op table make is in one."""
    places = [compiled.SAFE, compiled.CALLS, compiled.LOST, frozenset(compiled.CHECKS)]
    assert sum(map(len, places)) == len(frozenset().union(*places))
    tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))  # registers XLA's kernels
    from tensorflow.python.framework.kernels import get_all_registered_kernels

    known = {kernel.op for kernel in get_all_registered_kernels().kernel if kernel.device_type == "XLA_CPU_JIT"}
    own = {name for name in known if name.startswith(("Xla", "_"))}  # no CPU kernel has these
    assert known - own == frozenset().union(*places)
