"""The tables of the parser: Lark makes them from the grammar, and the user's cache folder keeps them.

Making them takes a second, and importing Lark takes longer than checking a program. So Lark is only imported if the
cache has no tables for this grammar. The parser that works by them is `parser.py`.
"""

import marshal
import os
import stat
import sys
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from ..bundled import bundled
from ..record import Record

STARTS = ("file", "expr")
_FORM = 3  # of the cached tables


class Rule(Record):
    """A rule of the grammar, completed after `size` parts.

    `method` is the name of the builder's method. `parts` has, for each part, the number of missing optional parts
    before it, and the name of its terminal or rule; `missing` counts those after the last. If `only_part`, a rule
    with one part gives that part.
    """

    origin: str
    method: str
    size: int
    parts: tuple[tuple[int, str], ...]
    missing: int
    only_part: bool

    @property
    def is_list(self) -> bool:
        """Whether its parts go to the rule around it."""
        return is_list(self.method)

    @property
    def has_lists(self) -> bool:
        """Whether parts are lists of parts themselves."""
        return any(is_list(name) for _, name in self.parts)

    @property
    def is_plain(self) -> bool:
        """Whether the builder gets the parts as they are."""
        return not self.missing and not any(before or is_list(name) for before, name in self.parts)

    def arranged(self, parts: Sequence[Any]) -> list[Any]:  # tokens, and what a builder makes
        """Its parts, with the parts of lists in their place, and None for missing parts."""
        made: list[Any] = []  # the same
        for part, (missing, name) in zip(parts, self.parts, strict=True):
            if missing:
                made += [None] * missing
            if not is_list(name):
                made.append(part)
            elif made:
                made += part
            else:  # a long list grows in place, part by part
                made = part
        made += [None] * self.missing
        return made


def is_list(name: str) -> bool:
    """Whether a terminal or a rule of this name is a rule whose parts go to the rule around it."""
    return name.startswith("_") and not name.isupper()


class Tables(Record):
    """What the lexer and the parser know of the grammar.

    `states` has the step of each state for the next terminal or rule: the number of another state, or `~n` to complete
    rule number n. `starts` has the first and the last state for each of `STARTS`. The lexer has regular expressions:
    `ignored`, one for each class of tokens, and the keywords with theirs, in the order in which they are tried;
    `symbols` has names by texts.
    """

    states: tuple[Mapping[str, int], ...]
    starts: Mapping[str, tuple[int, int]]
    rules: tuple[Rule, ...]
    ignored: str
    classes: Mapping[str, str]
    symbols: Mapping[str, str]
    keywords: tuple[tuple[str, str], ...]


@cache
def grammar_text() -> str:
    with open(bundled("grammars", "tfg.lark"), encoding="utf-8") as file:
        return file.read()


@cache
def tables() -> Tables:
    """The tables of the grammar, of the cache if it has them."""
    text = grammar_text()
    path = _cache_path(text)
    plain = None if path is None else _cached(path, text)
    if plain is None:
        from .generate import generated

        plain = generated(text, STARTS)
        if path is not None:
            _keep(path, text, plain)
    states, starts, rules, *lexer = plain
    return Tables(states, starts, tuple(Rule(*rule) for rule in rules), *lexer)


def _cache_path(text: str) -> str | None:
    """The user's cache file for the tables, or None if there is no such folder.

    `marshal` trusts what it reads, so the folder must belong to this user and be closed to others.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    home = base if base and os.path.isabs(base) else os.path.join(os.path.expanduser("~"), ".cache")
    folder = os.path.join(home, "tfdsl")
    if not os.path.isabs(folder):
        return None
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        status = os.stat(folder)
        is_own = not hasattr(os, "getuid") or (status.st_uid == os.getuid() and not status.st_mode & 0o022)
        if not is_own or not os.access(folder, os.W_OK | os.X_OK):
            return None
    except OSError:
        return None
    return os.path.join(folder, f"parser-{sys.implementation.cache_tag}-{_FORM}-{zlib.crc32(text.encode()):08x}")


def _cached(path: str, text: str) -> tuple[Any, ...] | None:  # of parts with different types
    """The tables in a cache file, or None if it has none of this grammar, or has changed."""
    with suppress(OSError, EOFError, ValueError, TypeError):
        # Opening a pipe would wait for its other end.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return None
            made_of, checksum, content = marshal.load(file)
        if made_of == text and checksum == zlib.crc32(content):
            return marshal.loads(content)
    return None


def _keep(path: str, text: str, plain: tuple[Any, ...]) -> None:  # of parts with different types
    """Write a cache file. Another process that reads it meanwhile sees the old one or the new one."""
    import tempfile

    content = marshal.dumps(plain)
    with suppress(OSError):
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path))
        try:
            with os.fdopen(handle, "wb") as file:
                marshal.dump((text, zlib.crc32(content), content), file)
            os.replace(temporary, path)
        except OSError:
            os.unlink(temporary)
