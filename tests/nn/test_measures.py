"""The measures of `nn`, beside those of Keras, for all rows at once and put together from batches."""

import numpy as np
import pytest

import tfdsl
from tfdsl.diagnostics import NOT_COMBINED

PROGRAM = """
import nn
data d = npz("rows.npz")
placeholder y: float32[rows]
placeholder logits: float32[rows]
placeholder values: float32[rows, 2]
placeholder predicted: float32[rows, 2]
placeholder kinds: int64[rows]
placeholder scores: float32[rows, 4]

session:
    {name} = evaluate nn.{call} on d{batches} with {fed}
    print {name}
"""
FED = {
    "binary": "y = b.y, logits = b.logits", "numbers": "values = b.values, predicted = b.predicted",
    "classes": "kinds = b.kinds, scores = b.scores",
}  # fmt: skip
CALLS = {
    "precision": ("precision(y, logits)", "binary"), "strict": ("precision(y, logits, threshold=0.7)", "binary"),
    "recall": ("recall(y, logits)", "binary"), "loose": ("recall(y, logits, threshold=0.3)", "binary"),
    "f1": ("f1(y, logits)", "binary"), "strict_f1": ("f1(y, logits, threshold=0.7)", "binary"),
    "auc": ("auc(y, logits)", "binary"), "coarse": ("auc(y, logits, thresholds=10)", "binary"),
    "r2": ("r2(values, predicted)", "numbers"), "confusion": ("confusion(kinds, scores)", "classes"),
}  # fmt: skip


