"""How much shorter programs of the language are than the same programs by hand in TensorFlow 1."""

import ast
import io
import statistics
import tokenize

import pytest
from beside_by_hand import BY_HAND, PORTS, PROGRAMS
from test_results import SHORT

import tfdsl
from tfdsl.cli import main

_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines_of_python(text: str) -> int:
    """The lines of code, without docstrings."""
    docstrings = {
        line
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None
        for line in range(node.body[0].lineno, node.body[0].end_lineno + 1)
    }
    tokens = [one for one in tokenize.generate_tokens(io.StringIO(text).readline) if one.type not in _NO_CODE]
    return len({line for one in tokens for line in range(one.start[0], one.end[0] + 1)} - docstrings)


def lines_of_tfg(text: str) -> int:
    """The lines of code. Strings have no line breaks, so a line that begins with a hash is a comment."""
    return sum(bool(line.strip()) and not line.strip().startswith("#") for line in text.splitlines())


def share(name: str) -> float:
    """The lines of a program for each line by hand."""
    ours, theirs = (table[name].read_text(encoding="utf-8") for table in (PROGRAMS, BY_HAND))
    return lines_of_tfg(ours) / lines_of_python(theirs)


def test_lines_are_counted():
    assert (
        lines_of_python(
            '"""A\n\ntext."""\n\n# no\nx = [\n    1,  # one\n]\n\ndef f():\n    "No."\n    return """\n\n"""\n'
        )
        == 7
    )
    assert lines_of_tfg('# no\n\nx = [\n    1,  # one\n]\nsession:\n    # no\n    print "#"\n') == 5


@pytest.mark.parametrize("name", BY_HAND)
def test_a_program_has_half_the_lines(name):
    assert share(name) <= 0.5


def test_half_of_the_programs_have_less_than_two_fifths():
    shares = {name: round(share(name), 2) for name in BY_HAND}
    assert statistics.median(shares.values()) <= 0.4, shares


def test_each_program_has_a_counterpart():
    assert {path.stem for path in PORTS.glob("*.tfg")} <= BY_HAND.keys() <= PROGRAMS.keys()
    alone = {path.stem.removeprefix("test_") for path in PORTS.glob("test_*.py")} & BY_HAND.keys()
    assert alone | SHORT.keys() == BY_HAND.keys() and not alone & SHORT.keys()


@pytest.mark.parametrize("name", BY_HAND)
def test_a_program_passes_the_check_and_is_formatted(name):
    assert tfdsl.check(PROGRAMS[name]) == []
    assert main(["fmt", "--check", str(PROGRAMS[name])]) == 0
