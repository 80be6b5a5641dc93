"""Every statement of sessions and every layer of `nn`, in each engine, in towers and on a cluster of 1 ps and 2 workers.

`loop` gives the bits of `step`, also in towers, and a cluster the bits of two towers. XLA rounds, and draws other random
numbers.
"""

import contextlib
import re
from textwrap import indent

import numpy as np
import pytest
from client import Job, differences, run
from conftest import some

import tfdsl
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

_random = np.random.RandomState(5)
FEATURES = _random.randn(40, 12).astype(np.float32)
TARGET = FEATURES[:, :1] * 0.7 + FEATURES[:, 1:2] * FEATURES[:, 2:3]
DATA = {"rows": (FEATURES, TARGET)}

PROGRAM = """
import nn
seed 7
data rows = npz("rows.npz") | split(test=0.25, seed=3)
placeholder X: float32[batch, 12]
placeholder y: float32[batch, 1]
series = reshape(X, [-1, 4, 3])
picture = reshape(X, [-1, 4, 3, 1])
{layer}
p = nn.dense(h, 1)
{loss}
summary scalar error as "error"
{step}
session:
    log to "logs"
{before}
    train 3 epochs on rows.train in batches of 7 as batch:
        feed X = batch.features, y = batch.target
        every 3 steps: log
{body}
{after}
    print "end", error with X = rows.test.features, y = rows.test.target
"""
EVALUATED = (
    "test = evaluate error, reduce_mean(p) as mean on rows.test in batches of 4 as b with X = b.features, y = b.target"
)
PLAIN = {
    "layer": "h = nn.dense(X, 3, activation=tanh)",
    "loss": "error = nn.mean_squared_error(y, p)",
    "step": "optimize error with adam(learning_rate=0.01)",
    "before": "",
    "body": f"after every 1 epoch:\n    {EVALUATED}\n    print epoch, test.mean",
    "after": "",
}

CACHED = "cached = evaluate {}, y on rows.train in batches of 5 as b with X = b.features, y = b.target"
CLASSES = """variable ws = random_normal([20, 3])
variable bs: float32[20] = zeros
classes = cast(abs(y) * 8.0, int32) % 20
"""
MEASURES = """error = nn.sigmoid_cross_entropy(cast(y > 0.0, float32), p)
z = cast(y > 0.0, float32)
precision, recall, f1, auc = [nn.precision(z, p), nn.recall(z, p), nn.f1(z, p), nn.auc(z, p)]
r2, accuracy = [nn.r2(y, p), nn.binary_accuracy(z, p)]
"""
_FIELDS = ("precision", "recall", "f1", "auc", "r2", "accuracy")
MEASURED = f"""after every 1 epoch:
    test = evaluate {", ".join(_FIELDS)} on rows.test in batches of 4 as b with X = b.features, y = b.target
    print {", ".join(f"test.{field}" for field in _FIELDS)}
"""

