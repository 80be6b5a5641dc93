"""How `evaluate` puts the values of batches together: random values over batches are what they are over all rows."""

import os
from random import Random

import hypothesis
import numpy as np
import parts
import pytest
from hypothesis import strategies as st
from programs import UNHURRIED

import tfdsl
from tfdsl.analysis.batch_split import BatchSplit, split
from tfdsl.driver import check
from tfdsl.runtime.options import Options
from tfdsl.source import Source

FED = "X = b.features, y = b.target, v = b.v, Z = b.Z, P = b.P, k = b.k"
# What is made of the last value. More than what a loss can be.
COMBINED = [
    "{0}", "reduce_mean({0})", "reduce_sum({0})", "reduce_sum({0}) + 1.5", "reduce_mean({0}) * 2.0 - reduce_sum({0})",
    "-reduce_sum({0}) / 3.0", "reduce_mean({0}, axis=0)", "reduce_max({0})", "s * (1.0 - reduce_mean({0}))",
    "cast({0}, float64)", "reduce_mean(cast({0}, float64)) + reduce_sum(w)",
]  # fmt: skip
EXAMPLES = int(os.environ.get("ROWS_EXAMPLES", "5"))


def drawn(random: Random, call: int) -> list[str]:
    """The lines of a program whose last one has the value `goal`, made of a batch."""
    made = parts.Drawn(random, call)
    last = made.lines[-1].split(" = ")[0] if made.lines else "X"
    for _ in range(6):
        lines = [*made.lines, f"goal = {random.choice(COMBINED).format(last)}"]
        if check(Source("t", parts.HEAD + "\n".join(lines) + "\n"))[0] is not None:
            return lines
    return []


def text(lines: list[str], size: int) -> str:
    head = 'data d = npz("rows.npz")\n' + parts.HEAD + "\n".join(lines)
    return f"""{head}
session:
    parts = evaluate goal on d in batches of {size} as b with {FED}
    whole = evaluate goal on d as b with {FED}
    print parts
    print whole
"""


def rows_of(count: int) -> dict[str, np.ndarray]:
    random = np.random.RandomState(count)
    shapes = {"X": (3,), "y": (1,), "v": (), "Z": (2, 3), "P": (4, 4, 3)}
    arrays = {name: random.uniform(0.2, 0.9, (count, *shape)) for name, shape in shapes.items()}
    return {**arrays, "k": random.randint(0, 3, count)}


def fault(lines: list[str], rows: int, size: int) -> str | None:
    """The difference between a value combined from batches and its value over all rows, "" if they agree. None if it
    cannot be combined, or if TensorFlow cannot compute it."""
    try:
        program = tfdsl.compile(text(lines, size), data={"d": rows_of(rows)})
        values = program.run(options=Options(write=lambda line: None)).values
    except tfdsl.TfgError as error:
        codes = {one.code for one in error.diagnostics}
        return (
            None
            if codes & {"TFG202", "TFG241", "TFG407", "TFG558", "TFG702", "TFG704", "TFG502", "TFG504"}
            else str(error)
        )
    found, wanted = np.asarray(values["parts"]), np.asarray(values["whole"])
    if found.dtype != wanted.dtype or found.shape != wanted.shape:
        return f"{found.dtype}{found.shape} is not {wanted.dtype}{wanted.shape}"
    if found.dtype.kind in "fc":
        near = 1e-4 if found.dtype.itemsize < 8 else 1e-9
        is_same = np.allclose(found, wanted, near, near, equal_nan=True)
    else:
        is_same = bool((found == wanted).all())
    return "" if is_same else f"{found}\nis not\n{wanted}"


@pytest.mark.long
@hypothesis.seed(7)
@hypothesis.settings(UNHURRIED, max_examples=EXAMPLES)
@hypothesis.given(
    st.randoms(use_true_random=False), st.integers(0, len(parts.CALLS) - 1), st.integers(2, 7), st.integers(1, 4)
)
def test_batches_give_what_all_rows_give(random, call, rows, size):
    lines = drawn(random, call)
    hypothesis.assume(lines)
    found = fault(lines, rows, size)
    hypothesis.assume(found is not None)
    assert not found, f"{found}\n" + "\n".join(lines)


