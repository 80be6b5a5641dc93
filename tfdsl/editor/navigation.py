"""Where names are bound and used, in all files of the workspace."""

from collections.abc import Iterator
from contextlib import suppress

from ..diagnostics import TfgError
from ..record import Record
from ..source import Span
from ..syntax import tree as t
from .resolve import path_place
from .symbols import Occurrence, Symbol
from .workspace import Document, Workspace, imported_path, path_of


class Location(Record):
    """A piece of a file."""

    path: str
    start: int
    end: int

    @staticmethod
    def of(span: Span) -> "Location":
        return Location(path_of(span.source), span.start, span.end)


def definition(document: Document, offset: int) -> Location | None:
    """Where the name at a place is bound: the last binding before it, if there are several. For the path of an import,
    the file."""
    for one in document.symbols.imports:
        place = path_place(one.statement)
        if place.start <= offset <= place.end and one.file is not None:
            return Location(imported_path(document.path, one.statement), 0, 0)
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        return None
    symbol = occurrence.symbol
    if symbol.kind == "module" and isinstance(symbol.statement, t.Import) and occurrence.is_binding:
        return Location(imported_path(document.path, symbol.statement), 0, 0)
    bound = [one for one in document.symbols.by_key[symbol.key] if one.is_binding and one.end <= occurrence.start]
    if bound and not occurrence.is_binding:
        return Location(document.path, bound[-1].start, bound[-1].end)
    return Location.of(symbol.span)


def references(document: Document, offset: int, bindings: bool = True) -> list[Location]:
    """All places that name what is named at a place. Without `bindings`, only those that use it."""
    occurrence = document.symbols.at(offset)
    if occurrence is None:
        return []
    found = occurrences_of(document.workspace, document.path, occurrence.symbol)
    return [
        Location(path, one.start, one.end)
        for path, places in found.items() for one in places if bindings or not one.is_binding
    ]  # fmt: skip


def occurrences_of(workspace: Workspace, path: str, symbol: Symbol) -> dict[str, list[Occurrence]]:
    """The places that name a symbol, by file. `path` is a file that names it."""
    found: dict[str, list[Occurrence]] = {}
    own = path_of(symbol.span.source)
    files = dict.fromkeys((path, own, *workspace.files()))
    for one in connected(workspace, path) if symbol.kind == "size" else files:
        with suppress(TfgError):
            places = workspace.symbols(one).by_key.get(symbol.key, [])
            if places:
                found[one] = places
    return found


def connected(workspace: Workspace, path: str) -> list[str]:
    """The files that are parts of one program with a file: those that import it, and all that these import."""
    for one in workspace.files():
        with suppress(TfgError):
            workspace.symbols(one)
    found = [path, *workspace.importers(path)]
    for one in found:  # which grows
        found += (other for other in _imports(workspace, one) if other not in found)
    return found


def _imports(workspace: Workspace, path: str) -> Iterator[str]:
    with suppress(TfgError):
        yield from (one.path for one in workspace.symbols(path).imports if not one.statement.is_library)
