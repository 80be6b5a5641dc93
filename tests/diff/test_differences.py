"""The names of differences, and their text."""

import random
from itertools import pairwise

import pytest

from tfdsl.diff import matching
from tfdsl.diff.differences import compared
from tfdsl.diff.matching import anchors
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
            "line_after": 14, "renamed": True, "moved": False, "follows": False, "inside": False, "facts": [],
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


SESSION = """\
data d = moons(60, noise=0.1, seed=4)
placeholder X: float32[n, 2]
variable w = 1.0
variable v: float32[2, 1] = zeros
a = reduce_mean(X) * w
b = reduce_max(X) * w
step = assign_add(w, 1.0)
session:
    t = evaluate a, b on d as c with X = c.features
    u = evaluate a on d as c with X = c.features
    k = 2.0
    save to "a.ckpt"
    set v = [[1.0], [2.0]]
    print t.a, t.b, u
    train 3 steps:
        run step
        print w
        stop when w > 2.0
    if u > 0.0:
        expect w > 0.0
        set w = k
    print a, b with X = [[1.0, 2.0]]
    print w
"""


@pytest.mark.parametrize(
    ("one", "two", "moved"),
    [
        ('    save to "a.ckpt"\n', "    set v = [[1.0], [2.0]]\n", "save  all variables to \"a.ckpt\"  moved from line 12 to line 13"),
        ("    k = 2.0\n", '    save to "a.ckpt"\n', "value  k = 2.0  moved from line 11 to line 12"),
        ("        run step\n", "        print w\n", "train: run  step  moved from line 16 to line 17"),
        ("        print w\n", "        stop when w > 2.0\n", "train: print  w  moved from line 17 to line 18"),
        ("        expect w > 0.0\n", "        set w = k\n", "if: expect  w > 0.0  moved from line 20 to line 21"),
        ("    print a, b with X = [[1.0, 2.0]]\n", "    print w\n",
         "print  a, b with X = [[1.0, 2.0]]  moved from line 22 to line 23"),
    ],
)  # fmt: skip
def test_a_moved_statement(one, two, moved):
    found = report((one + two, two + one), text=SESSION)
    assert lines_of(found) == [f"> {moved}"] and report_text(found, DiffLayout()).endswith("\n1 moved\n")
    (entry,) = report_json(found)["differences"]
    assert (entry["change"], entry["moved"]) == ("moved", True)


def test_a_move_is_one_difference_beside_others():
    save, last = '    save to "a.ckpt"\n', "[[1.0, 2.0]]\n    print w\n"
    assert lines_of(report((save, ""), (last, last + save), text=SESSION)) == [
        '> save  all variables to "a.ckpt"  moved from line 12 to line 23'
    ]
    train = SESSION[SESSION.index("    train") : SESSION.index("    if u")]
    edited = train.replace("3 steps", "9 steps")
    assert lines_of(report((train, ""), (last, f'{last}    print "x"\n{edited}'), text=SESSION)) == [
        '+ print  "x"',
        "~ train  3 steps -> 9 steps, moved from line 15 to line 21",
    ]
    prints = "    print a, b with X = [[1.0, 2.0]]\n    print w\n"
    other = "    print w\n    print v\n"
    assert lines_of(report((prints, other), text=SESSION)) == [
        "- print  a, b with X = [[1.0, 2.0]]",
        "+ print  v",
    ]


def test_long_sessions_are_aligned_as_short_ones_are(monkeypatch):
    lines = [f'    print "{at}", v' for at in range(12)]
    text = "\n".join(["variable v = 1.0", "session:", *lines, ""])
    edited = text.replace('"7"', '"other"').replace('    print "1"', '    print "new", v\n    print "1"')
    edited = edited.replace('    print "4", v\n', "").replace(lines[10], f'{lines[10]}\n    save to "x"\n{lines[2]}')
    found = lines_of(compared(inventory(text), inventory(edited)))
    assert len(found) == 5 and '~ print  "7", v -> "other", v' in found
    monkeypatch.setattr(matching, "_MOST", 4)
    assert lines_of(compared(inventory(text), inventory(edited))) == found


def test_the_places_of_equal_keys():
    shuffled = random.Random(1)
    for _ in range(200):
        one, other = ([shuffled.choice("abcdefgh") for _ in range(shuffled.randrange(9))] for _ in range(2))
        found = anchors(one, other)
        assert all(one[i] == other[j] for i, j in found)
        assert all(i < k and j < m for (i, j), (k, m) in pairwise(found))
        assert anchors(one, one) == [(at, at) for at in range(len(one))]
    assert anchors("axbyc", "awbzc") == [(0, 0), (2, 2), (4, 4)]
    assert anchors("abab", "baba") == []


def test_sessions_run_in_order():
    first, second = ("session one:\n    set x = 2.0\n", "session two:\n    print x\n")
    text = f"variable x = 1.0\n{first}{second}"
    assert lines_of(report((first + second, second + first), text=text)) == ["> one  moved from line 2 to line 4"]
    assert report(text=SESSION).entries == ()


def test_fields_belong_to_their_names():
    assert report(text=SESSION).entries == ()
    renamed = report(("t = ", "p = "), ("t.a, t.b, u\n", "p.a, p.b, u\n"), text=SESSION)
    assert renamed.entries == ()
    pair = "t = evaluate " + SESSION.partition("t = evaluate ")[2].partition(" on ")[0]
    first, _, second = pair.removeprefix("t = evaluate ").rpartition(", ")
    assert report((pair, f"t = evaluate {second}, {first}"), text=SESSION).entries == ()
    assert lines_of(report(("t.a, t.b", "t.b, t.a"), text=SESSION)) == ["~ print  t.a, t.b, u -> t.b, t.a, u"]


@pytest.mark.parametrize("old", ["set v = [[1.0], [2.0]]", "X = [[1.0, 2.0]]"])
def test_whole_numbers_have_the_form_of_the_dtype(old):
    assert report((old, old.replace(".0", "")), text=SESSION).entries == ()
    assert len(report((old, old.replace("2.0", "2.5")), text=SESSION).entries) == 1
