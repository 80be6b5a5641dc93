"""Inputs that crash TensorFlow's kernels or make them hang are errors at the line, at check time if known."""

import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

import tfdsl
from tfdsl.diagnostics import TfgError

OPEN = "placeholder x: float32[...]\nplaceholder z: complex64[n, m]\nplaceholder l: int32[1]\n"
OPEN += "variable v = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]\nplaceholder q: float32[?, ?]\nplaceholder s: int32[?]\n"
OPEN += "placeholder pics: float32[?, ?, ?, 2]\n"
IMAGES = "pics = [[[[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5, 6]], [[1, 2], [3, 4], [5, 6]]]]"


@pytest.mark.parametrize(
    "line, feeds, text",
    [
        ('conv2d(x, zeros([1, 1, 2, 2]), strides=1, padding="SAME")', "x = [1, 2]", "not compatible"),
        ('depthwise_conv2d(x, zeros([1, 1, 2, 2]), strides=[1, 1, 1, 1], padding="SAME")', "x = [1, 2]",
         "not compatible"),
        ('conv1d(x, zeros([1, 2, 2]), stride=1, padding="SAME")', "x = [[1, 2]]", "not compatible"),
        ('conv3d(x, zeros([1, 1, 1, 2, 2]), strides=[1, 1, 1, 1, 1], padding="SAME")', "x = 1", "not compatible"),
        ('max_pool3d(x, ksize=1, strides=1, padding="SAME")', "x = [[[[1]]]]", "not compatible"),
        ("irfft(z)", "z = [[1], [1]]", "nothing to transform"),
        ("irfft(z, fft_length=l)", "z = [[1, 2]], l = [0]", "nothing to transform"),
        ("rfft(real(z), fft_length=l)", "z = [[1, 2]], l = [0]", "nothing to transform"),
        ("dct(real(z), type=3)", "z = [[], []]", "nothing to transform"),
        ("irfft(z, fft_length=[4])", "z = [[], []]", "nothing to transform"),
        ("tensor_scatter_nd_sub(ones([5, 3]), cast(x, int32), [1.0, 1.0])", "x = [[[1], [0]], [[1], [0]]]",
         "no update for each"),
        ("logm(z)", "z = [[0, 0], [0, 0]]", "a matrix of zeros"),
        ("conv3d_transpose(ones([1, 2, 2, 2, 1]), ones([1, 1, 1, 1, 1]), s, strides=2)", "s = [1, 4, 4]",
         "not compatible"),
        ("conv2d_transpose(ones([1, 2, 2, 1]), ones([1, 1, 1, 1]), s, strides=2)", "s = []", "not compatible"),
        ('separable_conv2d(ones([1, 3, 3, 1]), ones([1, 1, 1, 1]), x, [1, 1, 1, 1], "SAME")', "x = [[[[1]], [[1]]]]",
         "not compatible"),
        ("scatter_nd_add(v, reshape(cast(x, int32), [1]), x)", "x = 0", "no update for each"),
        ("scatter_nd(reshape(cast(x, int32), [1]), x, [3])", "x = 0", "no update for each"),
        ("cholesky(z)", "z = [[1, 2], [2, 1]]", "not positive definite"),
        ("rfft(real(z), fft_length=l)", "z = [[], []], l = [2]", "nothing to transform"),
        ("scatter_min(v, [0, 1], q)", "q = [[1], [2]]", "not compatible"),
        ("scatter_update(v, [0, 1], q)", "q = [[1, 2, 3], [4, 5, 6]]", "not compatible"),
        ("nce_loss(q, [0.0, 0.0], [[0]], [[1.0]], num_sampled=1, num_classes=2)", "q = [[1]]", "fewer than 2 rows"),
        ("sampled_softmax_loss(v, q[0], [[0]], [[1.0, 2.0]], num_sampled=1, num_classes=3)", "q = [[1, 2]]",
         "fewer than 3 rows"),
        ("scatter_mul(v, [0], q)", "q = [[]]", "not compatible"),
        ('max_pool(pics, ksize=5, strides=2, padding="VALID")', IMAGES, "the window is larger"),
        ('max_pool1d(pics[0], ksize=[5], strides=2, padding="VALID")', IMAGES, "the window is larger"),
        ('avg_pool3d(pics[none], ksize=[1, 1, 4, 1, 1], strides=1, padding="VALID")', IMAGES, "the window is larger"),
        ('conv2d(pics, zeros([4, 2, 2, 2]), strides=2, padding="VALID")', IMAGES, "the window is larger"),
        ('conv2d(pics, zeros([2, 2, 2, 2]), strides=1, padding="VALID", dilations=3)', IMAGES, "the window is larger"),
        ('conv1d(pics[0], zeros([4, 2, 2]), stride=2, padding="VALID")', IMAGES, "the window is larger"),
        ('depthwise_conv2d(pics, zeros([4, 2, 2, 2]), strides=[1, 2, 2, 1], padding="VALID")', IMAGES,
         "the window is larger"),
        ('separable_conv2d(pics, zeros([4, 2, 2, 2]), zeros([1, 1, 4, 2]), strides=[1, 2, 2, 1], padding="VALID")', IMAGES,
         "the window is larger"),
    ],
)  # fmt: skip
def test_values_known_in_the_run_are_errors_at_their_line(line, feeds, text):
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(f"{OPEN}y = {line}\nsession: print y with {feeds}\n").run()
    (found,) = caught.value.diagnostics
    assert found.code == "TFG702" and found.span.line == 8 and text in str(found)


