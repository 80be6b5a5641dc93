"""Syntax errors hide nothing else, and nothing false is reported beside them.

`broken` changes one line of a program at random. What the check then says of other lines must be what it says of the
whole program.
"""

import json
import random
import re
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.diagnostics.render import render_text
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.limits import Clock, Limits
from tfdsl.source import Source
from tfdsl.syntax import tree as t
from tfdsl.syntax.build import Builder
from tfdsl.syntax.explain import SyntaxFault, explained
from tfdsl.syntax.format import format_text
from tfdsl.syntax.indenter import Indenter
from tfdsl.syntax.parse import parse_anyway
from tfdsl.syntax.parser import Parser, Stack
from tfdsl.syntax.read import read
from tfdsl.syntax.recover import MAX_BROKEN, ErrorParser
from tfdsl.syntax.tables import tables

ROOT = Path(__file__).parents[2]
CASES = sorted(
    path
    for path in ROOT.glob("tests/cases/*/*.tfg")
    if path.parent.name not in ("text", "limits") and path.stem != "no_target_once"
)
MODELS = sorted(ROOT.glob("models/*.tfg"))
TOKEN = re.compile(r'"(?:\\.|[^"\\\n])*"|\d[\w.]*|\w+|\*\*|//|[=!<>]=|\S')
PIECES = (
    """x ( ) [ ] { } = , : + - * . | " 1 0.5 run print as with if in train def return $ ' ; ** == "a" for""".split()
)


def changed(row, choose):
    """A line with a mistake, and the names that are cut off."""
    start, end = choose.choice([match.span() for match in TOKEN.finditer(row)])
    piece = choose.choice(PIECES)
    joins = re.search(r"\w$", row[:start]) is not None  # with the piece, to another name
    made = choose.choice(
        [
            *[f"{row[:start]} {row[end:]}"] * 3,  # a token is missing
            *[f"{row[:start]} {piece} {row[end:]}"] * 2,  # another is there
            *[f"{row[:start]}{' ' * joins}{piece} {row[start:]}"] * 2,  # there is one more
            row[:end],  # the line is cut
            row.replace(":", "", 1),
            row.replace(")", "", 1),
            f"{row} (",
        ]
    )
    lost = set(re.findall(r"\w+", row[end:])) if made == row[:end] else set()
    indent = row[: len(row) - len(row.lstrip())]
    return indent + made.lstrip(), lost


def directive(text, word):
    match = re.search(rf"^#! {word} (.+)$", text, re.MULTILINE)
    return json.loads(match[1]) if match else {}


def diagnosed(source):
    given = directive(source.text, "params"), directive(source.text, "data")
    return check(source, CompileInputs(*given, Limits(**directive(source.text, "limits"))))[1]


@cache
def whole(path):
    """A program, the lines of each of its statements, and what the check says of it. None if it does not parse."""
    source = read(path)
    if parse_anyway(source).errors or not logical(source.text):
        return None
    return source, logical(source.text), frozenset(map(key, diagnosed(source)))


def logical(text):
    """The numbers of the lines of each logical line with code, by brackets and continuations."""
    found, depth = [], 0
    for number, row in enumerate(text.split("\n")):
        code = re.sub(r'"(?:\\.|[^"\\\n])*"|#.*', "", row)
        if depth or (code.lstrip().startswith("|") and found):
            found[-1].append(number)
        elif code.strip():
            found.append([number])
        depth += sum((sign in "([{") - (sign in ")]}") for sign in code)
    return found


def key(diagnostic):
    if diagnostic.span is None:
        return None, 0, diagnostic.code
    line, column = diagnostic.span.source.position(diagnostic.span.start)
    return (diagnostic.span.source.path, line), column, diagnostic.code


def fresh_parser(source):
    """A parser for a source, with its builder."""
    builder, layout = Builder(), Indenter()
    builder.source, layout.limits = source, Limits()
    layout.clock = Clock(layout.limits)
    return Parser(tables(), builder, layout), builder


def from_its_start(source):
    """The tree of a text with syntax errors, without anything from an attempt that stopped at the first one."""
    parser, builder = fresh_parser(source)
    return ErrorParser(parser, source, source.text, builder, Stack([], [])).tree()


def first_error(source):
    """The syntax error that the parser meets first, without recovery. None if there is none."""
    parser, _ = fresh_parser(source)
    try:
        parser.parse(source.text, "file")
    except get_args(SyntaxFault) as error:
        return explained(error, source, source.text, parser)


