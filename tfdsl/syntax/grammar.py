"""Finds the grammar, builds the parser, and caches its tables in the user's cache folder."""

import hashlib
import os
import re
import sys
from functools import cache
from typing import Any, Protocol

import lark

from ..bundled import bundled
from .build import Builder
from .indenter import Indenter
from .lexer import SoftKeywordLexer

STARTS = ("file", "expr")


@cache
def grammar_text() -> str:
    with open(bundled("grammars", "tfg.lark"), encoding="utf-8") as file:
        return file.read()


def first_words(*kinds: str) -> tuple[str, ...]:
    """The first words of statements of some kinds, such as `simple` and `session_compound`."""
    text = grammar_text()
    words = dict(re.findall(r"^(\w+): ([A-Z_]+) ", text, re.M))
    alternatives = re.findall(rf"^_(?:{'|'.join(kinds)}): (.*(?:\n +\|.*)*)", text, re.M)
    rules = (rule for line in alternatives for rule in re.findall(r"\w+", line))
    return tuple(dict.fromkeys(words[rule].lower() for rule in rules if rule in words))


def _cache_path(text: str) -> str | None:
    """The user's cache file for the parser tables, or None if there is no such folder.

    Lark pickles the tables, so the folder must belong to this user and be closed to others.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    home = base if base and os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "tfdsl")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.stat(folder)
        is_own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
        if not is_own or not os.access(folder, os.W_OK | os.X_OK):
            return None
    except OSError:
        return None
    key = hashlib.sha256(f"{lark.__version__} {sys.version_info[:2]} {text}".encode()).hexdigest()[:16]
    return os.path.join(folder, f"grammar-{key}")


class Parser(Protocol):
    """The part of Lark's parser that is used."""

    # The builder's result for the rule `start`. Lark's types do not know the builder.
    def parse(self, text: str, *, start: str) -> Any: ...


@cache
def parser(builder: Builder, layout: Indenter) -> Parser:
    """The parser, which calls the builder when a rule is recognised."""
    text = grammar_text()
    return lark.Lark(
        text,
        start=list(STARTS),
        parser="lalr",
        lexer=SoftKeywordLexer,
        postlex=layout,
        transformer=builder,
        keep_all_tokens=True,
        maybe_placeholders=True,
        cache=_cache_path(text) or False,
    )
