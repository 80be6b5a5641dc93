"""The names of differences, and their text."""

import pytest

from tfdsl.diff.differences import compared
from tfdsl.diff.of_program import inventory_of
from tfdsl.diff.plain import report_json
from tfdsl.diff.text import DiffLayout, report_text
from tfdsl.driver import check
from tfdsl.source import Source

PROGRAM = """\
import nn
param rate = 0.01
placeholder X: float32[n, 4]
placeholder y: float32[n, 1]
scope dnn:
    h = nn.dense(X, 3, activation=relu)
    h = nn.dense(h, 3, activation=relu)
    out = nn.dense(h, 1) as head
error = out - y
cost = reduce_mean(square(error))
a, b = split(X, 2, axis=1)
both = a * b
optimize cost with adam(learning_rate=rate)
variable count = 0
more = assign_add(count, 1)
_now = count * 2
summary scalar cost as "cost"
session:
    train 10 epochs:
        feed X = [[1, 2, 3, 4]], y = [[1]]
        every 2 epochs: print "cost", cost
    print both with X = [[1, 2, 3, 4]]
    save to "a.ckpt"
"""


def inventory(text):
    program, diagnostics = check(Source("p.tfg", text))
    assert program is not None, diagnostics
    return inventory_of(program, "p.tfg")


def report(*edits, text=PROGRAM):
    edited = text
    for old, new in edits:
        assert old in edited, old
        edited = edited.replace(old, new)
    return compared(inventory(text), inventory(edited))


def lines(*edits, **layout):
    """The lines of entries, without the titles of sections, the file names and the summary."""
    return lines_of(report(*edits), **layout)


def lines_of(found, **layout):
    text = report_text(found, DiffLayout(**layout))
    return [line[2:] for line in text.splitlines() if line.startswith("  ")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("rate = 0.01", "rate = 0.5", ["~ rate  value 0.01 -> 0.5", "~ optimize cost  learning_rate 0.01 -> 0.5"]),
        ("adam(", "rmsprop(", ["~ optimize cost  optimizer adam -> rmsprop"]),
        ("rate)", "rate, beta1=0.8)", ["~ optimize cost  beta1 (default) -> 0.8"]),
        ("rate)", "rate) wrt dnn.head", ["~ optimize cost  trains all trainable variables -> dnn/head/kernel, dnn/head/bias"]),
        ("square(error)", "abs(error)", ["~ cost  reduce_mean(square(error)) -> reduce_mean(abs(error))"]),
        ("error = out - y", "error = y - out", ["~ error  dnn/head/logits - y -> y - dnn/head/logits"]),
        ("scope dnn", "scope net", ["> dnn -> net"]),
        ("as head", "as top", ["> dnn/head -> dnn/top"]),
        ("count", "total", ["> count -> total"]),
        ("count = 0", "count = 3", ["~ count  initializer 0 -> 3"]),
        ("count = 0", "count: int64 = 0", ["~ count  dtype int32 -> int64"]),
        ("both", "product", ["> both -> product"]),
        ("a * b", "b * a", ["~ both  a, b * a, b:1 -> a, b:1 * a, b"]),
        ('as "cost"', 'as "Cost"', ["> cost -> Cost"]),
        ("10 epochs", "20 epochs", ["~ train  10 epochs -> 20 epochs"]),
        ("every 2", "every 3", ["~ train: every  2 epochs -> 3 epochs"]),
        ('print "cost", cost', 'print cost', ['~ train: every: print  "cost", cost -> cost']),
        ('"cost", cost', '"cost {cost:.2f}"', ['~ train: every: print  "cost", cost -> "cost {cost:.2f}"']),
        ("a.ckpt", "b.ckpt", ['~ save  to "a.ckpt" -> "b.ckpt"']),
        ("    save", '    print "x"\n    save', ['+ print  "x"']),
        ('    save to "a.ckpt"\n', "", ['- save  all variables to "a.ckpt"']),
        ("more = assign_add(count, 1)\n_now = count * 2\n", "_now = count * 2\nmore = assign_add(count, 1)\n",
         ["~ _now  order after 1 of 1 writes of count -> after 0 of 1 writes of count"]),
    ],
)  # fmt: skip
def test_an_edit_is_named(old, new, expected):
    assert lines((old, new)) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("rate = 0.01", "rate = 1e-2"),
        ("learning_rate=rate", "learning_rate=rate, beta1=0.9"),
        ("a, b = split(X, 2, axis=1)\nboth = a * b", "left, right = split(X, 2, axis=1)\nboth = left * right"),
        ("float32[n, ", "float32[rows, "),
        ("reduce_mean(square(error))", "reduce_mean(square(error), axis=none)"),
        ("y = [[1]]", "y = [\n            [1]  # one\n        ]"),
        ("error = out - y\n", "prediction = out\nerror = prediction - y\n"),
        ("count = 0", "count: int32 = 0"),
    ],
)
def test_what_means_nothing(old, new):
    found = report((old, new))
    assert found.entries == () and report_text(found, DiffLayout()) == "" and report_json(found)["alike"] is True


