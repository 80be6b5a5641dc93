"""Which steps can be split by the rows of their batch, why others cannot, and that split steps are right."""

import os
from contextlib import suppress
from itertools import product

import hypothesis
import parts
import pytest
from conftest import some
from hypothesis import strategies as st
from programs import UNHURRIED

from tfdsl.analysis.batch_split import BatchSplit, NotSplit, split
from tfdsl.driver import check
from tfdsl.ops import OPS
from tfdsl.ops.batch import FIXED, ROWS, BatchArgument, BatchCall, Mixed, Operand, whole
from tfdsl.program import fed
from tfdsl.source import Source
from tfdsl.types import FLOAT32, Size, TensorType

HEAD = """\
placeholder X: float32[n, 3]
placeholder y: float32[n, 1]
placeholder keep: float32 = 0.5
variable w: float32[3, 1] = zeros
"""
END = "\noptimize goal with adam() as step_op\n"


def found(body, head=HEAD, end=END):
    program, diagnostics = check(Source("t", head + body + end))
    assert program is not None, [one.headline for one in diagnostics]
    graph = program.graph()
    (node,) = graph.steps()
    return split(graph, node, fed(program, graph))


MEANS = {
    "of squares": "goal = reduce_mean(square(X @ w - y))",
    "of each": "goal = reduce_mean(square(X @ w - y), axis=[0, 1])",
    "in two steps": "each = reduce_sum(square(X @ w - y), axis=1)\ngoal = reduce_mean(each)",
    "with a penalty": "goal = reduce_mean(square(X @ w - y)) + 0.1 * reduce_sum(square(w))",
    "of two": "goal = reduce_mean(square(X @ w - y)) - 0.5 * reduce_mean(abs(X @ w)) / 3.0",
    "by columns": "goal = reduce_sum(reduce_mean(square(X @ w - y), axis=0))",
    "dropout": "goal = reduce_mean(square(dropout(X, keep_prob=keep) @ w - y))",
    "of a choice": "z = X @ w - y\ngoal = reduce_mean(where(z > 0.0, z, -2.0 * z))",
    "a TensorFlow loss": "goal = mean_squared_error(y, X @ w)",
    "logits": "goal = reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=X @ w))",
    "columns": "goal = reduce_mean(X[:, 0] * w[0, 0] - y[..., 0])",
    "side by side": "goal = reduce_mean(square(concat([X, y], axis=1) @ concat([w, [[1.0]]], axis=0)))",
    "a loop beside it": "i = constant(0)\nwhile i < 3:\n    i = i + 1\ngoal = reduce_mean(X @ w) * cast(i, float32)",
}
SUMS = {
    "of squares": "goal = reduce_sum(square(X @ w - y))",
    "of two": "goal = reduce_sum(square(X @ w - y)) + 2.0 * reduce_sum(abs(X @ w))",
    "of means": "goal = reduce_sum(reduce_mean(square(X @ w - y), axis=1))",
    "scaled": "goal = reduce_sum(square(X @ w - y)) / 20.0",
}
BATCH = "the result of {} for a batch cannot be combined from its parts"
WHOLE = {
    "a root of the mean": ("mean = reduce_mean(square(X @ w - y))\ngoal = sqrt(mean)", BATCH.format("'goal'"), 6),
    "a square of the mean": ("goal = square(reduce_mean(X @ w))", BATCH.format("'goal'"), 5),
    "a product of means": ("goal = reduce_mean(X @ w) * reduce_mean(y)", BATCH.format("'goal'"), 5),
    "a quotient of means": ("goal = reduce_mean(X @ w) / reduce_mean(y)", BATCH.format("'goal'"), 5),
    "a sum and a mean": ("goal = reduce_sum(X @ w) + reduce_mean(y)", BATCH.format("'goal'"), 5),
    "a sum with a penalty": ("goal = reduce_sum(X @ w) + reduce_sum(square(w))", BATCH.format("'goal'"), 5),
    "whole numbers": ("goal = reduce_mean(X @ w) + cast(cast(reduce_mean(y), int32), float32)", BATCH.format("cast"), 5),
    "a normalisation by the batch": (
        "z = X @ w\nmean, variance = moments(z, axes=[0])\ngoal = reduce_mean((z - mean) / sqrt(variance))",
        BATCH.format("moments"), 6),
    "its own mean taken off": ("z = X @ w\ngoal = reduce_mean(square(z - reduce_mean(z)))", BATCH.format("subtract"), 6),
    "the largest of the batch": ("goal = reduce_max(X @ w)", BATCH.format("'goal'"), 5),
    "along the batch": ("goal = reduce_mean(softmax(X @ w, axis=0))", BATCH.format("softmax"), 5),
    "classes along the batch": (
        "goal = reduce_mean(softmax_cross_entropy_with_logits(labels=y, logits=X @ w, dim=0))",
        BATCH.format("softmax_cross_entropy_with_logits"), 5),
    "added up along the batch": ("goal = reduce_mean(cumsum(X @ w))", BATCH.format("cumsum"), 5),
    "turned": ("t = transpose(X)\ngoal = reduce_mean(t * w)", BATCH.format("multiply"), 6),
    "rows against rows": ("z = X @ w\ngoal = reduce_mean(matmul(z, z, transpose_b=true))", BATCH.format("matmul"), 6),
    "means against rows": (
        "q = reduce_mean(reshape(X, [-1, 3, 1]), axis=0, keepdims=true)\n"
        "goal = reduce_mean(matmul(q, reshape(X, [-1, 1, 3]))) * w[0, 0]", BATCH.format("matmul"), 6),
    "rows mixed": ("goal = reduce_mean(reshape(X, [3, -1])) * w[0, 0]", BATCH.format("reshape"), 5),
    "a row of the batch": ("goal = reduce_mean(X[0]) * w[0, 0]", BATCH.format("index"), 5),
    "in other order": ("goal = reduce_mean(X[::-1] @ w - y)", BATCH.format("index"), 5),
    "how many there are": ("goal = reduce_sum(X @ w) / cast(shape(X)[0], float32)", BATCH.format("'goal'"), 5),
    "where something holds": ("goal = reduce_mean(cast(where(X > 0.5), float32)) * w[0, 0]", BATCH.format("where"), 5),
    "some of the rows": ("goal = reduce_mean(boolean_mask(X @ w, y[:, 0] > 0.0))", BATCH.format("boolean_mask"), 5),
    "a gradient in the loss": (
        "z = reduce_mean(square(X @ w))\ngoal = z + reduce_sum(square(gradients(z, [w])[0]))",
        BATCH.format("gradients"), 6),
    "a loop on the batch": (
        "z = X @ w\ni = constant(0)\nwhile i < 3:\n    i = i + 1\n    z = z * 0.5\ngoal = reduce_mean(z)",
        BATCH.format("while"), 7),
    "a choice by the batch": (
        "z = reduce_mean(X @ w)\nif z > 0.0:\n    r = z\nelse:\n    r = -z\ngoal = r * 1.0", BATCH.format("greater"), 6),
    "after": (
        "variable seen = 0\nup = assign_add(seen, 1)\nafter up:\n    z = X @ w\ngoal = reduce_mean(z)",
        "'z', which depends on the batch, is in an 'after'", 8),
    "no batch at all": (
        "goal = reduce_sum(w)", "it is fed no placeholder with a named first size, as in float32[batch, 9]", 6),
}  # fmt: skip