# What once was wrong, or could be.
WRITTEN = [
    "goal = reduce_sum(X) + reduce_mean(y) * 2.0 - 1.0",
    "goal = l2_loss(X) + l2_loss(w)",
    "goal = confusion_matrix(k, k, num_classes=4)",
    "goal = count_nonzero(cast(X > 0.5, int32), axis=0)",
    "goal = zero_fraction(cast(Z > 0.5, float32))",
    "goal = norm(Z, axis=[1, 2])",
    "goal = matrix_transpose(Z)",
    "goal = sort(X)",
    "goal = as_string(k)",
    "e, i = top_k(X, k=2)\ngoal = e + cast(i, float64)",
    "goal = cast(in_top_k(cast(X, float32), k, 2), float64)",
    "goal = flip_left_right(P)",
    "goal = fft(complex(X, X))",
    "goal = resize_bilinear(P, [2, 2])",
    "goal = fill(shape(X)[:1], 10)",
    "goal = cast(fill(shape(Z)[:-1], 10), float64) + Z[..., 0]",
    "goal = fill([shape(Z)[-3], 2], 10)",
    "goal = y * cast(reduce_sum(fill(shape(Z)[1:], 10)), float64)",
]
MIXED = [
    "goal = count_nonzero(reduce_sum(X, axis=0))",
    "goal = zero_fraction(reduce_mean(X, axis=0))",
    "goal = l2_loss(reduce_sum(X, axis=0))",
    "goal = norm(X)",
    "goal = sort(X, axis=0)",
    "goal = matrix_transpose(X)",
    "goal = fft(complex(v, v))",
    "goal, i = top_k(v, k=1)",
    "goal = confusion_matrix(k, k)",
    "goal = sqrt(reduce_mean(X))",
    "goal = reduce_mean(X) * reduce_mean(y)",
    "goal = X + reduce_mean(X)",
    "goal = X[1:]",
    "goal = fill(shape(X)[::-1], 10)",
]


@pytest.mark.parametrize("lines", WRITTEN)
def test_written_examples(lines):
    assert fault(lines.splitlines(), 7, 3) == ""


@pytest.mark.parametrize("lines", MIXED)
def test_what_cannot_be_put_together(lines):
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text(lines.splitlines(), 3), data={"d": rows_of(7)})
    assert "TFG558" in {one.code for one in caught.value.diagnostics}


@pytest.mark.parametrize("shape", ["shape(X)", "[shape(X)[0], 4]"])
def test_numbers_drawn_for_each_row_are_rows(shape):
    program = tfdsl.compile(f"""
data d = npz("rows.npz")
placeholder X: float32[n, 4]
variable w: float32[4] = ones
noise = random_uniform({shape}, 1.0, 2.0, seed=3)
optimize reduce_mean(noise * X * w) with gradient_descent()
session:
    found = evaluate noise, reduce_mean(noise * X) as mean on d in batches of 4 as b with X = b.features
    print found.noise
    print found.mean
""", data={"d": {"features": np.ones((10, 4))}})  # fmt: skip
    values = program.run().values
    noise = np.asarray(values["found.noise"])
    assert noise.shape == (10, 4) and noise.min() >= 1 and noise.max() < 2
    assert len(np.unique(noise)) > 38  # each batch has its own
    np.testing.assert_allclose(values["found.mean"], noise.mean(), 1e-6)
    (step,) = program.program.graph().steps()
    assert isinstance(split(program.program.graph(), step), BatchSplit)  # towers draw for their rows


@pytest.mark.parametrize("call", ["random_normal([4, shape(X)[0]])", "random_normal([shape(X)[0], shape(X)[0]])"])
def test_numbers_drawn_otherwise_are_no_rows(call):
    text = f"""
data d = npz("rows.npz")
placeholder X: float32[n, 4]
noisy = {call} + reduce_sum(X)
session:
    found = evaluate noisy on d in batches of 4 as b with X = b.features
    print found
"""
    with pytest.raises(tfdsl.TfgError) as error:
        tfdsl.compile(text, data={"d": {"features": np.ones((10, 4))}})
    assert [one.code for one in error.value.diagnostics if one.severity == "error"] == ["TFG558"]
