"""Renames what a program names. A new name that would change what the program means is refused, with the reason."""

from collections import Counter

from ..diagnostics import Diagnostic
from ..record import Record
from ..syntax import tree as t
from .lookup import names
from .navigation import occurrences_of
from .symbols import WORD, FileSymbols, Occurrence, Symbol
from .text import Edit
from .workspace import Document, Workspace

_Key = tuple[str, int, str]


class Refused(Exception):
    """Something cannot be renamed, or not so. The text says why."""


class Renaming(Record):
    """What a renaming changes: edits by file."""

    edits: dict[str, list[Edit]]


def renamable(document: Document, offset: int) -> Occurrence:
    """What can be renamed at a place. Raises `Refused` if that is nothing."""
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        word = next((m[0] for m in WORD.finditer(document.source.text) if m.start() <= offset <= m.end()), "")
        if word in names():
            raise Refused(f"'{word}' is a name of the language")
        raise Refused("there is no name of the program here")
    symbol = occurrence.symbol
    if symbol.span.source.is_library:
        raise Refused(f"'{symbol.name}' is a name of a library")
    return occurrence


def rename(document: Document, offset: int, name: str) -> Renaming:
    """The edits that give what is named at a place another name. Raises `Refused`."""
    symbol = renamable(document, offset).symbol
    if WORD.fullmatch(name) is None:
        raise Refused(f"'{name}' is no name: a name has letters, digits and _, and begins with no digit")
    if name in t.CONSTANTS:
        raise Refused(f"'{name}' is a value of the language")
    if name == symbol.name:
        return Renaming({})
    workspace = document.workspace
    places = occurrences_of(workspace, document.path, symbol)
    edits = {path: [_edit(one, symbol, name) for one in found] for path, found in places.items()}
    _check(workspace, edits, symbol, name)
    return Renaming(edits)


def _edit(place: Occurrence, symbol: Symbol, name: str) -> Edit:
    if _is_path(place):
        end = symbol.statement.span.end
        return Edit(end, end, f" as {name}")  # the path stays
    return Edit(place.start, place.end, name)


def _check(workspace: Workspace, edits: dict[str, list[Edit]], symbol: Symbol, name: str) -> None:
    """Refuse a renaming after which a name means something else, or that causes errors."""
    after = workspace.edited(edits)
    affected = list(dict.fromkeys(one for path in edits for one in (path, *workspace.importers(path))))
    known: dict[_Key, _Key] = {}
    for path in affected:
        before = workspace.symbols(path)
        changed = _differing(before, after.symbols(path), edits.get(path, []), known)
        if changed is not None:
            raise Refused(_reason(workspace, affected, symbol, name, changed))
    if len(set(known.values())) < len(known):
        raise Refused(_reason(workspace, affected, symbol, name, symbol.span.line))
    for path in affected:
        new = _new_error(workspace.analysed(path).diagnostics, after.analysed(path).diagnostics)
        if new is not None:
            line = f"line {new.span.line} would be wrong: " if new.span is not None else ""
            raise Refused(f"{line}{new.headline}")


def _differing(before: FileSymbols, after: FileSymbols, edits: list[Edit], known: dict[_Key, _Key]) -> int | None:
    """The line of the first name that means something else in the edited text, or None. `known` gets the symbols of the
    edited text for those of the other."""
    moved = sorted(edits, key=lambda one: one.start)

    def place(offset: int) -> int:
        return offset + sum(len(one.text) - (one.end - one.start) for one in moved if one.end <= offset)

    old = {place(one.start): one for one in before.occurrences if not _is_path(one)}
    new = {one.start: one for one in after.occurrences if not _is_path(one)}
    added = {place(one.start) - len(one.text) + len(" as ") for one in edits if one.start == one.end}
    for start in sorted((old.keys() ^ new.keys()) - added):
        found = after.source if start in new else before.source
        return found.position(min(start, len(found.text)))[0]
    for start, one in old.items():
        if known.setdefault(one.symbol.key, new[start].symbol.key) != new[start].symbol.key:
            return before.source.position(one.start)[0]
    return None


def _is_path(one: Occurrence) -> bool:
    """Whether an occurrence is the path of an import, which binds a name that is not written."""
    statement = one.symbol.statement
    return one.is_binding and isinstance(statement, t.Import) and statement.target is None and statement.names is None


def _reason(workspace: Workspace, paths: list[str], symbol: Symbol, name: str, line: int) -> str:
    for path in paths:
        for other in workspace.symbols(path).symbols:
            if other.name == name and other.key != symbol.key:
                return f"line {other.span.line} has the name '{name}' already"
    if name in names():
        return f"'{name}' is a name of the language, which line {line} uses"
    return f"line {line} would mean something else"


def _new_error(before: list[Diagnostic], after: list[Diagnostic]) -> Diagnostic | None:
    """The first error of a kind of which there are more than before."""
    left = Counter(one.code for one in before if one.severity == "error")
    for one in after:
        if one.severity == "error":
            left[one.code] -= 1
            if left[one.code] < 0:
                return one
    return None
