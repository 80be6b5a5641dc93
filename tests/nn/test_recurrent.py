"""The recurrent layers of `nn`, beside those of Keras with the same weights."""

from itertools import product

import numpy as np
import pytest
import tensorflow as tf
from beside_keras import agree, first_weights, random
from conftest import some

import tfdsl
from tfdsl.runtime.options import Options

HEAD = """
placeholder X: float32[batch, 6, 3]
placeholder lengths: int32[batch]
placeholder h: float32[batch, 5]
placeholder c: float32[batch, 5]
"""
X, LENGTHS, H, C = random(4, 6, 3), np.array([6, 1, 3, 4]), random(4, 5, seed=2), random(4, 5, seed=3)
MASK = np.arange(6) < LENGTHS[:, None]
FED = {"X": X, "lengths": LENGTHS, "h": H, "c": C}

# The options of Keras, and those of nn.
LAYERS = {
    "SimpleRNN": [({}, ""), ({"use_bias": False, "activation": "relu"}, "use_bias=false, activation=relu")],
    "LSTM": [({}, ""), ({"use_bias": False, "recurrent_activation": "hard_sigmoid"},
                        "use_bias=false, recurrent_activation=hard_sigmoid")],
    "GRU": [({}, ""), ({"reset_after": False}, "reset_after=false"), ({"use_bias": False}, "use_bias=false"),
            ({"use_bias": False, "reset_after": False}, "use_bias=false, reset_after=false")],
}  # fmt: skip
NAMES = {"SimpleRNN": "rnn", "LSTM": "lstm", "GRU": "gru"}
HARD = "def hard_sigmoid(x):\n    return clip_by_value(x / 6.0 + 0.5, 0.0, 1.0)\n"


def states_of(name):
    """The parts of a state in a program, and their values."""
    return ("[h, c]", [H, C]) if name == "LSTM" else ("h", [H])


CALLS = [(name, *both) for name, several in LAYERS.items() for both in several]


# `test_layers_above_each_other` has layers without options, from the first step to the last.
SHOWN = [CALLS[1], CALLS[2], CALLS[4], CALLS[5]]


@pytest.mark.parametrize(("name", "options", "text", "reverse", "with_lengths"), some(
    [(*call, *ways) for call in CALLS for ways in product((False, True), repeat=2)],
    [(*call, not call[2], not call[2]) for call in SHOWN],
))  # fmt: skip
def test_a_layer(name, options, text, reverse, with_lengths):
    from keras import layers  # takes a second

    layer = getattr(layers, name)(5, return_sequences=True, return_state=True, go_backwards=reverse, **options)
    layer.build(X.shape)
    initial, values = states_of(name)

    def target():
        outputs, *state = layer(X, initial_state=values, mask=MASK if with_lengths else None)
        outputs = tf.reverse(outputs, [1]) if reverse else outputs
        outputs = outputs * MASK[:, :, None] if with_lengths else outputs
        return tf.reduce_sum(tf.sin(outputs) * np.arange(1.0, 7.0, dtype="f")[:, None]) + sum(
            tf.reduce_sum(tf.cos(one)) for one in state
        )

    arguments = ", ".join(filter(None, (
        f"X, 5, initial={initial}", "lengths=lengths" * with_lengths, "reverse=true" * reverse, text)))  # fmt: skip
    state = "reduce_sum(cos(state[0])) + reduce_sum(cos(state[1]))" if name == "LSTM" else "reduce_sum(cos(state))"
    program = (
        f"{HEAD}{HARD}outputs, state = nn.{NAMES[name]}({arguments})\n"
        f"target = reduce_sum(sin(outputs) * constant([[1.0], [2.0], [3.0], [4.0], [5.0], [6.0]])) + {state}"
    )
    agree(program, FED, layer, target)


@pytest.mark.parametrize("name", some(LAYERS, ["LSTM"]))  # its state is a list
def test_layers_above_each_other(name):
    import keras

    first, second = (
        getattr(keras.layers, name)(5, return_sequences=True, return_state=True) for _ in range(2)
    )  # fmt: skip
    inputs = keras.Input((6, 3))
    outputs, *below = first(inputs)
    outputs, *above = second(outputs)
    model = keras.Model(inputs, [outputs, *below, *above])

    def target():
        outputs, *states = model(X)
        return tf.reduce_sum(tf.sin(outputs)) + sum((at + 1) * tf.reduce_sum(one) for at, one in enumerate(states))

    parts = ["state[0]", "state[1]"] if name != "LSTM" else [f"state[{i}][{j}]" for i in (0, 1) for j in (0, 1)]
    states = " + ".join(f"{at + 1}.0 * reduce_sum({one})" for at, one in enumerate(parts))
    program = f"{HEAD}outputs, state = nn.{NAMES[name]}(X, 5, layers=2)\ntarget = reduce_sum(sin(outputs)) + {states}"
    agree(program, FED, model, target)


