"""The TextMate grammar of editors/, compared with the parser's own tokens."""

import json
from pathlib import Path

import textmate
from textmate_tokens import tokens

from tfdsl.pygments_lexer import TfgLexer

ROOT = Path(__file__).parents[2]
GRAMMAR = json.loads(textmate.FILE.read_text(encoding="utf-8"))
PROGRAMS = sorted([*ROOT.glob("models/*.tfg"), *ROOT.glob("tests/ports/*.tfg"), *ROOT.glob("tests/cases/good/*.tfg")])
KINDS = {"Keyword": "keyword.control.tfg", "Keyword.Namespace": "keyword.control.tfg",
         "Keyword.Constant": "constant.language.tfg", "Operator.Word": "keyword.operator.word.tfg",
         "Keyword.Type": "storage.type.tfg", "Comment.Single": "comment.line.number-sign.tfg",
         "Literal.String.Interpol": "constant.other.placeholder.tfg"}  # fmt: skip


def words(text):
    """The words with a colour of the TextMate grammar, at their places."""
    known = set(KINDS.values())
    return {(at + len(part) - len(part.lstrip()), part.strip()): scope.replace("operator.word", "control")
            for at, part, scope in tokens(GRAMMAR, text) if scope in known}  # fmt: skip


def test_it_is_made_of_the_grammar():
    """`python editors/textmate.py` writes it."""
    assert textmate.textmate() == GRAMMAR


def test_words_have_the_colours_of_the_parser():
    assert len(PROGRAMS) > 80
    for path in PROGRAMS:
        text = path.read_text(encoding="utf-8")
        expected = {(at, part.strip()): KINDS[str(colour).removeprefix("Token.")].replace("operator.word", "control")
                    for at, colour, part in TfgLexer().get_tokens_unprocessed(text)
                    if str(colour).removeprefix("Token.") in KINDS}  # fmt: skip
        assert words(text) == expected, path


def test_words_of_statements_are_names_elsewhere():
    text = (
        "train = 2\nrun = train if train else f(train, with=run)\nsession:\n    init\n    train 2 steps as batch:\n"
        "        feed x = batch.train, step = [run,\n            print]\n    a = evaluate b on c.train in batches of 5 as d\n"
        "print = a.session\n"
    )
    found = [word for (_, word), scope in words(text).items() if scope == "keyword.control.tfg"]
    assert found == ["if", "else", "session", "init", "train", "steps", "as", "feed", "evaluate", "on", "in", "batches", "of", "as"]  # fmt: skip