@pytest.fixture(scope="module")
def rows():
    random = np.random.default_rng(8)
    y = (random.uniform(size=(61, 1)) < 0.4).astype("f")
    values = random.normal(3.0, 2.0, (61, 2)).astype("f")
    return {
        "y": y, "logits": (random.normal(size=(61, 1)) + 1.5 * y - 0.5).astype("f"),
        "values": values, "predicted": (values + random.normal(size=(61, 2))).astype("f"),
        "kinds": random.integers(0, 4, (61, 1)), "scores": random.normal(size=(61, 4)).astype("f"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def wanted(rows):
    from keras import metrics  # takes a second

    chances = 1 / (1 + np.exp(-rows["logits"].astype("d")))
    measures = {
        "precision": metrics.Precision(), "strict": metrics.Precision(thresholds=0.7), "recall": metrics.Recall(),
        "loose": metrics.Recall(thresholds=0.3), "f1": metrics.F1Score(threshold=0.5),
        "strict_f1": metrics.F1Score(threshold=0.7), "auc": metrics.AUC(), "coarse": metrics.AUC(num_thresholds=10),
    }  # fmt: skip
    found = {name: measure(rows["y"], chances.astype("f")) for name, measure in measures.items()}
    found["r2"] = metrics.R2Score()(rows["values"], rows["predicted"])
    found["confusion"] = np.zeros((4, 4))
    np.add.at(found["confusion"], (rows["kinds"][:, 0], rows["scores"].argmax(axis=1)), 1)
    return {name: np.squeeze(value) for name, value in found.items()}


@pytest.mark.parametrize("name", CALLS)
def test_a_measure(name, rows, wanted, here):
    np.savez("rows.npz", **rows)
    call, fed = CALLS[name]
    at_once = PROGRAM.format(name="m", call=call, batches="", fed=FED[fed].replace("b.", "d."))
    whole = tfdsl.compile(at_once).run().values["m"]
    np.testing.assert_allclose(whole, wanted[name], rtol=1e-5)
    for size in (7, 61):
        text = PROGRAM.format(name="m", call=call, batches=f" in batches of {size} as b", fed=FED[fed])
        np.testing.assert_allclose(tfdsl.compile(text).run().values["m"], whole, rtol=1e-6)


def test_there_may_be_no_row_of_a_kind(here):
    """As in Keras, a share of none is 0."""
    np.savez("rows.npz", y=np.zeros((5, 1), "f"), logits=-np.ones((5, 1), "f"), values=np.ones((5, 2), "f"),
             predicted=np.zeros((5, 2), "f"), kinds=np.zeros((5, 1), int), scores=np.ones((5, 4), "f"))  # fmt: skip
    for name in ("precision", "recall", "f1", "auc", "r2"):
        call, fed = CALLS[name]
        text = PROGRAM.format(name="m", call=call, batches=" in batches of 2 as b", fed=FED[fed])
        assert tfdsl.compile(text).run().values["m"] == 0, name


def test_values_made_of_a_measure_are_combined(rows, wanted, here):
    np.savez("rows.npz", **rows)
    text = PROGRAM.format(name="m", call="precision(y, logits) * 2.0 + nn.recall(y, logits)",
                          batches=" in batches of 7 as b", fed=FED["binary"])  # fmt: skip
    found = tfdsl.compile(text).run().values["m"]
    np.testing.assert_allclose(found, 2 * wanted["precision"] + wanted["recall"], rtol=1e-6)


def test_what_programs_make_of_counts_themselves_is_not(rows, here):
    np.savez("rows.npz", **rows)
    text = PROGRAM.format(name="m", call="precision(y, logits) / nn.recall(y, logits)",
                          batches=" in batches of 7 as b", fed=FED["binary"])  # fmt: skip
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text)
    assert [one.code for one in caught.value.diagnostics] == [NOT_COMBINED.code]


def test_one_column_may_be_rows(rows, wanted):
    text = "import nn\nplaceholder y: float32[n]\nplaceholder l: float32[n, 1]\n"
    for name in ("precision", "recall", "f1", "auc"):
        text += f"{name} = nn.{name}(y, l)\n"
    text += "r2 = nn.r2(y, l)\n"
    with tfdsl.compile(text).session() as session:
        for name in ("precision", "recall", "f1", "auc"):
            found = session.run(name, {"y": rows["y"][:, 0], "l": rows["logits"]})
            np.testing.assert_allclose(found, wanted[name], rtol=1e-5)
        columns = rows["values"][:, 0], rows["predicted"][:, :1]
        found = session.run("r2", {"y": columns[0], "l": columns[1]})
    left = np.square(columns[0] - columns[1][:, 0]).sum() / np.square(columns[0] - columns[0].mean()).sum()
    np.testing.assert_allclose(found, 1 - left, rtol=1e-5)


@pytest.mark.parametrize("dtype", ["int64", "bool"])
def test_labels_may_be_whole_numbers_or_truth_values(rows, wanted, dtype):
    names = ("precision", "recall", "f1", "auc")
    calls = "\n".join(f"{name} = nn.{name}(y, l)" for name in names)
    text = f"import nn\nplaceholder y: {dtype}[n]\nplaceholder l: float32[n, 1]\n{calls}\n"
    fed = {"y": rows["y"][:, 0].astype(dtype), "l": rows["logits"]}
    with tfdsl.compile(text).session() as session:
        found = session.run(list(names), fed)
    np.testing.assert_allclose(found, [wanted[name] for name in names], rtol=1e-5)


@pytest.mark.parametrize("call", ["mean_squared_error", "huber", "sigmoid_cross_entropy", "binary_accuracy", "r2"])
def test_one_label_is_not_compared_with_every_step_of_a_series(call):
    head = "import nn\nplaceholder y: float32[n, 1]\nplaceholder x: float32[n, 24, 3]\noutputs, _ = nn.lstm(x, 4)\n"
    error, *_ = tfdsl.check(f"{head}p = nn.dense(outputs, 1)\na = nn.{call}(y, p)\n")
    assert error.code == "TFG210" and "such as the last: p[:, -1]" in error.help_line
    assert not [one for one in tfdsl.check(f"{head}p = nn.dense(outputs, 1)\nprint_ = nn.{call}(y, p[:, -1])\n")
                if one.severity == "error"]  # fmt: skip
