"""Finds the grammar, builds the parser and keeps its tables in the user's own cache folder."""

import hashlib
import os
import sys
import tempfile
from functools import cache
from pathlib import Path

import lark

from .layout import Layout

STARTS = ("file", "expr")


def grammar_text() -> str:
    """The grammar, beside the package's modules in a wheel, beside the package in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package, package.parent):
        path = folder / "grammars" / "tfg.lark"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("tfdsl is installed without its grammar, grammars/tfg.lark")


def _cache_path(text: str) -> str | None:
    """A file of the user's own for the parser's tables, or None where there is no such folder.

    Lark pickles the tables, so the folder must belong to this user and be closed to others.
    """
    base = os.environ.get("XDG_CACHE_HOME")
    folder = Path(base) if base and os.path.isabs(base) else Path.home() / ".cache"
    folder /= "tfdsl"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
        if hasattr(os, "getuid") and (status.st_uid != os.getuid() or status.st_mode & 0o022):
            return None
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (OSError, RuntimeError):
        return None
    key = hashlib.sha256(f"{lark.__version__} {sys.version_info[:2]} {text}".encode()).hexdigest()[:16]
    return str(folder / f"grammar-{key}")


@cache
def parser(transformer: lark.Transformer) -> lark.Lark:
    """The parser, whose `transformer` is called as each rule is recognised."""
    text = grammar_text()
    return lark.Lark(
        text,
        start=list(STARTS),
        parser="lalr",
        lexer="contextual",
        postlex=Layout(),
        transformer=transformer,
        keep_all_tokens=True,
        maybe_placeholders=True,
        cache=_cache_path(text) or False,
    )
