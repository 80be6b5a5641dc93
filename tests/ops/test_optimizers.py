"""Arguments of optimizers that TensorFlow lacks: a row says how a step with one is made."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.cli import main
from tfdsl.ops.optimizers import OPTIMIZERS, OwnArgument
from tfdsl.runtime.options import Options


def _clipped(tf, apply, pairs, arguments):
    gradients, _ = tf.clip_by_global_norm([gradient for gradient, _ in pairs], arguments["clip_norm"])
    return apply(list(zip(gradients, [variable for _, variable in pairs], strict=True)))


def _decayed(tf, apply, pairs, arguments):
    shares = [arguments["learning_rate"] * arguments["weight_decay"] * variable for _, variable in pairs]
    with tf.control_dependencies(shares):
        step = apply(pairs)
    with tf.control_dependencies([step]):
        return tf.group(*(variable.assign_sub(share) for share, (_, variable) in zip(shares, pairs, strict=True)))


@pytest.fixture
def own(monkeypatch):
    """The optimizer momentum with two arguments that TensorFlow's class does not have."""
    arguments = {"clip_norm": OwnArgument(None, _clipped), "weight_decay": OwnArgument(0.0, _decayed)}
    monkeypatch.setitem(OPTIMIZERS, "momentum", replace(OPTIMIZERS["momentum"], own=arguments))


PROGRAM = """
variable w = [3.0, -4.0]
variable b = 2.0
optimize reduce_sum(square(w)) + square(b - 1) with momentum(0.9, {own}learning_rate=0.1) as step
session:
    train 5 steps:
        every 1 step: print w, b
"""


def program(own):
    return tfdsl.compile(PROGRAM.format(own=own))


def by_hand(clip_norm, weight_decay):
    w, b, m = np.array([3.0, -4.0]), 2.0, np.zeros(3)
    for _ in range(5):
        gradient = np.array([*(2 * w), 2 * (b - 1)])
        if clip_norm is not None:
            gradient *= min(1.0, clip_norm / np.linalg.norm(gradient))
        m = 0.9 * m + gradient
        new = np.array([*w, b]) - 0.1 * m - 0.1 * weight_decay * np.array([*w, b])
        w, b = new[:2], new[2]
    return w, b


TEXTS = [
    ("clip_norm=1.5, ", 1.5, 0.0),
    ("weight_decay=0.25, ", None, 0.25),
    ("weight_decay=0.25, clip_norm=1.5, ", 1.5, 0.25),
]


@pytest.mark.parametrize(("text", "clip_norm", "weight_decay", "engine"), some(
    [(*one, engine) for one in TEXTS for engine in ("step", "loop", "xla")],
    [*((*one, "step") for one in TEXTS), *((*TEXTS[2], engine) for engine in ("loop", "xla"))],
))  # fmt: skip
def test_a_step_has_the_arguments_of_the_row(own, text, clip_norm, weight_decay, engine):
    result = program(text).run(options=Options(write=lambda line: None, engine=engine))
    w, b = by_hand(clip_norm, weight_decay)
    np.testing.assert_allclose(result.variables["w"], w, rtol=1e-6)
    np.testing.assert_allclose(result.variables["b"], b, rtol=1e-6)


def nodes(compiled):
    return [node.name for node in compiled.built().graph.as_graph_def().node]


def test_without_them_the_graph_is_the_same(own, monkeypatch):
    with_row = nodes(program(""))
    names = {name for name in nodes(program("clip_norm=1.5, ")) if "Momentum" in name and "read" not in name.lower()}
    monkeypatch.undo()
    assert nodes(program("")) == with_row
    assert {"w/Momentum", "b/Momentum"} <= names


def test_the_row_defines_the_signature(own, capsys, tmp_path):
    assert main(["ops", "momentum"]) == 0
    assert "momentum(momentum, use_nesterov = false, clip_norm = none, weight_decay = 0.0, " in capsys.readouterr().out
    (tmp_path / "p.tfg").write_text("variable w = 1.0\noptimize square(w) with momentum(0.9, clip_norn=2)\n")
    assert main(["check", str(tmp_path / "p.tfg")]) == 1
    assert "clip_norm" in capsys.readouterr().out