LAYERS = {
    "conv1d": "h = nn.flatten(nn.conv1d(series, 2))",
    "conv2d": "h = nn.flatten(nn.conv2d(picture, 2))",
    "conv3d": "h = nn.flatten(nn.conv3d(reshape(X, [-1, 2, 2, 3, 1]), 2))",
    "conv2d_transpose": "h = nn.flatten(nn.conv2d_transpose(reshape(X, [-1, 2, 2, 3]), 2))",
    "separable_conv2d": "h = nn.flatten(nn.separable_conv2d(picture, 2))",
    "max_pool": "h = nn.flatten(nn.max_pool(nn.conv2d(picture, 2)))",
    "avg_pool": "h = nn.flatten(nn.avg_pool(nn.conv2d(picture, 2)))",
    "global_avg_pool": "h = nn.global_avg_pool(nn.conv2d(picture, 2))",
    "dropout": "h = nn.dropout(nn.dense(X, 6), rate=0.3)",
    "batch_norm": "h = nn.batch_norm(nn.dense(X, 3, use_bias=false))",
    "layer_norm": "h = nn.layer_norm(nn.dense(X, 4))",
    "group_norm": "h = nn.group_norm(nn.dense(X, 4), groups=2)",
    "embedding": "h = nn.flatten(nn.embedding(cast(abs(X) * 3.0, int32) % 5, 5, 2))",
    "rnn": "_outputs, h = nn.rnn(series, 3)",
    "lstm": "outputs, _state = nn.lstm(series, 3)\nh = outputs[:, -1]",
    "lstm with lengths": "lengths = 1 + cast(abs(X[:, 0]) * 3.0, int32) % 4\n"
    "outputs, _state = nn.lstm(series, 3, lengths=lengths)\nh = reduce_sum(outputs, axis=1)",
    "gru": "outputs, _state = nn.gru(series, 3, layers=2)\nh = outputs[:, -1]",
    "bidirectional": "outputs, _states = nn.bidirectional(nn.gru, series, 2)\nh = outputs[:, 0]",
    "attention": "h = nn.flatten(nn.attention(series, series, use_scale=true))",
    "multi_head_attention": "h = nn.flatten(nn.multi_head_attention(series, series, 2, 3))",
    "transformer_block": "h = nn.flatten(nn.transformer_block(series, 1, 5, rate=0.1, causal=true))",
    "map_fn": "def doubled(one): return 2.0 * one + reduce_sum(one)\nh = map_fn(doubled, X)",
    "scan": "def added(sum, one): return 0.5 * sum + one\nh = transpose(scan(added, transpose(X), zeros_like(X[:, 0])))",
    "foldl": "def added(sum, one): return 0.5 * sum + one\n"
    "h = stack([foldl(added, transpose(X), zeros_like(X[:, 0]))], axis=1)",
}
STATEMENTS = {
    "keep": {
        "body": f'after every 1 epoch:\n    {EVALUATED}\n    keep lowest test.error to "best.ckpt"',
        "after": 'restore from "best.ckpt"\nprint test.mean',
    },
    "stop after": {
        "body": f"after every 1 epoch:\n    {EVALUATED}\n    print epoch, test.mean\n"
        "    stop after 1 epochs without lower test.error by 0.3",
    },
    "after every": {
        "body": "after every 4 steps: print step, error\nafter every 2 batches: print step\n"
        "after every 1 epoch: print error with X = rows.test.features, y = rows.test.target",
    },
    "log NAME": {"body": f"after every 1 epoch:\n    {EVALUATED}\n    log test"},
    "if": {
        "before": "last = 100.0",
        "body": 'every 3 steps:\n    now_at = error\n    if now_at < last:\n        print "better {now_at:.3f}"\n'
        '        last = now_at\n    else:\n        print "worse {now_at:.3f}"',
    },
    "values": {
        "before": "first = error with X = rows.test.features, y = rows.test.target",
        "body": "every 5 steps: print first, step",
        "after": "print first",
    },
    "evaluate rows": {"before": CACHED.format("p"), "after": "print cached.p, cached.y"},
    "evaluate at once": {
        "after": "one = evaluate sqrt(error) on rows.test as b with X = b.features, y = b.target\nprint one"
    },
    "write": {
        "body": "after every 1 epoch:\n    found = evaluate p, y on rows.test in batches of 4 as b "
        'with X = b.features, y = b.target\n    write found to "found-{epoch}.csv"',
        "after": 'write found.p to "p.npy"',
    },
    "export": {"after": 'export p with X to "served"'},
    "apply": {
        "step": "ws = trainable_variables()\napply [clip_by_norm(g, 0.1) for g in gradients(error, ws)] to ws with adam()",
    },
    "global_step": {
        "step": "rate = exponential_decay(0.1, global_step, 3, 0.5, staircase=true)\n"
        "optimize error with momentum(0.9, learning_rate=rate)",
        "after": "print global_step",
    },
    "clips": {"step": "optimize error with adam(learning_rate=0.01, global_clipnorm=0.1, weight_decay=0.01)"},
    "two steps": {
        "step": "optimize error with adam() wrt dense as one\n"
        "optimize reduce_mean(abs(p)) with gradient_descent(learning_rate=0.01) wrt dense_1 as two",
        "body": "run one\nevery 3 steps: run two",
    },
    "train on values": {
        "before": CACHED.format("h") + "\ntrain 2 epochs on cached in batches of 6 as c:\n    feed h = c.h, y = c.y\n"
        "    run head",
        "step": "optimize error with adam() wrt dense as every_step\noptimize error with adam() wrt dense_1 as head",
        "body": "run every_step",
    },
    "for": {
        "before": "for r in [1, 2]:\n    train 1 epochs on rows.train in batches of 7 as batch:\n"
        "        feed X = batch.features, y = batch.target\n"
        "    print r, error with X = rows.test.features, y = rows.test.target",
    },
    "checkpoint": {
        "body": f'checkpoint every 5 steps in "kept"\nafter every 1 epoch:\n    {EVALUATED}\n'
        '    keep lowest test.error to "best.ckpt"\n    stop after 2 epochs without lower test.mean',
    },
    "stop when": {"body": "every 3 steps: stop when error < 0.9"},
    "expect": {"body": "every 4 steps: expect error < 1e9"},
    "set": {
        "step": "optimize error with momentum(0.9, learning_rate=exponential_decay(0.1, global_step, 3, 0.5))",
        "body": "every 6 steps: set global_step = 0",
    },
    "mean_absolute_error": {"loss": "error = nn.mean_absolute_error(y, p)"},
    "huber": {"loss": "error = nn.huber(y, p)"},
    "sigmoid_cross_entropy": {"loss": "error = nn.sigmoid_cross_entropy(cast(y > 0.0, float32), p)"},
    "l1_l2_penalty": {
        "loss": "error = nn.mean_squared_error(y, p) + nn.l1_l2_penalty(trainable_variables())",
    },
    "sampled_softmax": {
        "loss": CLASSES + "error = nn.sampled_softmax(classes, h, ws, bs, 5) + 0.1 * reduce_mean(square(p))"
    },
    "nce": {"loss": CLASSES + "error = nn.nce(classes, h, ws, bs, 5) + 0.1 * reduce_mean(square(p))"},
    "measures": {"loss": MEASURES, "body": MEASURED},
}
TABLE = {**{name: {"layer": layer} for name, layer in LAYERS.items()}, **STATEMENTS}


