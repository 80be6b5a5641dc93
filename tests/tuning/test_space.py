"""The forms of `--over`."""

import pytest

from tfdsl.tuning.space import Choices, FloatRange, IntRange, NoSpace, axis, grid


@pytest.mark.parametrize("text, expected", [
    ("log(1e-4, 1e-1)", FloatRange(1e-4, 0.1, True)),
    (" uniform(-1,1) ", FloatRange(-1.0, 1.0, False)),
    ("int(16,256)", IntRange(16, 256, 1)),
    ("int(16, 256, 100)", IntRange(16, 216, 100)),
    ("choice(relu, elu)", Choices(("relu", "elu"))),
    ('choice(2, 2.5, true, "a, b", "3", "false")', Choices((2, 2.5, True, "a, b", "3", "false"))),
    (r'choice("a\"b", "c:\\x", "")', Choices(('a"b', "c:\\x", ""))),
    (r'choice("new\nline", "tab\t#", "\u00e9{x}中", "inf")', Choices(("new\nline", "tab\t#", "é{x}中", "inf"))),
])  # fmt: skip
def test_forms(text, expected):
    made = axis(text)
    assert made == expected and axis(made.text()) == made


@pytest.mark.parametrize("text, reason", [
    ("", "write log(LOW, HIGH)"),
    ("0.1", "write log(LOW, HIGH)"),
    ("normal(0, 1)", "write log(LOW, HIGH)"),
    ("log(1)", "write log(LOW, HIGH)"),
    ("choice(1)", "write log(LOW, HIGH)"),
    ("log(0, 1)", "only numbers above 0 have a logarithm"),
    ("uniform(2, 1)", "2 is not less than 1"),
    ("uniform(a, 1)", "'a' is not a number"),
    ("uniform(0, inf)", "'inf' is not a finite number"),
    ("int(1, 2.5)", "'2.5' is not a whole number"),
    ("int(1, 5, 0)", "no step of 0 leads from 1 to 5"),
    ("choice(a,,b)", "a value between its commas is missing"),
    ('choice(a"b, c)', "a text with a quotation mark is written"),
    ("uniform(-1e308, 1e308)", "the range is wider than numbers can be"),
    ("choice(1.0, -inf)", 'is not a finite number: a text is written "-inf"'),
    ("choice(1, 1e999)", "1e999 is larger than numbers can be"),
    (r'choice("\q", a)', r"unknown escape \q in a string"),
    ("choice(a, b, a)", "one of its values is there twice"),
])  # fmt: skip
def test_other_texts_are_refused(text, reason):
    with pytest.raises(NoSpace) as error:
        axis(text)
    assert reason in str(error.value)


def test_a_grid_has_all_combinations():
    space = {"a": axis("int(1, 3)"), "b": axis("choice(x, y)")}
    assert grid(space) == [{"a": a, "b": b} for a in (1, 2, 3) for b in ("x", "y")]
    with pytest.raises(NoSpace, match="a="):
        grid({"a": axis("log(1, 2)")})
