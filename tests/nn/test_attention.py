"""Attention of `nn`, beside that of Keras with the same weights."""

import numpy as np
import pytest
import tensorflow as tf
from beside_keras import agree, first_weights, random
from conftest import some

import tfdsl

HEAD = """
placeholder Q: float32[batch, 4, 6]
placeholder K: float32[batch, 5, 6]
placeholder V: float32[batch, 5, 6]
placeholder lengths: int32[batch]
placeholder mask: bool[batch, 4, 5]
"""
Q, K, V, LENGTHS = random(3, 4, 6), random(3, 5, 6, seed=2), random(3, 5, 6, seed=3), np.array([5, 1, 3])
MASK = random(3, 4, 5, seed=4) > -0.5
FED = {"Q": Q, "K": K, "V": V, "lengths": LENGTHS, "mask": MASK}
THERE = np.arange(5) < LENGTHS[:, None]


@pytest.mark.parametrize(("options", "text", "masks"), [
    ({}, "", None),
    ({"use_scale": True}, "use_scale=true, lengths=lengths", [None, THERE]),
    ({"use_scale": True}, "use_scale=true, causal=true", None),
])  # fmt: skip
def test_attention(options, text, masks):
    from keras import layers  # takes a second

    layer = layers.Attention(**options)
    layer.build([Q.shape, V.shape, K.shape])

    def target():
        return tf.reduce_sum(tf.sin(layer([Q, V, K], mask=masks, use_causal_mask="causal" in text)))

    agree(f"{HEAD}target = reduce_sum(sin(nn.attention(Q, V, key=K, {text})))", FED, layer, target)


@pytest.mark.parametrize(("text", "masks"), [
    ("", {}),
    ("mask=mask, lengths=lengths", {"attention_mask": MASK & THERE[:, None]}),
    ("causal=true, use_bias=false", {"use_causal_mask": True}),
])  # fmt: skip
def test_several_heads(text, masks):
    from keras import layers

    layer = layers.MultiHeadAttention(2, 7, use_bias="use_bias" not in text)
    layer.build(Q.shape, V.shape, K.shape)

    def target():
        return tf.reduce_sum(tf.sin(layer(Q, V, K, **masks)))

    agree(f"{HEAD}target = reduce_sum(sin(nn.multi_head_attention(Q, V, 2, 7, key=K, {text})))", FED, layer, target)


def test_the_first_weights_have_the_shapes_of_keras():
    from keras import layers

    layer = layers.MultiHeadAttention(2, 7)
    layer.build(Q.shape, V.shape)
    found = first_weights(f"{HEAD}y = nn.multi_head_attention(Q, V, 2, 7)")
    assert [one.shape for one in found] == [one.shape for one in layer.get_weights()]


@pytest.mark.parametrize("norm_first", some([False, True], [True]))
def test_a_block(norm_first):
    import keras
    from keras import layers

    inputs, mask = keras.Input((5, 6)), keras.Input((1, 5), dtype="bool")
    attention = layers.MultiHeadAttention(2, 3)
    first, second = (layers.LayerNormalization(epsilon=1e-3) for _ in range(2))
    wide, narrow = layers.Dense(9, activation="relu"), layers.Dense(6)
    if norm_first:
        x = first(inputs)
        x = added = inputs + attention(x, x, attention_mask=mask, use_causal_mask=True)
        outputs = added + narrow(wide(second(x)))
    else:
        x = first(inputs + attention(inputs, inputs, attention_mask=mask, use_causal_mask=True))
        outputs = second(x + narrow(wide(x)))
    made_in_order = [first, attention, second, wide, narrow] if norm_first else [attention, first, wide, narrow, second]
    model = keras.Model([inputs, mask], outputs)
    assert [one for one in model.layers if one.weights] == made_in_order

    def target():
        return tf.reduce_sum(tf.sin(model([V, THERE[:, None]])))

    block = f"nn.transformer_block(V, 2, 9, lengths=lengths, causal=true, norm_first={str(norm_first).lower()})"
    agree(f"{HEAD}target = reduce_sum(sin({block}))", FED, model, target)


def test_it_drops_in_training_only():
    """Half of the weights are 0, and the others twice as large."""
    import tfdsl

    text = f"import nn\n{HEAD}y = nn.attention(Q, V, rate=0.5)\nz = nn.transformer_block(V, 2, 9, rate=0.5)\n"
    with tfdsl.compile(text).session() as session:
        given = {"Q": 0 * Q, "V": np.ones_like(V)}
        np.testing.assert_allclose(session.run("y", given), np.ones_like(Q), rtol=1e-5)
        dropped = session.run("y", {**given, "training": True})
        assert set(np.round(dropped.ravel() * 2.5)) <= {0, 1, 2, 3, 4, 5} and 0.5 < dropped.mean() < 1.5
        quiet, noisy = session.run("z", {"V": V}), session.run("z", {"V": V, "training": True})
        np.testing.assert_array_equal(quiet, session.run("z", {"V": V}))
        assert not np.allclose(quiet, noisy)


@pytest.mark.parametrize("options", ["causal=true", "lengths=lengths"])
def test_sizes_need_not_be_known(options):
    text = "placeholder X: float32[{}, 6]\nplaceholder lengths: int32[?]\nvalue = nn.attention(X, X, {})"
    known, unknown = (tfdsl.compile(f"import nn\n{text.format(sizes, options)}") for sizes in ("3, 5", "?, ?"))
    values = []
    for program in (known, unknown):
        with program.session() as session:
            values.append(session.run("value", {"X": K} | ({"lengths": LENGTHS} if "lengths" in options else {})))
    np.testing.assert_array_equal(*values)
