"""Edits of programs are found and named correctly, and edits that change no meaning are not differences."""

import re
from collections import Counter
from pathlib import Path

import pytest

from tfdsl.access import Access
from tfdsl.diff.differences import compared
from tfdsl.diff.of_program import inventory_of
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.program.serialize import to_data
from tfdsl.source import Source

ROOT = Path(__file__).resolve().parents[2]
FEW = ["moons", "loops", "messages", "two_optimizers"]
PROGRAMS = [
    pytest.param(path, id=path.stem, marks=[] if path.stem in FEW else [pytest.mark.long])
    for path in sorted([*(ROOT / "models").glob("*.tfg"), *(ROOT / "tests" / "golden").glob("*.tfg")])
]
# The numbers and words of a line, apart from its strings and comments.
CODE = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|#[^\n]*|(?P<number>(?<![\w.])\d[\d_]*(?:\.\d+)?(?:e-?\d+)?(?![\w.]))|(?P<word>[A-Za-z_]\w*)'
)
OUTSIDE = re.compile("columns|inputs of|outputs of")  # names in files and of exported models
WORDS = {
    "relu": "tanh", "tanh": "sigmoid", "reduce_mean": "reduce_sum", "reduce_sum": "reduce_mean", "zeros": "ones",
    "adam": "ftrl", "momentum": "adagrad", "square": "abs", "float32": "float64", "train": "test", "cos": "sin",
    "epochs": "steps", "print": "run", "standardize": "minmax", "shuffled": "ordered", "equal": "not_equal",
}  # fmt: skip


def program_of(text, path):
    program, _ = check(Source(str(path), text), CompileInputs(access=Access(str(path))))
    return program


def meaning(program):
    """The program without places in the text, and without names and strings that make no node."""

    def bare(value):
        match value:
            case dict():
                return {key: bare(one) for key, one in value.items() if key not in ("names", "text", "span", "origin")}
            case list():
                return list(map(bare, value))
            case _:
                return value

    return {key: bare(value) for key, value in to_data(program).items() if key != "sources"}


def entries(left, right):
    return compared(inventory_of(left, "left"), inventory_of(right, "right")).entries


def named_outside(entry):
    return bool(entry.facts) and all(OUTSIDE.match(fact.name) for fact in entry.facts)


def replaced(text, found, new):
    return text[: found.start()] + new + text[found.end() :]


def edits(text):
    """Copies of a text, each with another number, with another word, or without a line."""
    for found in CODE.finditer(text):
        if number := found["number"]:
            yield replaced(
                text, found, f"{float(number) + 0.5}" if re.search(r"[.e]", number) else f"{int(number) + 1}"
            )
        elif found["word"] in WORDS:
            yield replaced(text, found, WORDS[found["word"]])
    for found in re.finditer(r"^ *[^#\s].*\n", text, re.M):
        yield replaced(text, found, "")


@pytest.mark.parametrize("path", PROGRAMS)
def test_every_edit_that_means_something_is_found(path):
    text = path.read_text(encoding="utf-8")
    program = program_of(text, path)
    before, tried = meaning(program), 0
    for edited in dict.fromkeys(edits(text)):
        other = program_of(edited, path)
        if other is None:
            continue
        tried += 1
        changed = next(two for one, two in zip(text.splitlines(), [*edited.splitlines(), ""]) if one != two)
        assert bool(entries(program, other)) == (meaning(other) != before), changed
    assert tried > 2


