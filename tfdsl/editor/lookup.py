"""What the reference says of the names and words of the language, as editors show it."""

import os
import re
from collections.abc import Iterator, Mapping
from functools import cache

from ..reference import ReferenceEntry
from ..reference.calls import calls, raw_op
from ..reference.explanations import FOLDER
from ..reference.statements import statements
from ..syntax.tree import CONSTANTS
from .symbols import Symbol

_LONG = 900  # characters of a description
_CALLED = ("op", "initializer", "schedule", "optimizer", "function")


@cache
def _calls() -> tuple[ReferenceEntry, ...]:
    return tuple(calls())


@cache
def _statements() -> tuple[ReferenceEntry, ...]:
    return tuple(statements())


@cache
def names() -> Mapping[str, ReferenceEntry]:
    """What an expression can use without binding it."""
    found: dict[str, ReferenceEntry] = {}
    for one in (*_calls(), *_statements()):
        if one.kind in (*_CALLED, "type", "name") or one.name in CONSTANTS:
            found.setdefault(one.name, one)
    return {name: one for name, one in found.items() if name.isidentifier() and name != "now"}


@cache
def stages(is_source: bool) -> Mapping[str, ReferenceEntry]:
    """The sources or the transforms of data."""
    return {one.name: one for one in _calls() if one.kind == ("source" if is_source else "transform")}


def keyword_at(text: str, offset: int) -> ReferenceEntry | None:
    """The keyword that begins at an offset of a text. Several words may be one, such as `in batches of`."""
    found = [one for one in _keywords() if re.match(rf"{one.name}\b", text[offset : offset + len(one.name) + 1])]
    word = re.match(r"\w+", text[offset:])
    return max(found, key=lambda one: len(one.name), default=None) or (keyword(word[0]) if word else None)


def _keywords() -> list[ReferenceEntry]:
    return [one for one in _statements() if one.kind in ("declaration", "statement", "clause")]


def keyword(text: str) -> ReferenceEntry | None:
    """A keyword: a statement that it is, or begins, or a clause."""
    found = _keywords()
    plural = {f"{text}s", f"{text}es", text}
    return next((one for one in found if one.name in plural), None) or next(
        (one for one in found if text in one.name.split()), None
    )


def of_library(symbol: Symbol) -> ReferenceEntry | None:
    """What the reference says of a function of a library."""
    library = os.path.basename(symbol.span.source.path).removesuffix(".tfg").strip("<>")
    name = f"{library}.{symbol.name}"
    return next((one for one in _calls() if one.name == name), None) if symbol.span.source.is_library else None


def of_raw(name: str) -> ReferenceEntry | None:
    """An op of TensorFlow, called `raw.NAME`."""
    return raw_op(f"raw.{name}")


def page_of(code: str) -> str | None:
    """The path of the page of a code."""
    path = os.path.join(FOLDER, f"{code}.md")
    return path if os.path.isfile(path) else None


def parameters(signature: str) -> tuple[tuple[str, str], ...]:
    """The names and texts of the parameters of a signature, of its first form."""
    begun = signature.find("(")
    parts, depth = [""], 0
    for character in signature[begun + 1 :] if begun >= 0 else "":
        depth += (character in "([{") - (character in ")]}")
        if depth < 0:
            break
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    texts = [" ".join(part.split()) for part in parts]
    return tuple((text.lstrip("*").partition(":")[0].partition("=")[0].strip(), text) for text in texts if text)


def described(entry: ReferenceEntry) -> str:
    """An entry as Markdown, without its signature: what it does, in short, and an example."""
    limits = "".join(f"\n- `{name}`: {limit}" for name, limit in entry.limits.items())
    example = f"Example:\n```tfg\n{entry.example.rstrip()}\n```" if entry.example else ""
    return "\n\n".join(filter(None, (brief(entry.doc), limits, example)))


def brief(page: str) -> str:
    """The first paragraphs of a page, without its programs and links."""
    plain = re.sub(r"^```.*?^```$", "", re.sub(r"<!--.*?-->\n?", "", page, flags=re.S), flags=re.S | re.M)
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    return "\n\n".join(_first(re.split(r"\n{2,}", plain.strip())))


def _first(paragraphs: list[str]) -> Iterator[str]:
    left = _LONG
    for at, paragraph in enumerate(paragraphs):
        left -= len(paragraph)
        if at and left < 0:
            return
        yield paragraph
