"""What syntax errors say: names of what is expected, and words that were probably meant."""

import re

import pytest

import tfdsl
from tfdsl.syntax.explain import terminal_name
from tfdsl.syntax.tables import grammar_text, tables


def first_help(text):
    (found,) = [one for one in tfdsl.check(text) if one.code.startswith("TFG1")]
    return found.help_line


def test_every_terminal_has_a_readable_name():
    found = {name for state in tables().states for name in state if name.isupper()}
    assert len(found) > 90
    for name in found:
        shown = terminal_name(name)
        word = re.fullmatch(r"'([a-z_]+)'", shown)
        if word:
            assert re.search(rf"/{word[1]}[^a-z]", grammar_text()), f"{name} is no word {shown}"
        else:
            assert re.fullmatch(r"'[^\w\s']{1,3}'|'if exists'|[a-z]+(, [a-z]+)* or [a-z]+|(an?|the) [a-z ]+", shown), (
                name
            )


@pytest.mark.parametrize("line", ["set w =", "save to", "run", "expect", "if"])
def test_an_expression_is_expected(line):
    assert "an expression" in first_help(f"variable w = 1.0\nsession:\n    {line}\n")


IN_GRAPH = [
    ("varaible w = 1.0", "variable"),
    ("variabel w: float32[2] = zeros", "variable"),
    ("placeholdr X: float32[n, 2]", "placeholder"),
    ("place_holder X: float32", "placeholder"),
    ("optimise w with adam()", "optimize"),
    ("optimze w with adam()", "optimize"),
    ("sumary scalar w", "summary"),
    ("scoep hidden:\n    z = 1.0", "scope"),
    ("dat d = moons(10)", "data"),
    ("parm rate = 0.1", "param"),
    ("shard w = 1.0", "shared"),
    ("improt nn", "import"),
    ('devise "/cpu:0":\n    z = 1.0', "device"),
    ("whlie x < 3:\n    x = x + 1", "while"),
    ("sesion:\n    print 1", "session"),
    ("reutrn x", "return"),
]
IN_SESSION = [
    ("prnt w", "print"),
    ('prnit "w =", w', "print"),
    ("trian 3 steps:\n        run w", "train"),
    ("trian 3 steps: run w", "train"),
    ("train_ 3 steps: run w", "train"),
    ('retore w from "x"', "restore"),
    ('sav w to "x"', "save"),
    ("expct w == 1.0", "expect"),
    ('exprt w to "x"', "export"),
    ('checkpiont every 2 steps in "x"', "checkpoint"),
    ("evry 2 steps: print w", "every"),
    ("fed X = 1.0", "feed"),
    ('wirte w to "x.csv"', "write"),
    ("initt w", "init"),
]


@pytest.mark.parametrize(("line", "word"), IN_GRAPH)
def test_misspelt_words_of_the_graph(line, word):
    assert first_help(f"x = constant(1)\n{line}\n") == f"did you mean '{word}'?"


@pytest.mark.parametrize(("line", "word"), IN_SESSION)
def test_misspelt_words_of_a_session(line, word):
    assert first_help(f"variable w = 1.0\nsession:\n    {line}\n") == f"did you mean '{word}'?"


@pytest.mark.parametrize("value", ["{1, 2}", "{1}", 'csv("x.csv", columns={"a", "b"})'])
def test_a_set_is_no_value(value):
    assert first_help(f"x = {value}\n").startswith("there are no sets: write a list, [...];")


def test_a_dictionary_is_no_set():
    assert "sets" not in first_help('x = csv("x.csv", columns={"a": float32,, "b": int64})\n')


@pytest.mark.parametrize("value", ["{1: 2", 'f(columns={"a": 1'])
def test_a_brace_that_is_never_closed(value):
    (found,) = tfdsl.check(f"x = {value}\nsession: print x\n")
    assert (found.code, found.details["bracket"]) == ("TFG108", "{")


def test_a_line_with_two_errors():
    """The second is found when the statement that both are in is already left out."""
    text = (
        "session:\n    print 1\n    tr\n ain 3 epochs on d.train in batches of 20 as b:\n        feed X = b.features\n"
    )
    assert {one.severity for one in tfdsl.check(text)} == {"error"}


@pytest.mark.parametrize(
    ("line", "help"),
    [
        ("optimize adam(0.02)", "optimize with adam(0.02), or optimize cost with adam(0.02)"),
        ("variable v: tf.float32[4] = zeros", "types have no module before them: write float32"),
        ("placeholder X: np.float32", "types have no module before them: write float32"),
        ("h = f(x, activation=lambda x: relu(x))", "write above it def double(x): return 2 * x, and here double"),
    ],
)
def test_lines_of_python(line, help):
    assert first_help(f"x = constant(1)\n{line}\n").endswith(help)
