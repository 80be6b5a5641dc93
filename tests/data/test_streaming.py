"""Streamed data: the same rows, statistics, batches and results, to the last bit, as for data in memory."""

from types import SimpleNamespace

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
from conftest import some
from programs import UNHURRIED

import tfdsl
from tfdsl.data import DataError, arrays, schema_of
from tfdsl.data.batches import BatchOrder
from tfdsl.data.load import load
from tfdsl.data.sources.csv import reader
from tfdsl.runtime.options import Options
from tfdsl.runtime.training.batch_stream import BatchStream


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of a few rows, so that small data has many."""
    monkeypatch.setattr(arrays, "BLOCK", 7)
    monkeypatch.setattr(reader, "_BLOCK", 90)


def step(name, **arguments):
    return SimpleNamespace(name=name, arguments=arguments)


def write(folder, rows, columns, whole=True):
    random = np.random.RandomState(rows + columns)
    numbers = random.randn(rows, columns).round(3)
    target = random.randint(0, 9, rows) if whole else random.randn(rows)
    lines = [",".join([*map(str, row), str(y)]) for row, y in zip(numbers.tolist(), target.tolist(), strict=True)]
    names = [*(f"c{i}" for i in range(columns)), "y"]
    path = folder / "d.csv"
    path.write_text("\n".join([",".join(names), *lines]) + "\n")
    return path


def both(path, transforms, source="csv"):
    made = []
    for stream in (False, True):
        arguments = {"path": str(path), "target": "y", "stream": stream}
        declared = SimpleNamespace(
            name="d", source=step(source, **arguments), transforms=transforms, folder=str(path.parent)
        )
        made.append((schema_of(declared), load(declared)))
    return made


def same(a, b):
    if a is None or b is None:
        assert a is b
        return
    assert (a.names, a.target_name) == (b.names, b.target_name)
    for one, other in ((a.features, b.features), (a.target, b.target)):
        assert one.dtype == other.dtype and one.shape == other.shape
        assert one.tobytes() == np.asarray(other).tobytes()
    same(a.train, b.train)
    same(a.test, b.test)


TRANSFORMS = st.lists(
    st.sampled_from(
        [
            step("standardize"),
            step("minmax"),
            step("add_bias"),
            step("polynomial", degree=2),
            step("shuffle", seed=3),
            step("take", n=4),
        ]
    ),
    max_size=4,
).filter(lambda steps: [one.name for one in steps].count("polynomial") < 3)  # more make a million columns


@pytest.mark.long
@hypothesis.settings(UNHURRIED, max_examples=20)
@hypothesis.given(st.integers(4, 40), st.integers(1, 4), st.booleans(), TRANSFORMS, st.integers(0, 4), st.booleans())
def test_streamed_data_is_the_same_to_the_last_bit(tmp_path_factory, rows, columns, whole, transforms, at, split):
    path = write(tmp_path_factory.mktemp("s"), rows, columns, whole)
    if split:
        late = [one for one in transforms[at:] if one.name not in ("shuffle", "take")]
        transforms = [*transforms[:at], step("split", test=0.3, seed=1), *late]
    (schema, data), (streamed_schema, streamed) = both(path, transforms)
    assert isinstance(streamed.features, np.memmap) and streamed_schema.streamed and not schema.streamed
    assert (schema.rows, schema.table) == (streamed_schema.rows, streamed_schema.table)
    same(data, streamed)


def test_parquet_too(tmp_path):
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    import pyarrow.parquet as pq

    random = np.random.RandomState(0)
    columns = {"a": random.rand(50), "b": random.rand(50), "y": random.randint(0, 5, 50)}
    pq.write_table(pa.table(columns), tmp_path / "d.parquet", row_group_size=13)
    (_, data), (_, streamed) = both(tmp_path / "d.parquet", [step("standardize"), step("split")], "parquet")
    assert isinstance(streamed.features, np.memmap)
    same(data, streamed)


@pytest.mark.parametrize("order", ["shuffled", "ordered", "sampled"])
def test_the_stream_yields_the_batches_of_the_order(order):
    features = np.arange(46, dtype=np.float32).reshape(23, 2)
    target = np.arange(23).reshape(23, 1)
    reference = BatchOrder(order, 5, 23, 4)
    stream = BatchStream({"features": features, "target": target}, BatchOrder(order, 5, 23, 4), 3, 20)
    for at in (3, 4, 5, 9, 10, 19):  # steps may be left out
        batch, rows = stream.batch(at), reference.indices(at)
        np.testing.assert_array_equal(batch["features"], features[rows])
        np.testing.assert_array_equal(batch["target"], target[rows])
    stream.close()


PROGRAM = """
seed 1
data d = csv("d.csv", target="y", stream={stream}) | standardize | add_bias | split(test=0.2)
placeholder X: float32[n, d.columns]
placeholder y: float32[n, 1]
variable w = random_normal([d.columns, 1], seed=2)
mse = reduce_mean(square(X @ w - y))
optimize mse with momentum(0.9, learning_rate=0.01)
session:
    train {epochs} epochs on d.train in batches of 6 {order} as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 1 epoch in "checkpoints"
        every 2 steps: print epoch, step, mse, batch.rows
    print w
"""


@pytest.mark.parametrize("order", some(["shuffled seed 3", "ordered", "sampled"], ["shuffled seed 3"]))
def test_a_training_is_the_same_to_the_last_bit(order, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, 40, 3, whole=False)
    results = [tfdsl.compile(PROGRAM.format(stream=s, order=order, epochs=3)).run() for s in ("false", "true")]
    assert results[0].printed == results[1].printed and len(results[0].printed) > 8
    for name, value in results[0].variables.items():
        assert value.tobytes() == results[1].variables[name].tobytes()


def test_a_resumed_training_has_the_same_batches(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path, 40, 3, whole=False)
    text = PROGRAM.format(stream="true", order="shuffled seed 3", epochs=4)
    whole = tfdsl.compile(text).run()
    steps = iter(range(100))
    options = Options(write=lambda line: None, interrupted=lambda: next(steps) >= 9, engine="step")
    first = tfdsl.compile(text).run(options=options)
    assert first.interrupted
    second = tfdsl.compile(text).run()
    assert second.resumed and second.printed == whole.printed[len(first.printed) :]
    for name, value in whole.variables.items():
        assert value.tobytes() == second.variables[name].tobytes()


def test_a_full_disk_is_an_error(tmp_path, monkeypatch):
    path = write(tmp_path, 30, 2)

    class Full:
        def write(self, data):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(arrays.tempfile, "TemporaryFile", Full)
    with pytest.raises(DataError) as caught:
        both(path, [])
    assert caught.value.message.code == "TFG631" and "No space left" in caught.value.headline
