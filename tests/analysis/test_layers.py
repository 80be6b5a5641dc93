"""The layers of programs: their parameters beside those of Keras, the slots of optimizers beside TensorFlow's."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import some

import tfdsl
from tfdsl.analysis.layers import Amount, layers
from tfdsl.ops.optimizers import OPTIMIZERS

v1 = tf.compat.v1


def summary(text):
    return layers(tfdsl.compile(f"import nn\n{text}\n").program.graph())


def dense(keras):
    L = keras.layers
    return [L.Input((20,)), L.Dense(30, activation="relu"), L.Dropout(0.5), L.Dense(7)]


def convolutional(keras):
    L = keras.layers
    return [
        L.Input((28, 28, 3)), L.Conv2D(8, 5, padding="same"), L.BatchNormalization(), L.MaxPooling2D(),
        L.SeparableConv2D(4, 3), L.BatchNormalization(), L.Conv2DTranspose(2, 3, padding="same"), L.Flatten(), L.Dense(10),
    ]  # fmt: skip


def recurrent(keras):
    L = keras.layers
    return [
        L.Input((12,)), L.Embedding(100, 16), L.Bidirectional(L.LSTM(8, return_sequences=True)),
        L.GRU(5, return_sequences=True), L.SimpleRNN(4), L.Dense(1),
    ]  # fmt: skip


BESIDE = {
    dense: """
placeholder X: float32[n, 20]
hidden = nn.dense(X, 30, activation=relu)
result = nn.dense(nn.dropout(hidden, 0.5), 7)
""",
    convolutional: """
placeholder X: float32[n, 28, 28, 3]
x = nn.batch_norm(nn.conv2d(X, 8, size=5))
x = nn.separable_conv2d(nn.max_pool(x), 4, padding="VALID")
x = nn.conv2d_transpose(nn.batch_norm(x), 2)
result = nn.dense(nn.flatten(x), 10)
""",
    recurrent: """
placeholder X: int32[n, 12]
words = nn.embedding(X, 100, 16)
both, _ = nn.bidirectional(nn.lstm, words, 8)
series, _ = nn.gru(both, 5)
_, last = nn.rnn(series, 4)
result = nn.dense(last, 1)
""",
}


@pytest.mark.parametrize("network", BESIDE)
def test_parameters_and_shapes_as_those_of_keras(network):
    import keras  # takes a second

    model = keras.Sequential(network(keras))
    made = summary(BESIDE[network])
    assert made.trainable.count + made.fixed.count == model.count_params()
    assert made.trainable.count == sum(one.value.shape.num_elements() for one in model.trainable_weights)
    ours = [layer for layer in made.layers if layer.path and layer.level == 0]
    assert [one.trainable.count + one.fixed.count for one in ours] == [one.count_params() for one in model.layers]
    if network is not recurrent:  # which here return the last state too
        assert [one.outputs[0].shape[1:] for one in ours] == [one.output.shape[1:] for one in model.layers]


@pytest.mark.parametrize("name", some(sorted(OPTIMIZERS), ["adam", "gradient_descent", "momentum", "rmsprop"]))
@pytest.mark.parametrize("option", ["", "centered=true", "clipnorm=1.0, weight_decay=0.1"])
def test_what_optimizers_keep(name, option):
    if option == "centered=true" and not OPTIMIZERS[name].one_more:
        option = ""
    given = ", ".join(filter(None, [OPTIMIZERS[name].example.partition("(")[2].removesuffix(")"), option]))
    text = f"""
variable w: float32[3, 4] = ones
variable v: float64[5] = ones, trainable=false
variable unused: float32[9] = ones
loss reduce_sum(square(w))
optimize with {name}({given})
"""
    program = tfdsl.compile(text)
    theirs = [one for one in program.graph.get_collection(v1.GraphKeys.GLOBAL_VARIABLES)
              if one.op.name not in ("w", "v", "unused")]  # fmt: skip
    sizes = [(one.shape.num_elements(), one.shape.num_elements() * one.dtype.size) for one in theirs]
    wanted = Amount(sum(count for count, _ in sizes), sum(size for _, size in sizes))
    assert layers(program.program.graph()).optimizer == wanted


def test_optimizers_that_are_given_variables_or_gradients():
    text = """
variable a: float32[3] = ones
variable b: float32[4] = ones
loss reduce_sum(square(a)) + reduce_sum(square(b))
"""
    assert summary(f"{text}optimize with momentum(momentum=0.9, learning_rate=0.1) wrt b").optimizer.count == 4
    both = """
optimize reduce_sum(a) with adagrad(learning_rate=0.1) wrt a as first
optimize reduce_sum(b) with adam(learning_rate=0.1) wrt b as second
"""
    assert summary(f"{text}{both}").optimizer.count == 3 + 2 * 4 + 2


def found(text):
    return {layer.path: layer for layer in summary(text).layers}


def test_names_are_the_paths_of_scopes():
    made = found("""
