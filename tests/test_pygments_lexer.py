"""The colours of programs, compared with the parser's own tokens."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
from pygments.token import Comment, Error, Keyword, Name, Operator, String

from tfdsl.limits import Clock, Limits
from tfdsl.pygments_lexer import TfgLexer
from tfdsl.syntax.indenter import Indenter
from tfdsl.syntax.parser import Parser
from tfdsl.syntax.tables import tables

ROOT = Path(__file__).parents[1]
GOOD = sorted([*ROOT.glob("models/*.tfg"), *ROOT.glob("tests/ports/*.tfg"), *ROOT.glob("tests/cases/good/*.tfg")])
ALL = sorted({*GOOD, *ROOT.glob("tests/**/*.tfg")})
KEYWORDS = {name for name, _ in tables().keywords}
OF_KEYWORDS = (Keyword, Operator.Word)


class Seen(Indenter):
    """The layout, which keeps the tokens that the parser gets."""

    def __init__(self):
        self.limits = Limits()
        self.clock = Clock(self.limits)
        self.tokens = []

    def process(self, stream, indents=None, tabbed=None):
        for token in super().process(stream, indents, tabbed):
            self.tokens.append(token)
            yield token


class NoBuilder:
    def method_of(self, rule):
        return lambda parts: None

    fixed_method_of = method_of


def coloured(text):
    """The offset, the colour and the text of each token."""
    return list(TfgLexer().get_tokens_unprocessed(text))


def colours(text):
    return [(part, colour) for _, colour, part in coloured(text) if part.strip()]


def is_keyword(colour):
    return any(colour in one for one in OF_KEYWORDS) and colour is not Keyword.Type


def test_nothing_is_lost():
    """Also of wrong programs, and of good ones that begin and break off anywhere."""
    texts = [path.read_bytes().decode("utf-8", "replace") for path in ALL]
    texts += [text[begin:-begin] for path in GOOD for text in [path.read_text("utf-8")] for begin in [len(text) // 3]]
    assert len(texts) > 500
    for text in texts:
        at = 0
        for start, _, part in coloured(text):
            assert start == at and text.startswith(part, at)
            at += len(part)
        assert at == len(text)


def test_keywords_are_those_of_the_parser():
    assert len(GOOD) > 80
    for path in GOOD:
        text = path.read_text(encoding="utf-8")
        layout = Seen()
        Parser(tables(), NoBuilder(), layout).parse(text if text.endswith("\n") else text + "\n", "file")
        expected = [(one.start, str(one)) for one in layout.tokens if one.kind in KEYWORDS]
        found = [(at, part) for at, colour, part in coloured(text) if is_keyword(colour)]
        assert found == expected, path
        assert Error not in {colour for _, colour, _ in coloured(text)}


def test_the_lines_of_a_session_begin_with_keywords_only_there():
    program = "train = 2\nrun = train\nsession:\n    init\n    train 2 steps:\n        run step\n"
    assert [part for part, colour in colours(program) if is_keyword(colour)] == [
        "session",
        "init",
        "train",
        "steps",
        "run",
    ]


def test_a_mistake_changes_its_line_only():
    program = (
        "variable w = 1\n) ; w $\nvariable v = [1,\n    2]\nsession:\n    trian 2 steps:\n    print v with w = 2\n"
    )
    assert [part for part, colour in colours(program) if is_keyword(colour)] == [
        "variable", "variable", "session", "print", "with",
    ]  # fmt: skip
    assert [part for part, colour in colours(program) if colour is Error] == [";", "$"]


@pytest.mark.parametrize(
    ("text", "colour", "expected"),
    [
        ("x = zeros([2]) as float32\n", Keyword.Type, []),
        ("x = cast(y, float32)\nplaceholder float32: float32[2]\n", Keyword.Type, ["float32", "float32"]),
        ("def f(x):\n    return g.h(x.y)\n", Name.Function, ["f", "h"]),
        ("data d = iris() | take(2) | standardize\n", Name.Function, ["iris", "take", "standardize"]),
        ('x = "a{b:.2f}\\n{{c"\n', String.Interpol, ["{b:.2f}"]),
        ('x = "a{b:.2f}\\n{{c"\n', String.Escape, ["\\n", "{{"]),
        ("x = [1,  # one\n  2]  # two\n# three\n", Comment.Single, ["# one", "# two", "# three"]),
        ("%%tfg --save here\nx = 1\n", Comment.Preproc, ["%%tfg --save here"]),
    ],
)
def test_colours(text, colour, expected):
    assert [part for part, found in colours(text) if found is colour] == expected


def test_pygments_finds_the_language_by_its_entry_point():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    [(name, value)] = project["entry-points"]["pygments.lexers"].items()
    assert EntryPoint(name, value, "pygments.lexers").load() is TfgLexer
    assert any(one.startswith("rich") for one in project["dependencies"])  # which needs Pygments


def test_the_analysis_and_tensorflow_are_not_imported():
    code = "import sys, tfdsl.pygments_lexer; print(*(n for n in sys.modules if n.startswith(('tfdsl', 'tensorflow'))))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not [name for name in found if name.split(".")[:2] in (["tfdsl", "analysis"], ["tensorflow"])]
    assert "tfdsl.syntax.tables" in found