@pytest.mark.parametrize("body", MEANS.values(), ids=MEANS)
def test_means(body):
    how = found(body)
    assert isinstance(how, BatchSplit), how
    assert how.is_mean


@pytest.mark.parametrize("body", SUMS.values(), ids=SUMS)
def test_sums(body):
    how = found(body)
    assert isinstance(how, BatchSplit), how
    assert not how.is_mean


@pytest.mark.parametrize(("body", "reason", "line"), WHOLE.values(), ids=WHOLE)
def test_steps_that_cannot_be_split(body, reason, line):
    how = found(body)
    assert isinstance(how, NotSplit)
    assert (how.reason, how.origin.span.line) == (reason, line)


class _Asked(BatchCall):
    """A call that records which arguments its rule asks for."""

    def note(self, *names):
        self.asked = getattr(self, "asked", set()) | set(names)

    def has(self, name):
        self.note(name)
        return super().has(name)

    def kind(self, name):
        self.note(name)
        return super().kind(name)

    def option(self, name, default=None):
        self.note(name)
        return super().option(name, default)

    def only(self, *names):
        self.note(*names)
        super().only(*names)


def asked_for(op):
    """The names of the arguments that the batch rule of an op asks for."""
    names: set[str] = set()
    params = [param for param in op.params if param.is_tensor]
    shape = (Size("n"), 1, 1)
    for chosen in (params, *([one] for one in params)):
        operands = {param: Operand(shape, frozenset([ROWS if param in chosen else FIXED])) for param in params}
        arguments = {
            param.name: BatchArgument(
                (one,), None if param.kind == "tensors" else shape, is_list=param.kind == "tensors"
            )
            for param, one in operands.items()
        }
        call = _Asked(arguments, TensorType(FLOAT32, shape))
        call.note()
        with suppress(Mixed):
            op.batch(call)
        names |= call.asked
    return names


def test_batch_rules_ask_for_existing_arguments():
    asked = {op.name: asked_for(op) for op in OPS.values() if op.batch is not whole}
    assert any(asked.values())
    missing = {name: names - {param.name for param in OPS[name].params} for name, names in asked.items()}
    assert not {name: names for name, names in missing.items() if names}


