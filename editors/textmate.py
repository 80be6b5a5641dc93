"""Makes `tfg.tmLanguage.json`, the TextMate grammar of the language, from `tfg.lark`: `python editors/textmate.py`.

TextMate grammars know regular expressions and what is open, but no parser. So a word is a keyword where a statement
begins with it, or in a statement that has it among its clauses, outside brackets.
"""

import json
import re
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any

from tfdsl.syntax.generate import grammar
from tfdsl.syntax.tables import STARTS, grammar_text, tables
from tfdsl.types import DTYPE_NAMES

FILE = Path(__file__).with_name("tfg.tmLanguage.json")
Rule = dict[str, Any]  # as TextMate reads it

_NAME = r"[^\W\d]\w*"
# Rules of the grammar at which a statement's own words end: expressions, and other statements.
_EXPRESSION = {"expr", "expr_list", "arguments", "stage_arguments", "subscript", "evaluation"}
_BLOCKS = {"block", "session_block"}


def textmate() -> Rule:
    """The grammar, as JSON has it."""
    words = dict(tables().keywords)
    graph = _statements(["#declarations"], [*_alternatives("_simple", "_compound"), "elif_", "else_"], words)
    of_session = _alternatives("_session_simple", "_session_compound")
    of_session = _statements(["#statements", "#values"], [*of_session, "session_elif", "session_else"], words)
    return {
        "name": "tfg",
        "scopeName": "source.tfg",
        "fileTypes": ["tfg"],
        "patterns": [
            {"include": "#session"},
            {"include": "#declarations"},
            {"include": "#as"},
            {"include": "#expression"},
        ],
        "repository": {
            "session": _session(words),
            "declarations": {"patterns": graph},
            "statements": {"patterns": of_session},
            "values": _values(words),
            "as": _as(words),
            "expression": _expression(words),
            "brackets": _brackets(words),
            "string": _string(),
        },
    }


@cache
def _rules() -> dict[str, list[list[str]]]:
    """What each rule of the grammar is made of, in each of its forms."""
    found: dict[str, list[list[str]]] = {}
    for rule in grammar(grammar_text(), STARTS).rules:
        found.setdefault(rule.origin.name, []).append([symbol.name for symbol in rule.expansion])
    return found


def _alternatives(*names: str) -> list[str]:
    """The rules that rules of the grammar choose between."""
    return [form[0] for name in names for form in _rules()[name]]


def _own(name: str) -> tuple[tuple[str, ...], list[str]]:
    """The keywords that a statement begins with, and the others of its own."""
    keywords = dict(tables().keywords)
    form, *_ = _rules()[name]
    first = tuple(takewhile(keywords.__contains__, form[:2]))
    found: list[str] = []
    todo = [name]
    for rule in todo:  # which grows
        for part in (part for form in _rules()[rule] for part in form):
            if part in keywords and part not in (*first, *found):
                found.append(part)
            elif part in _rules() and part not in (*_EXPRESSION, *_BLOCKS, *todo):
                todo.append(part)
    return first, found


def _statements(again: list[str], names: list[str], words: dict[str, str]) -> list[Rule]:
    """The statements that begin with keywords, each to the end of its line. `again` names them for
    a block that is on the line."""
    found = sorted((_own(name) for name in names if name != "session"), key=lambda one: -len(one[0]))
    return [
        {
            "begin": r"(?:^|(?<=:))[ \t]*" + r"[ \t]+".join(f"({words[one]})" for one in first),
            "beginCaptures": {str(number): {"name": "keyword.control.tfg"} for number, _ in enumerate(first, 1)},
            "end": "$",
            "patterns": [
                *({"include": one} for one in again),
                {"include": "#as"},
                *(_keyword(words[one]) for one in others if one != "AS"),
                {"include": "#expression"},
            ],
        }
        for first, others in found
        if first
    ]


def _session(words: dict[str, str]) -> Rule:
    """A session: the lines that are indented more than its first."""
    on = rf"(?:[ \t]+({words['ON']})[ \t]+{_NAME})?"
    return {
        "begin": rf"^([ \t]*)({words['SESSION']})(?:[ \t]+(?!on\b){_NAME})?{on}",
        "beginCaptures": {"2": {"name": "keyword.control.tfg"}, "3": {"name": "keyword.control.tfg"}},
        "end": r"^(?!\1[ \t]+\S|[ \t]*(?:#|$))",
        "patterns": [{"include": "#statements"}, {"include": "#values"}, {"include": "#expression"}],
    }


