"""The parser and its tables, compared with Lark's own parser of the same grammar."""

import marshal
import os
import re
from functools import cache
from pathlib import Path

import lark
import pytest

from tfdsl.diagnostics import TfgError
from tfdsl.limits import Clock, Limits
from tfdsl.source import Source
from tfdsl.syntax import tables as made_tables
from tfdsl.syntax import tree as t
from tfdsl.syntax.blocks import statements, whole
from tfdsl.syntax.build import Builder
from tfdsl.syntax.generate import generated, grammar
from tfdsl.syntax.indenter import Indenter
from tfdsl.syntax.lexer import Token
from tfdsl.syntax.parse import parse
from tfdsl.syntax.parser import Parser
from tfdsl.syntax.tables import STARTS, grammar_text, tables

ROOT = Path(__file__).parents[2]
PROGRAMS = sorted([*ROOT.glob("models/*.tfg"), *ROOT.glob("tests/golden/*.tfg"), *ROOT.glob("tests/cases/good/*.tfg")])


class Recorded(Indenter):
    """The layout, which keeps the tokens that the parser gets."""

    def __init__(self):
        self.limits = Limits()
        self.clock = Clock(self.limits)

    def process(self, stream, indents=None, tabbed=None):
        self.tokens = []
        for token in super().process(stream, indents, tabbed):
            self.tokens.append(token)
            yield token


class Shown:
    """A builder that shows what it is called with."""

    def method_of(self, rule):
        return lambda parts: (rule.method, tuple(str(part) if isinstance(part, Token) else part for part in parts))

    def fixed_method_of(self, rule):
        return lambda parts: self.method_of(rule)(rule.arranged(parts))


class Open(Builder):
    """The builder, for which every rule could have lists."""

    def fixed_method_of(self, rule):
        return lambda parts: self.method_of(rule)(rule.arranged(parts))


def shown(tree):
    if not isinstance(tree, lark.Tree):
        return tree if tree is None else str(tree)
    return str(tree.data), tuple(map(shown, tree.children))


@cache
def by_lark():
    return grammar(grammar_text(), STARTS)


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_rules_have_the_parts_that_lark_gives_them(path):
    layout = Recorded()
    ours = Parser(tables(), Shown(), layout).parse(path.read_text(encoding="utf-8").rstrip("\n") + "\n", "file")
    theirs = by_lark().parse_interactive(start="file")
    for token in layout.tokens:
        theirs.feed_token(lark.Token(token.kind, str(token)))
    assert ours == shown(theirs.feed_eof())


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_rules_without_lists_make_the_same_nodes_faster(path):
    source = Source(str(path), path.read_text(encoding="utf-8").rstrip("\n") + "\n")
    builder, layout = Open(), Recorded()
    builder.source = source
    tree = parse(source)
    assert tree == Parser(tables(), builder, layout).parse(source.text, "file")
    for one in statements(tree.body):
        assert whole(one).end == max(part.span.end for part in t.trees(one))


def test_the_tokens_that_could_come_next_are_those_of_lark():
    text = "placeholder X: float32[?, 3]\nvariable w = zeros([3, 1])\nz = (X @ w)[0:2, ...] if not true else -1.5\n"
    layout = Recorded()
    parser = Parser(tables(), Shown(), layout)
    parser.parse(text, "file")
    theirs = by_lark().parse_interactive(start="file")
    states, rules = tables().states, tables().rules
    entered = [tables().starts["file"][0]]
    for token in layout.tokens:
        assert parser.accepted(entered) == theirs.accepts()
        theirs.feed_token(lark.Token(token.kind, str(token)))
        while (step := states[entered[-1]][token.kind]) < 0:
            rule = rules[~step]
            del entered[len(entered) - rule.size :]
            entered.append(states[entered[-1]][rule.origin])
        entered.append(step)


@pytest.fixture(scope="module")
def made():
    """What Lark makes of the grammar, which takes most of a second."""
    return generated(grammar_text(), STARTS)


@pytest.fixture
def cache_folder(tmp_path, monkeypatch, made):
    """An empty cache of the user. The tables that this process knows are forgotten, and known again at the end."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("tfdsl.syntax.generate.generated", lambda text, starts: made)
    tables.cache_clear()
    yield tmp_path / "tfdsl"
    tables.cache_clear()


def test_lark_is_only_asked_once(cache_folder, monkeypatch):
    first = tables()
    tables.cache_clear()
    monkeypatch.setattr("tfdsl.syntax.generate.generated", None)
    assert tables() == first and [path.name.partition("-")[0] for path in cache_folder.iterdir()] == ["parser"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no tables",
        marshal.dumps(("another text", ((), {}, (), "", {}, {}, ()))),
        marshal.dumps(7),
        marshal.dumps((1, 2, 3)),
        "cut",
    ],
    ids=["empty", "foreign", "of another text", "a number", "three numbers", "cut"],
)
def test_a_cache_file_that_is_not_of_this_grammar_is_replaced(cache_folder, content):
    first = tables()
    (file,) = cache_folder.iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2] if content == "cut" else content)
    tables.cache_clear()
    assert tables() == first and marshal.loads(file.read_bytes())[0] == grammar_text()


def test_a_changed_cache_file_is_replaced(cache_folder):
    """Whatever byte has changed: a name of a terminal would be wrong without a word."""
    first = tables()
    (file,) = cache_folder.iterdir()
    whole = file.read_bytes()
    for at in range(len(whole) // 2, len(whole), len(whole) // 40):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        tables.cache_clear()
        assert tables() == first


def test_a_pipe_at_the_place_of_the_cache_does_not_block(cache_folder):
    first = tables()
    (file,) = cache_folder.iterdir()
    file.unlink()
    os.mkfifo(file)
    tables.cache_clear()
    assert tables() == first


def test_a_home_without_a_place_has_no_cache(tmp_path, monkeypatch, made):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "rel")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert made_tables._cache_path("x") is None and list(tmp_path.iterdir()) == []


def test_a_folder_that_others_can_write_to_is_not_used(cache_folder):
    cache_folder.mkdir(mode=0o700)
    cache_folder.chmod(0o777)
    assert tables().rules and list(cache_folder.iterdir()) == []


def test_the_form_of_cached_tables_changes_with_their_fields():
    """A cache that an older version wrote must not be read: `_FORM` is to grow with any change of `Tables` or `Rule`."""
    assert made_tables._FORM == 3
    assert made_tables.Tables.__match_args__ == (
        "states", "starts", "rules", "ignored", "classes", "symbols", "keywords",
    )  # fmt: skip
    assert made_tables.Rule.__match_args__ == ("origin", "method", "size", "parts", "missing", "only_part")


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n", "x = (1\n", "x = 1)", "x ="])
def test_the_ends_of_texts(text):
    try:
        tree = parse(Source("p.tfg", text))
    except TfgError as error:
        (diagnostic,) = error.diagnostics
        assert re.fullmatch(r"TFG\d+", diagnostic.code) and diagnostic.span.start <= len(text)
    else:
        assert tree.body == ()


def test_every_rule_has_a_method():
    with_methods = [rule for rule in tables().rules if not rule.is_list and not (rule.only_part and rule.size == 1)]
    assert len(with_methods) > 100
    assert all(callable(Builder().method_of(rule)) for rule in with_methods)