placeholder X: float32[n, 4]
scope dnn:
    x = nn.dense(X, 3, activation=relu) as first
    x = nn.dense(x, 3)
    x = nn.dense(x, 3)
scope loss:
    mse = reduce_mean(square(x))
    scope parts: largest = reduce_max(x)
optimize mse with gradient_descent(learning_rate=0.1)
""")
    assert list(made) == ["dnn", "dnn.first", "dnn.dense", "dnn.dense_1", "loss", "loss.parts"]
    assert [one.level for one in made.values()] == [0, 1, 1, 1, 0, 1]
    assert made["dnn"].trainable == Amount(15 + 12 + 12, 4 * 39)
    assert made["dnn"].work.flops == sum(made[f"dnn.{name}"].work.flops for name in ("first", "dense", "dense_1"))
    assert made["dnn.first"].work.flops == 2 * 4 * 3 + 3 + 3
    assert [str(one) for one in made["dnn"].outputs] == ["float32[n, 3]"]
    assert [str(one) for one in made["loss"].outputs] == ["float32"]
    assert made["loss.parts"].work.flops == 2


def test_what_is_outside_all_scopes_comes_last():
    made = found("""
placeholder X: float32[n, 4]
variable w: float32[4, 1] = zeros
variable steps = 0, trainable=false
y = X @ w
z = nn.dense(y, 2)
""")
    assert list(made) == ["dense", ""]
    assert made[""].trainable == Amount(4, 16) and made[""].fixed == Amount(1, 4) and made[""].work.flops == 8


def test_shared_variables_count_once():
    made = summary("""
placeholder X: float32[n, 4]
a = nn.dense(X, 3) as critic
b = nn.dense(X + 1.0, 3) as critic reuse
result = a + b
""")
    assert made.trainable.count == 15
    assert [(one.path, one.trainable.count) for one in made.layers] == [("critic", 15), ("critic_1", 0), ("", 0)]
    assert {one.work.flops for one in made.layers[:2]} == {2 * 4 * 3 + 3}


def test_what_only_initial_values_and_training_need_does_not_count():
    made = summary("""
placeholder x: float32[n]
variable w = sqrt(reduce_sum(exp(ones([50]))))
y = w * x
cost = reduce_mean(square(y))
gradient, = gradients(cost, w)
rate = exponential_decay(0.1, 5, 10, 0.9) * 2.0
optimize cost with gradient_descent(learning_rate=rate)
with_gradient = gradient * 2.0
""")
    assert made.work.flops == 1 + 1 + 1 + 1 and made.work.unknown == ()


def test_the_branch_without_training_counts():
    made = summary("""
placeholder x: float32[n, 8]
placeholder other: bool
if training:
    y = exp(x) + x * x
else:
    y = exp(x)
result = y
""")
    assert made.work.flops == 8 and made.work.unknown == ()


def test_bytes():
    """The memory of texts is not known, and not counted."""
    made = summary("""
variable flags = [true, false, true]
variable n: int64 = 0
variable z: complex64[2] = zeros
variable names = ["a", "b"]
result = n
""")
    assert made.trainable == Amount(2, 16) and made.fixed == Amount(6, 3 + 8)


def test_rows_without_a_name():
    made = summary("placeholder X: float32[?, 4]\nresult = nn.dense(X, 3)")
    assert made.batch == ("?",) and made.work.flops == 27 and made.work.unknown == ()


def test_functions_of_a_library_for_itself_are_no_layers():
    found = summary("placeholder y: float32[n]\ndef _mine(x):\n    return nn.auc(y, x)\nm = _mine(y)")
    assert [layer.path for layer in found.layers] == ["_mine", "_mine.auc"]


def test_what_is_made_of_gradients_for_an_optimizer_is_not_counted():
    text = "variable w: float32[3] = ones\ncost = l2_loss(w)\ng = gradients(cost, w)\n"
    clipped = summary(f"{text}c, norm = clip_by_global_norm(g, 1.0)\napply c to w with adam")
    assert clipped.work == summary(f"{text}apply g to w with adam").work
    assert clipped.work.flops > 0 and not clipped.work.unknown
    assert summary(f"{text}c, norm = clip_by_global_norm(g, 1.0)").work.unknown == ("clip_by_global_norm",)


def test_constants_of_files(here):
    """The weights of a frozen network are parameters that are not trained."""
    np.savez("net.npz", kernel=np.ones([4, 3], np.float32), bias=np.ones([3], np.float32))
    found = summary("""\
placeholder x: float32[?, 4]
scope dense:
    y = relu(x @ stored("kernel", from="net.npz") + stored("bias", from="net.npz"))
""")
    (layer,) = found.layers
    assert layer.path == "dense" and layer.fixed == found.fixed == Amount(15, 60)
    assert found.trainable == Amount() and found.work.flops == 4 * 3 * 2 + 3 + 3 and not found.work.unknown