@pytest.mark.parametrize(
    "line",
    ["irfft(z)", "irfft(z, fft_length=[0])", "rfft(real(w), fft_length=[0])", "dct(real(z[:, :0]), type=3)",
     'conv2d(real(z), zeros([1, 1, 1, 1]), strides=1, padding="SAME")'],
)  # fmt: skip
def test_known_values_are_refused_by_check(line):
    with pytest.raises(TfgError, match=r"nothing to transform|needs input of rank 4"):
        tfdsl.compile(f"placeholder z: complex64[3, 1]\nplaceholder w: complex64[2, 2]\ny = {line}\n")


def test_a_complex_matrix_is_decomposed_as_by_hand():
    program = tfdsl.compile("placeholder z: complex128[?, n, n]\ny = cholesky(z)\n")
    z = np.array([[[2, 1j], [-1j, 3]], [[1, 0], [0, 4]]])
    with program.session() as session:
        value, none = session.run("y", {"z": z}), session.run("y", {"z": z[:0]})
    np.testing.assert_allclose(value, np.linalg.cholesky(z))
    assert none.shape == (0, 2, 2)
    assert program.graph.get_operation_by_name("y").type == "Cholesky"


def test_an_empty_tensor_is_transformed_as_by_hand():
    program = tfdsl.compile("placeholder x: float32[n, m]\nplaceholder l: int32[1]\ny = rfft(x, fft_length=l)\n")
    with program.session() as session:
        value = session.run("y", {"x": np.zeros([2, 0]), "l": [0]})
    assert value.shape == tf.signal.rfft(np.zeros([2, 0], np.float32), [0]).shape == (2, 0)


def test_valid_slices_of_a_variable_equal_those_by_hand():
    variable = np.arange(1.0, 7.0, dtype=np.float32).reshape(3, 2)
    text = """
variable v = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
placeholder u: float32[?, ?]
placeholder x: float32[...]
session known: print scatter_add(v, [0, 2], [[1.0, 1.0], [2.0, 2.0]])
session fed: print scatter_add(v, [0, 2], u) with u = [[1, 1], [2, 2]]
session shaped: print scatter_add(v, [0, 2], ensure_shape(x, [none, none])) with x = [[1, 1], [2, 2]]
session one: print scatter_add(v, [0, 2], ensure_shape(x, [])) with x = 1
"""
    program = tfdsl.compile(text)
    variable[[0, 2]] += [[1, 1], [2, 2]]
    one = np.arange(1.0, 7.0, dtype=np.float32).reshape(3, 2)
    one[[0, 2]] += 1
    shown = [str(value).split() for value in (variable, variable, variable, one)]
    assert [line.split() for line in program.run().printed] == shown
    names = [op.name for op in program.graph.get_operations() if op.type == "EnsureShape"]
    assert len(names) == 2 + 2, "where sizes are known nothing is added"


def test_windows_that_fit_have_the_same_results_as_by_hand():
    text = (
        "placeholder p: float32[?, ?, ?, 2]\n"
        'a = max_pool(p, ksize=[2, 3], strides=1, padding="VALID")\n'
        'b = conv2d(p, ones([2, 2, 2, 3]), strides=1, padding="VALID", dilations=2)\n'
        'c = conv2d(p, ones([4, 9, 2, 3]), strides=2, padding="SAME")\n'
        'd = conv1d(p[0], ones([3, 2, 1]), stride=1, padding="VALID")\n'
    )
    p = np.arange(2 * 3 * 3 * 2, dtype=np.float32).reshape(2, 3, 3, 2)
    with tfdsl.compile(text).session() as session:
        values = session.run(list("abcd"), {"p": p})
    ones, nn = (lambda *shape: np.ones(shape, np.float32)), tf.nn
    wanted = [
        nn.max_pool2d(p, [2, 3], 1, "VALID"), nn.conv2d(p, ones(2, 2, 2, 3), 1, "VALID", dilations=2),
        nn.conv2d(p, ones(4, 9, 2, 3), 2, "SAME"), nn.conv1d(p[0:1, 0], ones(3, 2, 1), 1, "VALID"),
    ]  # fmt: skip
    for value, want in zip(values[:3], wanted, strict=False):
        np.testing.assert_allclose(value, np.asarray(want), rtol=1e-5)
    np.testing.assert_allclose(values[3][:1], np.asarray(wanted[3]), rtol=1e-5)


def test_valid_values_have_the_same_results_as_by_hand():
    text = OPEN + (
        'c = conv2d(x, ones([1, 1, 2, 1]), strides=1, padding="SAME")\n'
        "i, j, r, d = [irfft(z), irfft(z, fft_length=l), rfft(real(z), fft_length=l), dct(real(z), type=3)]\n"
        "g = logm(z)\nplaceholder known: complex64[n, 3]\nk = irfft(known)\nm = irfft(z, fft_length=[4])\n"
    )
    program = tfdsl.compile(text)
    names = "cijrdgkm"
    x = np.ones([1, 2, 2, 2], np.float32)
    z = np.array([[2, 1], [1, 3]], np.complex64)
    known = np.arange(6, dtype=np.complex64).reshape(2, 3)
    with program.session() as session:
        values = session.run(list(names), {"x": x, "z": z, "l": [2], "known": known})
    signal, real = tf.signal, z.real
    wanted = [
        tf.nn.conv2d(x, np.ones([1, 1, 2, 1], np.float32), 1, "SAME"), signal.irfft(z), signal.irfft(z, [2]),
        signal.rfft(real, [2]), tf.compat.v1.signal.dct(real, 3), tf.linalg.logm(z), signal.irfft(known),
        signal.irfft(z, [4]),
    ]  # fmt: skip
    for value, want in zip(values, wanted, strict=True):
        np.testing.assert_allclose(value, np.asarray(want), rtol=1e-5, atol=1e-6)
    kinds = [op.type for op in program.graph.get_operations()]
    assert kinds.count("Assert") == 6, "where sizes are known nothing is added"