@pytest.mark.long
@pytest.mark.parametrize(("name", "merge", "mode"), some(
    [("SimpleRNN", "", "concat"), ("LSTM", ", merge=add", "sum"), ("GRU", ", merge=multiply", "mul")],
    [("SimpleRNN", "", "concat")],
))  # fmt: skip
def test_both_directions(name, merge, mode):
    from keras import layers

    inner = getattr(layers, name)(5, return_sequences=True, return_state=True, zero_output_for_mask=True)
    layer = layers.Bidirectional(inner, merge_mode=mode)
    layer.build(X.shape)
    initial, values = ("[[h, c], [c, h]]", [H, C, C, H]) if name == "LSTM" else ("[h, c]", [H, C])

    def target():
        outputs, *states = layer(X, initial_state=values, mask=tf.constant(MASK))
        return tf.reduce_sum(tf.sin(outputs)) + sum((at + 1) * tf.reduce_sum(one) for at, one in enumerate(states))

    parts = ["states[0]", "states[1]"] if name != "LSTM" else [f"states[{i}][{j}]" for i in (0, 1) for j in (0, 1)]
    sums = " + ".join(f"{at + 1}.0 * reduce_sum({one})" for at, one in enumerate(parts))
    program = (
        f"{HEAD}outputs, states = nn.bidirectional(nn.{NAMES[name]}, X, 5, lengths=lengths, initial={initial}{merge})\n"
        f"target = reduce_sum(sin(outputs)) + {sums}"
    )
    agree(program, FED, layer, target)


def test_the_options_of_the_layers_of_both_directions():
    """As with a `def` that has them."""
    made = "def layer(X, units, lengths=none, initial=none, reverse=false):\n    return nn.gru(X, units, lengths=lengths, initial=initial, reverse=reverse, {options})\n"
    options = "layers=2, activation=relu, reset_after=false"
    printed = [
        tfdsl.compile(f"import nn\nseed 3\nX = random_normal([2, 5, 3], seed=1)\n{text}\nsession: print y, states")
        .run()
        .printed
        for text in (
            f"y, states = nn.bidirectional(nn.gru, X, 4, {options})",
            f"{made.format(options=options)}y, states = nn.bidirectional(layer, X, 4)",
        )
    ]
    assert printed[0] == printed[1]


@pytest.mark.parametrize("name", LAYERS)
def test_the_first_weights_are_of_the_kind_of_keras(name):
    """Glorot's for the inputs, an orthogonal matrix, and a bias of 0, or 1 at the gate that forgets."""
    from keras import layers

    layer = getattr(layers, name)(5)
    layer.build(X.shape)
    wanted = layer.get_weights()
    found = first_weights(f"{HEAD}outputs, state = nn.{NAMES[name]}(X, 5)")
    assert [one.shape for one in found] == [one.shape for one in wanted]
    assert np.abs(found[0]).max() < np.sqrt(6 / sum(found[0].shape))
    np.testing.assert_allclose(found[1] @ found[1].T, np.eye(5), atol=1e-5)
    np.testing.assert_array_equal(found[2], wanted[2])


TRAINED = """
import nn
seed 4
data series = npz("series.npz")
placeholder X: float32[batch, 6, 3]
placeholder n: int64[batch]
placeholder y: float32[batch, 1]

_outputs, states = nn.bidirectional(nn.gru, X, 4, lengths=n)
predictions = nn.dense(concat(states, axis=1), 1)
error = nn.mean_squared_error(y, predictions)
optimize error with momentum(0.9, learning_rate=0.01)
session:
    train 3 epochs on series in batches of 10 as batch:
        feed X = batch.features, n = batch.n, y = batch.target
    at_once = evaluate error, predictions on series with X = series.features, n = series.n, y = series.target
    found = evaluate error, predictions on series in batches of 7 as b with X = b.features, n = b.n, y = b.target
    expect found.error == at_once.error within 0.00001
    expect found.predictions == at_once.predictions within 0.00001
"""


@pytest.mark.long
@pytest.mark.parametrize("engine", some(["loop", "xla"], ["loop"]))
def test_engines_train_alike(here, engine):
    lengths = np.random.default_rng(3).integers(1, 7, 30)
    np.savez("series.npz", features=random(30, 6, 3), n=lengths, target=random(30, 1, seed=5))
    program = tfdsl.compile(TRAINED)
    step, other = (
        program.run(options=Options(write=lambda line: None, engine=one)).variables for one in ("step", engine)
    )
    for name, value in step.items():
        if engine == "loop":
            np.testing.assert_array_equal(value, other[name], err_msg=name)
        else:
            np.testing.assert_allclose(value, other[name], rtol=1e-4, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("value", "code", "help"),
    [
        ("nn.dense(state, 1)", "TFG406", "name one of its values, such as state[0]"),
        ("nn.flatten(state)", "TFG406", "name one of its values, such as state[0]"),
        ("nn.dense(state.h, 1)", "TFG304", "a list has its values by number: state[0] to state[1]"),
    ],
)
def test_the_state_is_a_list(value, code, help):
    error, *_ = tfdsl.check(f"import nn\nplaceholder x: float32[n, 5, 3]\n_, state = nn.lstm(x, 4)\ny = {value}\n")
    assert error.code == code and help in error.help_line and error.span.source.path == "<text>"