def program(name):
    parts = {**PLAIN, **TABLE[name]}
    width = {"before": 4, "body": 8, "after": 4}
    return PROGRAM.format(**{part: indent(text, " " * width.get(part, 0)) for part, text in parts.items()})


# Those whose random numbers XLA draws otherwise.
DRAWN = ("dropout", "transformer_block", "sampled_softmax", "nce")


@pytest.mark.long
@pytest.mark.parametrize("name", some(TABLE, ["keep"]))
def test_loops_and_towers(name, tmp_path):
    ways = {(engine, towers): tmp_path / f"{engine}-{towers}" for towers in (1, 2) for engine in ("step", "loop")}
    found = {}
    for (engine, towers), folder in ways.items():
        folder.mkdir()
        with contextlib.chdir(folder):
            compiled = tfdsl.compile(program(name), data=DATA).on(towers=towers)
            options = Options(write=lambda line: None, engine=engine, deterministic=True)
            found[engine, towers] = compiled.run(options=options)
        assert set(found[engine, towers].engines) == {engine}
    for towers in (1, 2):
        step, loop = found["step", towers], found["loop", towers]
        assert step.printed == loop.printed and step.history == loop.history
        assert {n: v.tobytes() for n, v in step.variables.items()} == {
            n: v.tobytes() for n, v in loop.variables.items()
        }
    one, two = found["step", 1], found["step", 2]
    if name not in DRAWN:  # a tower draws numbers of its own
        close(one, two)


# `test_engines.py` compiles many statements at once.
@pytest.mark.parametrize("name", some(TABLE, []))
def test_xla(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compiled = tfdsl.compile(program(name), data=DATA)
    options = [Options(write=lambda line: None, engine=engine, overwrite=True) for engine in ("step", "xla")]
    step = compiled.run(options=options[0])
    xla = compiled.run(options=options[1])
    assert set(xla.engines) == {"xla"} and len(xla.printed) == len(step.printed)
    if name not in DRAWN:
        close(step, xla)


def close(one, other):
    """The same printed numbers, within rounding. Variables may differ by more where no gradient leads to them, such as
    the biases of keys in `multi_head_attention`: Adam makes steps of what rounding leaves."""
    first, second = (re.findall(r"-?\d[\d.e-]*", " ".join(result.printed)) for result in (one, other))
    assert first
    np.testing.assert_allclose(list(map(float, first)), list(map(float, second)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("names", some([[*TABLE]], []), ids=len)
def test_clusters(names, cluster, tmp_path):
    ways = {"cluster": {"cluster": cluster.config}, "towers": {"towers": 2}}
    jobs = [Job(program(name), tmp_path / name / way, data=DATA, **ways[way]) for name in names for way in ways]
    outcomes = iter(run(tmp_path, jobs, timeout=3000))
    different = {}
    for name in names:
        on_cluster, in_towers = next(outcomes), next(outcomes)
        assert not on_cluster.errors and on_cluster.printed, (name, on_cluster.errors)
        if found := differences(on_cluster, in_towers):
            different[name] = found
    assert not different