def test_sizes():
    unnamed = HEAD.replace("[n, ", "[?, ")
    how = found("goal = reduce_mean(square(X @ w - y))", unnamed)
    assert how.reason == "it is fed no placeholder with a named first size, as in float32[batch, 9]"
    two = HEAD.replace("y: float32[n, 1]", "y: float32[m, 1]")
    how = found("goal = reduce_mean(X @ w) + reduce_mean(y)", two)
    assert (how.reason, how.origin.span.line) == ("its placeholders have several first sizes, n and m", 6)
    half = HEAD.replace("y: float32[n, 1]", "y: float32[?, 1]")
    how = found("goal = reduce_mean(X @ w - y)", half)
    assert how.reason == BATCH.format("subtract")


def test_a_step_with_a_fed_value_cannot_be_split():
    body = "z = X @ w\ngoal = reduce_mean(square(z - y))"
    session = END + "session:\n    run step_op with z = [[1.0]], y = [[1.0]], X = [[1.0, 2.0, 3.0]]\n"
    how = found(body, end=session)
    assert (how.reason, how.origin.span.line) == ("'z', which depends on the batch, is fed", 5)
    assert isinstance(found(body, end=session.replace("z = [[1.0]], ", "")), BatchSplit)


def test_nodes_between_batch_and_loss():
    body = "penalty = reduce_sum(square(w))\nz = X @ w - y\ngoal = reduce_mean(square(z)) + penalty"
    program, _ = check(Source("t", HEAD + body + END))
    graph = program.graph()
    how = split(graph, *graph.steps())
    names = {graph.nodes[id].name for id in how.between}
    assert {"z", "goal"} < names and not {"penalty", "X", "y", "w"} & names
    assert {graph.nodes[ref.node].name for ref in how.fed} == {"X", "y"}


# --- split steps are right -------------------------------------------------------------------

# Each ends with another one of the existing calls, with arguments of many kinds. More of them: ROWS_EXAMPLES=5000.
EXAMPLES = int(os.environ.get("ROWS_EXAMPLES", "2"))


@pytest.mark.long
@hypothesis.seed(6)
@hypothesis.settings(UNHURRIED, max_examples=EXAMPLES)
@hypothesis.given(st.randoms(use_true_random=False), st.integers(0, len(parts.CALLS) - 1), st.integers(1, 8))
def test_a_step_in_towers_computes_the_gradient_of_the_whole_batch(random, call, rows):
    text = parts.Drawn(random, call).text
    hypothesis.assume(text and parts.splits(text))
    fault = parts.fault(text, rows)
    assert not fault, f"{fault}\n{text.removeprefix(parts.HEAD)}"


# Each of these values was wrong once: they are means of something that differs between parts.
ONCE_WRONG = [
    "goal = reduce_mean(cast(where(X > 0.5), float64) * s)",
    "q = reduce_mean(Z, axis=0, keepdims=true)\ngoal = reduce_mean(matmul(q, transpose(Z, [0, 2, 1])) * s)",
    "goal = reduce_mean(X * s) + cast(cast(10.0 * reduce_mean(X) * s, int32), float64)",
    "goal = reduce_mean(where([true, false, true, true, true], X, X * s))",
    "goal = add_n([reduce_sum(X * s), 1.0])",
    "goal = s * cast(reduce_mean(k, axis=0), float64) / 3.0",
]
RIGHT = [
    "goal = reduce_mean(conv1d(Z * s, filters[0], stride=1, padding=\"SAME\"))",
    "goal = reduce_mean(gather(table, k) * s) + reduce_mean(embedding_lookup(table, k))",
    "goal = reduce_mean(where_v2([[true, false, true]], X, X * s))",
    "goal = reduce_mean(softmax(X @ w, axis=none) * X)",
    "goal = reduce_sum(sparse_softmax_cross_entropy_with_logits(labels=k, logits=X @ w))",
    "h = conv2d(P, filters, strides=2, padding=\"SAME\")\ngoal = reduce_mean(square(max_pool(h, 2, 2, \"SAME\"))) + reduce_sum(w)",
]  # fmt: skip


EXAMPLES_OF_ROWS = list(zip(ONCE_WRONG + RIGHT, 4 * [1, 2, 5], strict=True))


@pytest.mark.parametrize(("body", "rows"), some(product(ONCE_WRONG + RIGHT, [1, 2, 5]), EXAMPLES_OF_ROWS))
def test_written_examples(body, rows):
    text = f"{parts.HEAD}{body}\noptimize goal with gradient_descent(learning_rate=1.0) as step_op\n"
    assert not parts.fault(text, 5 if "[true, false, true, true" in body else rows)
    assert parts.splits(text) == (body in RIGHT)