def _values(words: dict[str, str]) -> Rule:
    """The values of a session: `NAMES = ...`."""
    clauses = [{"include": "#as"}, *(_keyword(words[one]) for one in ("ON", "IN", "BATCHES", "OF", "WITH"))]
    evaluate = {
        "begin": rf"(?<==)[ \t]*({words['EVALUATE']})",
        "beginCaptures": {"1": {"name": "keyword.control.tfg"}},
        "end": "$",
        "patterns": [*clauses, {"include": "#expression"}],
    }
    return {
        "begin": rf"(?:^|(?<=:))[ \t]*(?={_NAME}[ \t]*(?:=(?!=)|,))",
        "end": "$",
        "patterns": [evaluate, _keyword(words["WITH"]), {"include": "#expression"}],
    }


def _keyword(pattern: str) -> Rule:
    return {"match": rf"(?<![\w.]){pattern}", "name": "keyword.control.tfg"}


def _as(words: dict[str, str]) -> Rule:
    """The name of what a statement makes. It can be a word that is a keyword elsewhere, such as `batch`."""
    captures = {"1": {"name": "keyword.control.tfg"}, "2": {"name": "keyword.control.tfg"}}
    return {
        "match": rf"(?<![\w.])({words['AS']})(?:[ \t]+{_NAME}(?:[ \t]+({words['REUSE']}))?)?",
        "captures": captures,
    }


def _brackets(words: dict[str, str]) -> Rule:
    """What is in brackets goes over the ends of lines, and has no statements."""
    inner = [_keyword(words["FOR"]), {"include": "#expression"}]
    pairs = ((r"\(", r"\)"), (r"\[", r"\]"), (r"\{", r"\}"))
    return {"patterns": [{"begin": one, "end": two, "patterns": inner} for one, two in pairs]}


def _expression(words: dict[str, str]) -> Rule:
    dtypes = "|".join(map(re.escape, DTYPE_NAMES))
    operators = [words[one] for one in ("AND", "OR", "NOT", "IN", "IF", "ELSE")]
    constants = [words[one] for one in ("TRUE", "FALSE", "NONE")]
    return {
        "patterns": [
            {"match": "#.*$", "name": "comment.line.number-sign.tfg"},
            _bytes(),
            {"include": "#string"},
            {"include": "#brackets"},
            {"match": rf"\.[ \t]*{_NAME}(?=[ \t]*\()", "name": "entity.name.function.tfg"},
            {"match": rf"\.[ \t]*{_NAME}", "name": "variable.other.member.tfg"},
            {"match": rf"(?<!\w)(?:{tables().classes['NUMBER']})", "name": "constant.numeric.tfg"},
            *({"match": rf"(?<!\w){one}", "name": "constant.language.tfg"} for one in constants),
            *({"match": rf"(?<!\w){one}", "name": "keyword.operator.word.tfg"} for one in operators),
            {
                "match": rf"(?<=:)[ \t]*(?:{dtypes})\b|(?<=[(,=\[])[ \t]*(?:{dtypes})\b(?![ \t]*=(?!=))",
                "name": "storage.type.tfg",
            },
            {"match": rf"(?<=\|)[ \t]*{_NAME}|{_NAME}(?=[ \t]*\()", "name": "entity.name.function.tfg"},
            {"match": _NAME, "name": "variable.other.tfg"},
            {"match": r"\*\*|//|[-+*/%@|]|[<>=!]=|[<>=]", "name": "keyword.operator.tfg"},
        ]
    }


def _string() -> Rule:
    return {
        "begin": '"',
        "end": '"|$',
        "name": "string.quoted.double.tfg",
        "patterns": [
            {"match": r"\\.|\{\{|\}\}", "name": "constant.character.escape.tfg"},
            {"match": r"\{[^{}\"]*\}", "name": "constant.other.placeholder.tfg"},
        ],
    }


def _bytes() -> Rule:
    return {
        "begin": r'(?<!\w)(b)"',
        "beginCaptures": {"1": {"name": "storage.type.string.tfg"}},
        "end": '"|$',
        "name": "string.quoted.double.tfg",
        "patterns": [{"match": r"\\(?:[0-7]{1,3}|x[0-9a-fA-F]{2}|.)", "name": "constant.character.escape.tfg"}],
    }


if __name__ == "__main__":
    FILE.write_text(json.dumps(textmate(), indent=2) + "\n", encoding="utf-8")