def test_a_layer_in_between():
    added = "    h = nn.dense(h, 5, activation=relu)\n    h = nn.dense(h, 3, activation=relu)\n    out"
    assert lines(("    out", added)) == [
        "+ dnn/dense_2  kernel float32[3, 5], bias float32[5], 2 values",
        "+ dnn/dense_3  kernel float32[5, 3], bias float32[3], 2 values",
        "~ dnn/head/z",
        "    relu(dnn/dense_1/logits) @ dnn/head/kernel -> relu(dnn/dense_3/logits) @ dnn/head/kernel",
    ]
    layers = [f"    h = nn.dense(h, {units}, activation=relu)\n" for units in (3, 5, 7)]
    text = PROGRAM.replace(layers[0], layers[0] + layers[2])
    found = report(("".join(layers[::2]), "".join(layers)), text=text)
    scopes = [(one.how, one.before, one.after) for one in found.entries if one.kind == "scope"]
    assert scopes == [("added", "", "dnn/dense_2"), ("renamed", "dnn/dense_2", "dnn/dense_3")]


def test_shapes_that_follow_are_counted():
    found = report(("X: float32[n, 4]", "X: float32[n, 6]"), ("[[1, 2, 3, 4]]", "[[1, 2, 3, 4, 5, 6]]"))
    text = report_text(found, DiffLayout())
    assert "  ~ X  shape [n, 4] -> [n, 6]\n" in text and "  ~ dnn/dense/kernel  shape [4, 3] -> [6, 3]\n" in text
    assert "2 values have another shape or dtype because of this: a, b, both\n" in text
    assert "~ both" not in text and "  ~ both  shape [n, 2] -> [n, 3]\n" in report_text(
        found, DiffLayout(is_whole=True)
    )


def test_renamed_and_changed():
    (one,) = report(("variable count = 0", "variable total = 3"), ("count", "total")).entries
    assert (one.how, one.is_renamed, one.before, one.after, one.lines) == ("changed", True, "count", "total", (14, 14))
    assert [(fact.name, fact.before, fact.after) for fact in one.facts] == [("initializer", "0", "3")]


def test_moved_into_a_scope():
    scope = "scope loss:\n    error = out - y\n    cost"
    assert lines(("error = out - y\ncost", scope)) == [
        "+ loss",
        "> error -> loss/error",
        "> cost -> loss/cost",
    ]


def test_many_differences_are_counted():
    text = "".join(f"variable v{at}x = {at}.0\n" for at in range(40))
    found = report(("x = ", "x = 9"), text=text)
    shown = report_text(found, DiffLayout())
    assert shown.count("  ~ v") == 20 and "  ... and 20 more; --all lists them\n" in shown
    assert report_text(found, DiffLayout(is_whole=True)).count("  ~ v") == 40 and shown.endswith("\n40 changed\n")


def test_lines_fit_and_colours_mark_the_signs():
    old = "cost = reduce_mean(square(error))"
    new = (
        old
        + " + reduce_sum(square(X) * 2.0 + abs(X)) / 3.0 + reduce_max(square(y)) + reduce_min(abs(y) + square(y) + 1.0)"
    )
    text = report_text(report((old, new)), DiffLayout(width=60))
    assert max(map(len, text.splitlines())) <= 60
    assert "  ~ cost\n      - ...an(square(error))\n      + ...an(square(error)) + reduce_sum(square(X) * 2.0" in text
    coloured = report_text(report((old, new)), DiffLayout(width=60, in_colour=True))
    assert "\x1b[33m  ~ cost\x1b[0m\n\x1b[31m      - ...an(" in coloured


def test_json():
    made = report_json(report(("count", "total")))
    assert made == {
        "left": "p.tfg", "right": "p.tfg", "alike": False, "notes": [],
        "differences": [{
            "change": "renamed", "kind": "variable", "before": "count", "after": "total", "line_before": 14,
            "line_after": 14, "renamed": True, "follows": False, "inside": False, "facts": [],
        }],
    }  # fmt: skip


def test_a_name_for_a_part_changes_nothing_else():
    old, new = "cost = reduce_mean(square(error))", "part = square(error)\ncost = reduce_mean(part)"
    assert lines((old, new)) == ["+ part  square(error)"]
    old, new = "error = out - y\ncost = reduce_mean(square(error))", "cost = reduce_mean(square(out - y) * 2.0)"
    assert lines((old, new)) == [
        "- error  dnn/head/logits - y",
        "~ cost   reduce_mean(square(error)) -> reduce_mean(square(dnn/head/logits - y) * 2.0)",
    ]


def test_brackets_around_a_part():
    text = "placeholder a: float32\nsum = a + 1.0\n_out = sum * a\n"
    assert lines_of(report(("sum * a", "(a + 1.0) * a"), ("sum = a + 1.0\n", ""), text=text)) == ["- sum  a + 1.0"]
    assert len(report(("sum * a", "a + 1.0 * a"), ("sum = a + 1.0\n", ""), text=text).entries) == 2


def test_long_expressions():
    text = "placeholder x: float32\n_out = " + " + ".join(["x"] * 600) + "\n"
    assert report(text=text).entries == ()
    assert len(report(("x + x + x\n", "x + x - x\n"), text=text).entries) == 1


def test_a_loop():
    text = "i = constant(0)\np = constant(1.0)\nwhile i < 10:\n    i = i + 1\n    p = p * 2.0\n_out = p + 1.0\n"
    assert report(("i = constant(0)\np = constant(1.0)", "p = constant(1.0)\ni = constant(0)"), text=text).entries == ()
    assert report(("    i = i + 1\n    p = p * 2.0", "    p = p * 2.0\n    i = i + 1"), text=text).entries == ()
    (one,) = report(("i < 10", "i < 11"), text=text).entries
    assert (one.after, one.facts[0].before, one.facts[0].after) == ("while", "while/i < 10", "while/i < 11")