def tried(path, seed):
    """A line of a program with a random mistake, the first syntax error, all that the check says, and what of that is
    wrong. None if the program still parses."""
    source, statements, known = whole(path)
    choose = random.Random(f"{path.name} {seed}")
    lines = choose.choice(statements)
    rows = source.text.rstrip("\n").split("\n")
    number = choose.choice(lines)
    code, comment = re.fullmatch(r"(.*?\S)??(\s*(?:#.*)?)", rows[number]).groups()
    if code is None:
        return None
    code, lost = changed(code, choose)
    rows[number] = code + comment
    mistaken = Source(source.path, "\n".join(rows) + "\n")
    first = first_error(mistaken)
    if first is None:
        return None
    assert parse_anyway(mistaken) == from_its_start(mistaken)
    own = {(source.path, line + 1) for line in lines}
    told = own | {line for line, _, _ in known}  # one error can hide another on its line
    codes = {code for line, _, code in known if line in own}  # some mistakes are only reported once
    found = diagnosed(mistaken)
    wrong = [
        one
        for one in found
        if key(one)[0] not in told
        and one.code not in codes
        and (one.details or {}).get("name") not in lost
        and render_text(one) != render_text(first)
    ]
    return rows[number], first, found, wrong


SEVERAL = """\
import nn
x = (1 +
variable w: float32[3
def f(X:
    y = X + 1 2
    return y
z = f(3) + unknown
scope enc
    a = 1
    b = = 2
if x ==:
    q = 1
elif true:
    q = 2
else
    q = 3
)
v = reduce_sum(w) + x + a + enc.b + "text"
k = reduce_sum("text")
sesion:
    print x y
    trian 3 steps on d as batch:
        run foo bar
        run z
        print batch.features, missing
    print w
  print "a"
    train 10 batches:
        print "\\q"
        every 3 steps: print x y
session
    print 3, nothing
"""


def test_all_errors_of_a_text_are_reported():
    found = check(Source("several.tfg", SEVERAL))[1]
    assert [(one.span.line, one.code) for one in found] == [
        (2, "TFG108"), (3, "TFG108"), (4, "TFG101"), (5, "TFG101"), (7, "TFG301"), (8, "TFG107"), (10, "TFG101"),
        (11, "TFG101"), (15, "TFG107"), (17, "TFG109"), (19, "TFG204"), (20, "TFG101"), (21, "TFG101"),
        (22, "TFG101"), (23, "TFG101"), (25, "TFG301"), (27, "TFG105"), (28, "TFG117"), (29, "TFG112"),
        (30, "TFG101"), (31, "TFG107"), (32, "TFG301"),
    ]  # fmt: skip


def broken(text):
    """The statements with syntax errors in a text: their words and names."""
    tree = parse_anyway(Source("p.tfg", text))
    assert tree.errors
    return [
        (one.word, *(target.id for target in one.targets)) for one in t.trees(tree.body) if isinstance(one, t.Broken)
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("x = (1 +", ("", "x")),
        ("x, y = (1 +", ("", "x", "y")),
        ("x y = 1", ("", "x", "y")),
        ("variable w: float32[3", ("variable", "w")),
        ("varaible w: float32[3", ("variable", "w")),
        ("def f(x:\n    return x", ("def", "f")),
        ('import "lib/layers.tfg', ("import", "layers")),
        ("from nn import dense, relu (", ("from", "dense", "relu")),
        ("optimize loss with adam( as step", ("optimize", "step")),
        ("y = f(x as head", ("", "head", "y")),
        ("for i, j in :\n    a = 1", ("for", "i", "j")),
        ("x == (1", ("",)),
        ("session:\n    print (", ("print",)),
        ("session:\n    a = evaluate x on", ("", "a")),
    ],
)
def test_the_names_that_a_broken_statement_binds(text, names):
    assert broken(text) == [names]