@pytest.mark.parametrize("path", PROGRAMS)
def test_a_new_name_is_a_new_name_and_nothing_else(path):
    text = path.read_text(encoding="utf-8")
    program = program_of(text, path)
    matches = list(CODE.finditer(text))
    words = [found["word"] for found in matches if found["word"]]
    ends = [0, *(found.end() for found in matches)]
    names = {name.partition(".")[0] for graph in program.graphs for name in graph.names}
    names |= {data.name for data in program.data} | {param.name for param in program.params}
    folded = Counter(map(str.lower, set(words)))
    renamed = 0
    for name in sorted(name for name in names & set(words) if folded[name.lower()] == 1):  # TensorFlow ignores case
        new = f"{name}_other"
        pieces = ((text[at : found.start()], found) for at, found in zip(ends, matches))
        edited = "".join(start + (new if found["word"] == name else found[0]) for start, found in pieces)
        other = program_of(edited + text[ends[-1] :], path)
        if other is None:  # the name is also that of an argument
            continue
        found = [one for one in entries(program, other) if not named_outside(one)]
        assert {one.how for one in found} <= {"renamed"}, (name, found)
        for one in found:
            assert re.sub(rf"\b{name}(?=\b|_\d+\b)", new, one.before) == one.after, (name, one)
            renamed += 1
    assert renamed


@pytest.mark.parametrize("path", PROGRAMS)
def test_the_form_of_the_text_means_nothing(path):
    text = path.read_text(encoding="utf-8")
    program = program_of(text, path)
    bare = re.sub(r"^\s*#.*\n", "", text, flags=re.M)
    spaced = "".join(f"{line}\n\n# a comment\n" for line in bare.splitlines())
    assert entries(program, program_of(bare, path)) == () == entries(program, program_of(spaced, path))


def independent(text):
    """Copies of a text, each with two adjacent independent lines swapped."""
    lines = text.splitlines(keepends=True)
    defs = re.findall(r"^def (\w+)", text, re.M)  # calls number their scopes
    for at in range(len(lines) - 1):
        one, two = lines[at : at + 2]
        pattern = re.compile(r"(?:variable |placeholder |data |param )?(\w+)(?: =|:) (?!.*(?:assign|\bnn\.|\bas\b))")
        names = [found and found[1] for found in map(pattern.match, (one, two))]
        if not all(names) or (re.search(rf"\b({'|'.join(defs)})\(", one + two) and defs):
            continue
        if not any(re.search(rf"\b{name}\b", line, re.I) for name, line in zip(names, (two, one))):
            yield "".join([*lines[:at], two, one, *lines[at + 2 :]])


def edited(path, edits):
    """A program, and each of its edited copies that is a program, with its text."""
    text = path.read_text(encoding="utf-8")
    program = program_of(text, path)
    for copy in edits(text):
        other = program_of(copy, path)
        if other is not None:
            yield program, other, copy


@pytest.mark.parametrize("path", PROGRAMS)
def test_the_order_of_independent_declarations_means_nothing(path):
    for program, other, text in edited(path, independent):
        assert entries(program, other) == (), text


def reordered(text):
    """Copies of a text, each with two adjacent statements of a session swapped."""
    lines = text.splitlines(keepends=True)
    start = next((at for at, line in enumerate(lines) if line.startswith("session")), len(lines))
    for at in range(start, len(lines) - 1):
        one, two = lines[at : at + 2]
        if one.startswith(" ") and re.match(" *", one)[0] == re.match(" *", two)[0] and one != two:
            yield "".join([*lines[:at], two, one, *lines[at + 2 :]])


@pytest.mark.parametrize("path", PROGRAMS)
def test_statements_in_another_order_are_a_difference(path):
    for program, other, text in edited(path, reordered):
        assert bool(entries(program, other)) == (meaning(other) != meaning(program)), text


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[pytest.mark.long] if path.parent.parent.name == "models" else [])
        for path in sorted([*(ROOT / "models").rglob("*.tfg"), *(ROOT / "tests" / "golden").glob("*.tfg")])
        if path.stem not in ("predict", "autodiff_passes")  # one has files as data, and one is large
    ],
)
def test_a_program_is_the_same_as_itself_and_with_other_names_of_batches(path):
    text = path.read_text(encoding="utf-8")
    program = program_of(text, path)
    assert entries(program, program) == ()
    for name in set(re.findall(r"\bas (\w+)(?= with|:\n)", text)):
        edited = re.sub(rf"\b(as {name}\b|{name}(?=\.))", r"\1_other", text)
        assert edited != text and entries(program, program_of(edited, path)) == ()
