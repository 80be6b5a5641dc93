"""Assignments to a part of a value: what their help lines say to write can be typed as it is."""

import re

import pytest

import tfdsl

PROGRAM = """data d = iris()
variable w: float32[4] = zeros
variable m: float32[4, 2] = zeros
placeholder X: float32[4]
c = constant([1.0, 2.0])
k = [1, 2]
"""
GRAPH = {
    "w[0] = 3": "update = scatter_update(w, 0, 3)",
    "m[0, 1] = 3.0": "update = scatter_nd_update(m, [[0, 1]], [3.0])",
    "w[0] += 3": "update = scatter_add(w, 0, 3)",
    "w[1:] -= 1.0": "update = scatter_sub(w, range(1, w.shape[0]), 1.0)",
    "w[-1] = 2.0": "update = scatter_update(w, w.shape[0] - 1, 2.0)",
    "w[w > 1] = 0.0": "update = assign(w, where(w > 1, 0.0 * ones_like(w), w))",
    "c[0] = 2.0": "c = tensor_scatter_nd_update(c, [[0]], [2.0])",
    "X[0] = 2.0": "X2 = tensor_scatter_nd_update(X, [[0]], [2.0])",
    "m[0:1] = [[1.0]]": "update = scatter_update(m, range(0, 1), 1.0)",
    "m[1:3] = [1.0, 2.0]": "update = scatter_update(m, range(1, 3), [1.0, 2.0] * ones_like(m[1:3]))",
    "w[1:3] = [1.0, 2.0]": "update = scatter_update(w, range(1, 3), [1.0, 2.0])",
    "m[...] = 0.0": "update = assign(m, zeros_like(m))",
    "c[:] = 1.0": "c = 1.0 * ones_like(c)",
    "X[X < 0] = 0.0": "X2 = where(X < 0, 0.0 * ones_like(X), X)",
}
SESSION = {
    "set w[0] = 3.0": "run scatter_update(w, 0, 3.0)",
    "w[0] += 3": "run scatter_add(w, 0, 3)",
    "set m[0, 1] = 2": "run scatter_nd_update(m, [[0, 1]], [2])",
    "train 3 epochs: w[0] = 3.0": "train 3 epochs: run scatter_update(w, 0, 3.0)",
    "w[w > 1] -= 1.0": "set w = where(w > 1, w - 1.0, w)",
    "m[1] = [-1.5]": "run scatter_update(m, 1, -1.5)",
    "m[...] = [1.0, 2.0]": "set m = [1.0, 2.0] * ones_like(m)",
    "m[:, :] += 1.0": "set m = m + 1.0",
    "w[...] = a": "set w = a",
    "c[c < 0] = 0": "c2 = where(c < 0, 0 * ones_like(c), c)",
    "c += 1.0": "c2 = c + 1.0",
    "c[0] = 3": "c2 = tensor_scatter_nd_update(c, [[0]], [3])",
    "a[a < 0] = 0": "a = where(a < 0, 0 * ones_like(a), a)",
    "a[0] = 3": "a = tensor_scatter_nd_update(a, [[0]], [3])",
}


def helps(text):
    return [one.help_line for one in tfdsl.check(text) if one.severity == "error"]


@pytest.mark.parametrize("line", GRAPH)
def test_in_the_graph_half(line):
    (help,) = helps(f"{PROGRAM}{line}\n")
    written = re.sub(r"to change .* make an op, (.*), and in a session: run update", r"\1", help).removeprefix(
        "write: "
    )
    assert written == GRAPH[line]
    assert helps(f"{PROGRAM}{written}\nsession: print {written.split()[0]} with X = [1, 2, 3, 4]\n") == []


@pytest.mark.parametrize("line", SESSION)
def test_in_a_session(line):
    begin = f"{PROGRAM}session:\n    a = 2 * w\n    "
    (help,) = helps(f"{begin}{line}\n")
    assert help == f"write: {SESSION[line]}"
    assert helps(f"{begin}{SESSION[line]}\n") == []


@pytest.mark.parametrize(
    ("line", "begin"),
    [
        ("m[:, 0] = 1.0", "rows and single elements of a variable can be written"),
        ("m[..., 0] = 1.0", "rows and single elements of a variable can be written"),
        ("c[:, 0] = 1.0", "a tensor does not change"),
        ("k[0] = 2", "a list does not change"),
        ('d["ratio"] = d.a / d.b', "no transform computes a column"),
        ("dense.bias = 3", "to change a variable while it runs, make an op, update = assign(dense.bias, 3), and"),
    ],
)
def test_what_cannot_be_written_as_a_line_is_told_in_words(line, begin):
    (help,) = helps(f"{PROGRAM}{line}\n")
    assert help.startswith(begin)
