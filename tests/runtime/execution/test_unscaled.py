"""Large numbers of data that a training feeds as they are: a loss that becomes infinite or NaN says how to scale them."""

import pytest

import tfdsl

PROGRAM = """
data d = csv("houses.csv", target="price"){stages}
placeholder X: float32[n, d.columns]
placeholder y: {dtype}[n, 1]
variable w: float32[d.columns, 1] = ones
cost = reduce_mean(square({inputs} @ w - cast(y, float32))) * {start}
optimize cost with gradient_descent(learning_rate={rate}) as fit
session:
    train 300 steps on d as b:
        feed X = b.features, y = b.target
        run fit
"""
SCALED, BOTH = ' | standardize("area")', ' | standardize("area", "price")'


def notes(here, stages, dtype="float32", inputs="X", start="1.0", rate="30.0"):
    (here / "houses.csv").write_text("area,price\n50,150000\n80,240000\n60,170000\n130,320000\n")
    said = []
    program = PROGRAM.format(stages=stages, dtype=dtype, inputs=inputs, start=start, rate=rate)
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(program).run(options=tfdsl.Options(write=str, note=said.append))
    (error,) = caught.value.diagnostics
    assert error.code == "TFG716"
    found = [one.text for one in error.notes if "scaled" in one.text]
    assert sum("TFG543" in one and "numbers up to" in one for one in said) == (1 if found else 0)
    return found


@pytest.mark.parametrize(
    ("stages", "expected"),
    [
        (SCALED, [("y", 320000, 'standardize("price")')]), (BOTH, []), (' | standardize("price")', [("X", 130, "standardize")]),
        ("", [("X", 130, "standardize"), ("y", 320000, 'standardize("price")')]),
    ],
)  # fmt: skip
def test_what_is_not_scaled(here, stages, expected):
    assert notes(here, stages) == [
        f"{name} on line {{line}} is fed numbers up to {most}: scaled, as by data d = ... | {way}, they give smaller steps"
        for name, most, way in expected
    ]


def test_indices_are_not_to_be_scaled(here):
    assert notes(here, ' | standardize("price")', inputs="cast(cast(X, int32), float32)") == []


def test_before_the_first_step_the_size_does_not_matter(here):
    assert notes(here, SCALED, start="log(-1.0)") == []