@pytest.mark.parametrize(
    "text",
    [
        "x = f(1,\ny = 2\n",
        "x = f(1,\n    2\ny = 2\n",
        "x = f 1,\n    2\n)\ny = 2\n",
        'x = "a\ny = 2\n',
        "  x = 1\ny = 2\n",
        "x = 1\n    z = 1\ny = 2\n",
        "x = {1: \n# a comment\n\ny = 2\n",
        "data d = csv(\n    | split\ny = 2\n",
        "else:\n    z = 1\ny = 2\n",
        "if :\n    z = 1\nelse:\n    z = 2\ny = 2\n",
        "scope a:\ny = 2\n",
    ],
)
def test_the_next_statement_is_found(text):
    tree = parse_anyway(Source("p.tfg", text))
    assert len(tree.errors) == 1
    assert isinstance(tree.body[-1], t.Assign) and tree.body[-1].span.text == "y = 2"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("session:\n\tprint 1\n\tprint (\n    print 2\n\tprint 3\n", 2),  # tabs are reported once
        ("session:\n         print (\n    print 2\n    print 3\n", 1),
        ("session:\n        print 1\n    print 2\n    print 3\n", 1),
        ("session:\n        print 1\n    print 2\n        print 3\n", 1),
        ("session:\nprint 1\nrun x\nx = 1\n", 1),
        ("def :\n    print 1\n    run x\n", 1),
    ],
)
def test_one_mistake_is_one_error(text, count):
    assert len(parse_anyway(Source("p.tfg", text)).errors) == count


def test_a_text_that_is_no_program_has_an_end():
    text = "This is prose, and no program.\n" * 500
    tree = parse_anyway(Source("p.tfg", text))
    assert len(tree.errors) == MAX_BROKEN + 1 and tree.errors[-1].code == "TFG842"
    assert tree.body[-1].span.end == len(text) - 1


def test_the_time_is_limited():
    with pytest.raises(TfgError) as caught:
        parse_anyway(Source("p.tfg", "x = (\n" * 50), Limits(seconds=0.0))
    assert [one.code for one in caught.value.diagnostics] == ["TFG840"]


def test_an_imported_file_has_all_its_errors(tmp_path):
    (tmp_path / "other.tfg").write_text("a = (1\nb = unknown\nc = 2\n", encoding="utf-8")
    (tmp_path / "main.tfg").write_text('import "other.tfg"\nd = other.c + other.a + missing\n', encoding="utf-8")
    found = check(read(tmp_path / "main.tfg"))[1]
    places = [(Path(one.span.source.path).name, one.span.line, one.code) for one in found]
    assert places == [("main.tfg", 2, "TFG301"), ("other.tfg", 1, "TFG108"), ("other.tfg", 2, "TFG301")]


def test_all_errors_are_raised():
    with pytest.raises(TfgError) as caught:
        tfdsl.compile("x = (1\ny = unknown\nz = )\n")
    assert [one.code for one in caught.value.diagnostics] == ["TFG101", "TFG301", "TFG109"]
    with pytest.raises(TfgError) as caught:
        format_text(Source("p.tfg", "x = (1\ny = unknown\nz = )\n"))
    assert [one.code for one in caught.value.diagnostics] == ["TFG101", "TFG109"]


@pytest.mark.parametrize("header", ["train 10  + :", "train 10 steps", "train steps:"])
def test_names_that_a_broken_training_may_give_late_have_values_after_it(header):
    text = f"""variable w = 4.0
optimize square(w) with adam as step
session:
    {header}
        run step
        after every 2 steps: seen = w
    print seen
"""
    assert [one.span.line for one in check(Source("p.tfg", text))[1]] == [4]


def compare(paths, seeds):
    count = 0
    for seed in seeds:
        for path in paths:
            result = tried(path, seed) if whole(path) is not None else None
            if result is not None:
                row, first, found, wrong = result
                shown = f"{path} {seed}: {row}"
                # A statement of a session in the graph half is an error itself, in place of the error in it.
                stray = [one.span.line for one in found if one.code == "TFG120"]
                assert render_text(first) in map(render_text, found) or first.span.line in stray, shown
                assert not wrong, "\n".join([shown, *map(render_text, wrong)])
                count += 1
    return count


def test_nothing_false_is_reported_beside_a_syntax_error():
    assert compare(CASES[::10], range(1)) > 25


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10, 20))
def test_nothing_false_is_reported_beside_any_syntax_error(seed):
    assert compare(CASES, [seed]) > 300


@pytest.mark.long
@pytest.mark.parametrize("path", MODELS, ids=lambda path: path.stem)
def test_nothing_false_is_reported_beside_a_syntax_error_of_a_model(path):
    compare([path], range(20))
