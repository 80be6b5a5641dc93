"""Sizes that a program takes as tensors are those of the tensor that they come from."""

import pytest

import tfdsl

HEAD = """
import nn
placeholder X: float32[n, 7, 7, 8]
placeholder V: float32[n, 3, 3, 3, 8]
placeholder L: float32[n, 7, 8]
placeholder Z: float32[?, m, 7]
placeholder Y: float32[5, 7]
rows = shape(X)[0]
kernel = zeros([3, 4, 8])
volume = zeros([3, 3, 3, 4, 8])
"""


@pytest.mark.parametrize(
    ("expression", "type"),
    [
        ("nn.conv2d_transpose(X, 4, stride=2)", "float32[n, 14, 14, 4]"),
        ('nn.conv2d_transpose(X, 4, padding="VALID", use_bias=false)', "float32[n, 9, 9, 4]"),
        ("conv1d_transpose(L, kernel, [shape(L)[0], 14, 4], strides=2)", "float32[n, 14, 4]"),
        ("conv3d_transpose(V, volume, [shape(V)[0], 6, 6, 6, 4], strides=2)", "float32[n, 6, 6, 6, 4]"),
        ("zeros([rows, 3])", "float32[n, 3]"),
        ("random_normal([shape(X)[-4], shape(Y)[0]])", "float32[n, 5]"),
        ("ones(shape(X)[:2])", "float32[n, 7]"),
        ("ones(shape(X)[2::-1])", "float32[7, 7, n]"),
        ("fill(shape(X), 1.0)", "float32[n, 7, 7, 8]"),
        ("tile([[1.0]], [rows, 2])", "float32[n, 2]"),
        ("broadcast_to([1.0, 2.0], [rows, 2])", "float32[n, 2]"),
        ("slice(X, [0, 0, 0, 0], [rows, 1, 1, 8])", "float32[n, 1, 1, 8]"),
        ("reshape(X, [rows, -1])", "float32[n, 392]"),
        ("reshape(X, [-1, rows])", "float32[392, n]"),
        ("reshape(X, [rows, 7, -1])", "float32[n, 7, 56]"),
        ("reshape(Z, [-1, shape(Z)[1], 7])", "float32[?, m, 7]"),
        ("reshape(Z, [shape(Z)[0], shape(Z)[1], -1])", "float32[?, m, ?]"),
        ("reshape(X, [rows, -1, 5])", "float32[n, ?, 5]"),
        ("zeros([rows + 1, 3])", "float32[?, 3]"),
        ("zeros([shape(Z)[0], 3])", "float32[?, 3]"),
    ],
)
def test_the_types(expression, type):
    program = tfdsl.compile(f"{HEAD}z = {expression}\n").program
    graph = program.graph("")
    assert str(graph.type(graph.names["z"].value)) == type


def test_what_must_be_known_while_compiling_still_must():
    for expression in ("constant(1.0, shape=[shape(Y)[0], 3])", "glorot_uniform([shape(Y)[0], 3])"):
        with pytest.raises(tfdsl.TfgError) as caught:
            tfdsl.compile(f"{HEAD}variable z = {expression}\n")
        assert [one.code for one in caught.value.diagnostics if one.severity == "error"] == ["TFG228"]
    assert tfdsl.compile("variable z = glorot_uniform([5, 3])\nc = constant(1.0, shape=[])\n").program is not None


def test_the_summary_counts_the_layers_after_it(tmp_path, capsys):
    from tfdsl.cli import main

    path = tmp_path / "program.tfg"
    path.write_text("import nn\nplaceholder X: float32[n, 7, 7, 8]\nz = nn.conv2d(nn.conv2d_transpose(X, 4), 2)\n")
    assert main(["summary", str(path)]) == 0
    assert "?" not in capsys.readouterr().out
