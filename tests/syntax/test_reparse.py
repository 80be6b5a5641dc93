"""Trees of edited texts are the trees that a parser makes of the whole texts."""

import random
from pathlib import Path

import pytest

from tfdsl.source import Source
from tfdsl.syntax.parse import parse_anyway, whole
from tfdsl.syntax.reparse import Earlier, kept

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted([*ROOT.glob("models/*.tfg"), *ROOT.glob("tests/golden/*.tfg")])
PIECES = [
    "x = 1\n", "(", ")", "[", "]", ":", "\n", "    ", "else:\n", "elif x:\n", "else", "if x:\n    y = 1\n", "\t", "#",
    '"', "=", "session:\n    init\n", "|", "scope s:\n", "def f(x):\n", "    return x\n", "f(", "train 3 epochs", "\\",
]  # fmt: skip


def edited(text: str, chosen: random.Random) -> str:
    """A text with an edit: a piece put in, some characters or lines removed, or two lines exchanged."""
    start = chosen.randrange(len(text) + 1)
    if chosen.random() < 0.4:
        start = text.rfind("\n", 0, start) + 1
    end = min(len(text), start + chosen.choice((0, 0, 0, 1, 3, 30)))
    return text[:start] + chosen.choice(["", *PIECES]) + text[end:]


@pytest.mark.parametrize("is_in_place", [False, True])
@pytest.mark.parametrize("path", PROGRAMS[::6], ids=lambda path: path.stem)
def test_a_tree_after_edits_is_that_of_the_whole_text(path: Path, is_in_place: bool):
    chosen = random.Random(path.stem)
    text = path.read_text(encoding="utf-8")
    source = Source("p.tfg", text)
    tree = parse_anyway(source)
    for _ in range(8):
        before = Earlier(source.text, tree)
        text = edited(text, chosen)
        if is_in_place:
            source.edit(text)
        else:
            source = Source("p.tfg", text)
        tree = parse_anyway(source, before=before)
        assert tree == parse_anyway(Source("p.tfg", text))
        if chosen.random() < 0.3:
            text = path.read_text(encoding="utf-8")


def test_only_what_is_near_an_edit_is_parsed_again():
    lines = [f"x{number} = {number}\n" for number in range(100)]
    before = parse_anyway(Source("p.tfg", "".join(lines)))
    lines[50] = "x50 = (\n"
    source = Source("p.tfg", "".join(lines))
    earlier = Earlier(before.span.source.text, before)
    found = kept(source, whole(source.text), before, earlier.text)
    assert found.at == source.text.index("x49") and min(found.below) == source.text.index("x51")
    tree = parse_anyway(source, before=earlier)
    assert tree == parse_anyway(source) and len(tree.errors) == 1 and len(tree.body) == 100


def test_an_error_between_statements_is_not_forgotten():
    text = "# Halves\ndef half(x):\n    return x / 2.0\n  import nn\n\ny = half(1.0)\n" + "z = y\n" * 9
    before = parse_anyway(Source("p.tfg", text))
    for edited in (text.replace("# H", "#H"), text + "z = y\n"):
        source = Source("p.tfg", edited)
        tree = parse_anyway(source, before=Earlier(text, before))
        assert [one.code for one in tree.errors] == ["TFG105"] and tree == parse_anyway(source)


def test_statements_above_an_edit_of_a_source_are_the_same_objects():
    source = Source("p.tfg", "".join(f"x{number} = {number}\n" for number in range(10)))
    text, before = source.text, parse_anyway(source)
    source.edit(text.replace("x8", "y"))
    tree = parse_anyway(source, before=Earlier(text, before))
    assert all(one is other for one, other in zip(tree.body[:6], before.body[:6], strict=True))
    assert [one.span.line for one in tree.body] == list(range(1, 11)) and tree.body[8].span.text == "y = 8"
