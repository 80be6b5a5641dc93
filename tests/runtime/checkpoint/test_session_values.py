"""The values of a session's names in checkpoints: a resumed run has them."""

import os
from contextlib import suppress

import ml_dtypes
import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.runtime.checkpoint.kept_values import decoded, encoded
from tfdsl.runtime.execution.kept import Kept
from tfdsl.runtime.files.durable_io import CorruptFile
from tfdsl.runtime.options import Options

VALUES = {
    "": np.float32(0.1),
    "plain": 3,
    "half": 0.1,
    "text": "a\u00e4\ud800",
    "list": [[1, 2.5], [True, "x"]],
    "complex": 1 - 2j,
    "bytes": b"\xff\x00",
    "array": np.arange(6, dtype=np.int64).reshape(3, 2),
    "empty": np.zeros((0, 4), np.float64),
    "texts": np.array([[b"a", b""], [b"\x00b", b"ccc"]], object),
    "bfloat16": np.ones(3, ml_dtypes.bfloat16),
    "nan": np.array([np.nan, np.inf, -0.0], np.float32),
}


def test_values_survive_as_bytes():
    kept = decoded(encoded(Kept(VALUES, ("a", "b"), 7)))
    assert (kept.columns, kept.rows, list(kept.fields)) == (("a", "b"), 7, list(VALUES))
    for name, value in VALUES.items():
        found = kept.fields[name]
        assert type(found) is type(value), name
        if isinstance(value, np.ndarray):
            assert (
                found.dtype == value.dtype and found.shape == value.shape and found.tobytes() == value.tobytes()
            ) or (found.tolist() == value.tolist())
        else:
            assert found == value


def test_damaged_values_are_refused():
    whole = encoded(Kept(VALUES))
    for at in range(0, whole.index(b"\n") + 1, 3):
        damaged = whole[:at] + bytes([whole[at] ^ 0x15]) + whole[at + 1 :]
        with suppress(CorruptFile):  # any other error would be a bug
            decoded(damaged)
    for content in (b"", b"\n", b"{}\n", b"[]\n", b'{"rows": 0, "columns": [], "fields": [{}]}\n', whole[:-1]):
        with pytest.raises(CorruptFile):
            decoded(content)


PROGRAM = """
seed 3
data points = moons(90, noise=0.1, seed=1) | split(test=1 / 3)
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w: float32[2, 1] = zeros
p = X @ w
mse = reduce_mean(square(p - cast(y, float32)))
optimize mse with gradient_descent(learning_rate=0.05)
session:
    first = evaluate X, y on points.test in batches of 7 as b with X = b.features, y = b.target
    label = "run"
    least = 100.0
    train 40 steps on points.train in batches of 10 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 10 steps in "ck"
        every 3 steps:
            test = evaluate mse on points.test in batches of 9 as b with X = b.features, y = b.target
            least = minimum(least, test)
    train 5 epochs on first in batches of 10 as batch:
        feed X = batch.X, y = batch.y
        checkpoint every 2 epochs in "second"
        every 1 epoch:
            whole = evaluate mse on points.train in batches of 20 as b with X = b.features, y = b.target
            print epoch, whole
            some = evaluate mse on first in batches of 20 as b with X = b.X, y = b.y
    print some, label, least, reduce_sum(first.X), w
    write p to "p.csv" with X = points.test.features
"""


class Stop:
    """Asks a run to stop after some calls."""

    def __init__(self, calls):
        self.left = calls

    def __call__(self):
        self.left -= 1
        return self.left < 0


def run(**options):
    return tfdsl.compile(PROGRAM).run(options=Options(write=lambda line: None, **options))


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_an_interrupted_run_goes_on_with_its_values(here, engine):
    wanted = run(engine=engine).printed
    os.rename("p.csv", "wanted.csv")
    for calls in (5, 3):
        assert run(engine=engine, interrupted=Stop(calls)).interrupted
    values = [name for name in os.listdir("ck") if name.startswith("value-")]
    assert len(values) >= 3, "the first evaluation, the label, and the least"
    assert run(engine=engine, interrupted=lambda: any(map(os.listdir, here.glob("second/*-step-*")))).interrupted
    rest = run(engine=engine).printed
    assert rest == wanted[len(wanted) - len(rest) :] and rest
    assert (here / "p.csv").read_bytes() == (here / "wanted.csv").read_bytes() and not (here / "ck").exists()


def test_a_value_that_does_not_change_is_written_once(here):
    assert run(interrupted=Stop(6)).interrupted
    before = {name: os.stat(f"ck/{name}").st_ino for name in os.listdir("ck") if name.startswith("value-")}
    assert run(interrupted=Stop(4)).interrupted
    after = {name: os.stat(f"ck/{name}").st_ino for name in os.listdir("ck") if name.startswith("value-")}
    same = [name for name in before if after.get(name) == before[name]]
    assert len(same) >= 2 and len(after) <= 8


DAMAGES = [lambda path: path.write_bytes(b"x"), lambda path: path.unlink()]


@pytest.mark.parametrize("damage", some(DAMAGES, DAMAGES[:1]))
def test_damaged_value_files_are_found(here, damage):
    assert run(interrupted=Stop(6)).interrupted
    for path in (here / "ck").glob("value-*"):
        damage(path)
    with pytest.raises(tfdsl.TfgError) as caught:
        run()
    assert [one.code for one in caught.value.diagnostics] == ["TFG711"]
    assert run(fresh=True).printed


def test_a_checkpoint_of_another_program_may_lack_a_value(here):
    assert run(interrupted=Stop(6)).interrupted
    other = PROGRAM.replace('label = "run"', 'label, more = ["run", "x"]').replace(
        "print some, label", "print some, label, more"
    )
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(other).run(options=Options(resume_anyway=True))
    assert [one.code for one in caught.value.diagnostics] == ["TFG771"]
