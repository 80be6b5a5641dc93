"""Open documents, and the analyses of them.

A document that is open takes the place of its file, also where other files import it. What was found about a text is
kept until the text, or a file that it imports, changes.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from io import BufferedReader, BytesIO
from typing import BinaryIO, cast

from ..access import Access, Folder
from ..analysis.prefixes import Prefixes
from ..collector import paused
from ..data.sources.base import DataSource, OpenedData, Where
from ..diagnostics import Diagnostic, TfgError
from ..driver import check
from ..inputs import CompileInputs
from ..libraries import FOLDER, LIBRARIES
from ..limits import Clock, Limits
from ..program import Program
from ..record import Record, replace
from ..runs.folders import project_folders
from ..source import Source, Span
from ..syntax import tree as t
from ..syntax.parse import parse_anyway
from ..syntax.read import read
from ..syntax.reparse import Earlier
from .imported import KnownDiagnostics, KnownImport
from .resolve import resolve
from .symbols import FileSymbols, Symbol
from .text import Edit, OpenText
from .values import Values

Outdated = Callable[[], bool]
_MOST_SOURCES = 20  # sources of data that stay open


class Cancelled(Exception):
    """The text changed, so nobody needs the result."""


class Analysed(Record):
    """What the analysis of a text found."""

    source: Source
    program: Program | None
    diagnostics: list[Diagnostic]
    values: Values
    imported: dict[str, str]  # the texts of imported files, by their paths
    reads_folders: bool  # whose changes go unnoticed


class _CancelClock(Clock):
    """A clock that is also over when the result is not needed any more."""

    def __init__(self, limits: Limits, outdated: Outdated):
        super().__init__(limits)
        self._outdated = outdated

    @property
    def is_over(self) -> bool:
        return self._outdated() or super().is_over


_Status = tuple[int, int, int] | None  # of a file; None if it is not there


def _status(path: str) -> _Status:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size


class _Opened(BytesIO):
    """An open document, read like its file."""

    def __init__(self, path: str, text: OpenText):
        super().__init__(text.raw.encode("utf-8", "surrogatepass"))
        self.path: str = path


class _OpenFiles(Access):
    """Opens files for a program. Open documents take the place of their files."""

    def __init__(self, program: str, text: Callable[[str], OpenText | None]):
        super().__init__(program)
        self._text = text  # of the open document at a path
        self.asked: dict[str, _Status] = {}  # the files, whether they are there or not
        self.has_folders = False  # whether folders were opened

    def reading(self, path: str, base: str = "") -> BufferedReader:
        whole = os.path.abspath(os.path.join(base, path))
        self.ask(whole)
        text = self._text(whole)
        if text is None:
            return super().reading(path, base)
        self.check(path, base)
        return cast(BufferedReader, _Opened(whole, text))  # has what readers of program texts call

    def ask(self, path: str) -> None:
        """Note a file that the program depends on."""
        self.asked.setdefault(path, _status(path))

    def folder(self, path: str, base: str = "", create: bool = False) -> Folder:
        self.has_folders = True
        return super().folder(path, base, create)

    def beside(self, path: str, base: str = "", create: bool = False) -> tuple[Folder, str]:
        self.has_folders = True
        return super().beside(path, base, create)

    def identity(self, file: BinaryIO) -> object:
        if not isinstance(file, _Opened):
            return super().identity(file)
        try:
            found = os.stat(file.path)
        except OSError:  # it was never saved
            return file.path
        return found.st_dev, found.st_ino


class _Sources:
    """Sources of data as they were opened, until their files change."""

    def __init__(self) -> None:
        self._opened: dict[str, OpenedData] = {}

    def open(
        self, program: str, files: _OpenFiles, source: DataSource, arguments: dict[str, object], where: Where
    ) -> OpenedData:
        """A source as the program at a path opens it."""
        path = arguments.get("path")
        file = ""
        if isinstance(path, str):
            whole = os.path.abspath(os.path.join(where.folder, path))
            if not os.path.isfile(whole):  # a folder or a pattern stands for many files
                return source.open(arguments, where)
            files.ask(whole)
            file = str(_status(whole))
        key = repr((program, source.name, where.folder, sorted(arguments.items()), file))
        if key not in self._opened:
            while len(self._opened) >= _MOST_SOURCES:
                del self._opened[next(iter(self._opened))]
            self._opened[key] = source.open(arguments, where)
        return self._opened[key]


class _Before(Record):
    """A text before it changed. `source` is that of the new text, too, unless it is None."""

    source: Source | None
    earlier: Earlier


class Workspace:
    """The open documents by their absolute paths."""

    def __init__(self) -> None:
        self.open: dict[str, OpenText] = {}
        self.folders: list[str] = []
        self._sources: dict[str, Source] = {}
        self._trees: dict[str, tuple[t.File, list[Diagnostic]]] = {}
        self._before: dict[str, _Before] = {}  # of texts that have changed since
        self._prefixes: dict[str, Prefixes] = {}  # of open documents
        self._symbols: dict[str, FileSymbols] = {}
        self._alone: dict[str, FileSymbols] = {}  # without what comes back to them in a cycle of imports
        self._real: dict[str, str] = {}  # the paths of files without links
        self._analysed: dict[str, Analysed] = {}
        self._found: dict[str, KnownDiagnostics] = {}  # about documents that import a file that has changed since
        self._sources_of_data = _Sources()
        # By the importing file, what its symbols and what its analysis were last made of.
        self._imports: dict[str, set[str]] = {}
        self._asked: dict[str, dict[str, _Status]] = {}
        self._texts: dict[str, dict[str, str]] = {}
        self.outdated: Outdated = lambda: False  # whether nobody needs the analysis in progress any more

    # --- texts ----------------------------------------------------------------------------

    def change(self, path: str, text: OpenText | None) -> None:
        """Open a document, give it another text, or close it."""
        if text is None:
            self.open.pop(path, None)
            self._prefixes.pop(path, None)
        else:
            self.open[path] = text
        self.forget(path)

    def forget(self, path: str) -> None:
        """Forget what was found about a file and about those that import it."""
        importers = self.importers(path)
        spellings = self._spellings(path)
        for one in importers:
            self._keep_found(one)
        for one in spellings:
            self._found.pop(one, None)
        for one in (*spellings, *importers):
            self._symbols.pop(one, None)
            self._alone.pop(one, None)
            self._analysed.pop(one, None)
        for one in importers:
            self._prefixes.pop(one, None)
        for one in spellings:
            source = self._sources.pop(one, None)
            if source is not None and one in self._trees:
                self._before[one] = _Before(source, Earlier(source.text, self._trees.pop(one)[0]))

    def forget_all(self) -> None:
        """Forget everything, as after a change of files."""
        known = (
            self._sources,
            self._trees,
            self._before,
            self._symbols,
            self._alone,
            self._analysed,
            self._prefixes,
            self._found,
        )
        for found in (*known, self._real):
            found.clear()

    def real(self, path: str) -> str:
        """The path of a file without links: a file may be opened by one path, and imported by another."""
        if path not in self._real:
            self._real[path] = path
            with suppress(ValueError):  # no file has a path with a null character; opening it says so
                self._real[path] = os.path.realpath(path)
        return self._real[path]

    def _spellings(self, path: str) -> list[str]:
        """The known paths of a file."""
        known = dict.fromkeys((path, *self.open, *self._sources))
        return [one for one in known if self.real(one) == self.real(path)]

    def open_text(self, path: str) -> OpenText | None:
        """The text of a file that is open, by this path or another one."""
        known = self.open.get(path)
        if known is None:
            known = next((text for one, text in self.open.items() if self.real(one) == self.real(path)), None)
        return known

    def importers(self, path: str) -> list[str]:
        """The known files that import one, also through others. Those that are gone are left out."""
        found: list[str] = []
        todo = [path]
        while todo:
            wanted = todo.pop()
            for known in (self._imports, self._asked):
                for one, others in known.items():
                    is_new = one not in found and self.real(one) != self.real(path)
                    is_new = is_new and any(self.real(other) == self.real(wanted) for other in others)
                    if is_new and (one in self.open or os.path.exists(one)):
                        found.append(one)
                        todo.append(one)
        return found

    def text(self, path: str) -> OpenText:
        """The text of an open document, or of a file as it was last read."""
        known = self.open_text(path)
        return known if known is not None else OpenText(self.source(path).text)

    def source(self, path: str) -> Source:
        """The source of a document or a file. Raises `TfgError` if it cannot be read."""
        if path not in self._sources:
            known = self.open_text(path)
            made = Source(path, known.plain) if known is not None else read(path)
            before = self._before.get(path)
            if before is not None and before.source is not None:  # places above the edit remain as they are
                before.source.edit(made.text)
                made = before.source
            elif os.path.dirname(path) == FOLDER:
                made = Source(path, made.text, is_library=True)
            self._sources[path] = made
        return self._sources[path]

    def files(self) -> list[str]:
        """The open documents, and the programs in the folders of the workspace."""
        found = dict.fromkeys(self.open)
        for folder in self.folders:
            for around, names in project_folders(folder):
                found |= dict.fromkeys(os.path.join(around, one) for one in names if one.endswith(".tfg"))
        return list(found)

    # --- what is known of them ------------------------------------------------------------

    def tree(self, path: str, clock: Clock | None = None) -> tuple[t.File, list[Diagnostic]]:
        """The tree of a document, which has its syntax errors, and why it has none if it is beyond a limit."""
        if path not in self._trees:
            source, before = self.source(path), self._before.get(path)
            try:
                tree = parse_anyway(source, None, clock, before and before.earlier)
                self._trees[path] = tree, []
            except TfgError as error:
                self._trees[path] = t.File(Span(source, 0, 0), ()), list(error.diagnostics)
        return self._trees[path]

    def symbols(self, path: str) -> FileSymbols:
        """The symbols of a document or a file. In a cycle of imports, an imported file has the names that it has
        without the cycle, so that it does not matter which file is asked for first."""
        if path not in self._symbols:
            made = resolve(self.tree(path)[0], lambda statement: self._imported(path, statement, is_whole=True))
            self._symbols[path], self._imports[path] = made, {one.path for one in made.imports}
        return self._symbols[path]

    def _symbols_alone(self, path: str) -> FileSymbols:
        """The symbols of a file without those of files that import it, also through others."""
        if path not in self._alone:
            made = resolve(self.tree(path)[0], lambda statement: self._imported(path, statement, is_whole=False))
            self._alone[path], self._imports[path] = made, {one.path for one in made.imports}
        return self._alone[path]

    def _imported(self, path: str, statement: t.Import, is_whole: bool) -> tuple[str, FileSymbols | None]:
        other = imported_path(path, statement)
        if not other.endswith(".tfg"):
            return other, None
        try:
            if not self._imports_again(other, path):
                return other, self.symbols(other)
            is_other = self.real(other) != self.real(path)
            return other, self._symbols_alone(other) if is_whole and is_other else None
        except TfgError:
            return other, None

    def _imports_again(self, other: str, path: str) -> bool:
        """Whether a file that another one imports is that file, or imports it, also through others."""
        found = [other]
        for one in found:  # which grows
            if self.real(one) == self.real(path):
                return True
            with suppress(TfgError):
                imported = {imported_path(one, statement) for statement in _imports(self.tree(one)[0].body)}
                found += sorted(imported.difference(found))
        return False

    def analysed(self, path: str) -> Analysed:
        """The analysis of a document. Raises `Cancelled` if it became outdated meanwhile."""
        if path not in self._analysed:
            with paused():
                self._analysed[path] = self._analyse(path)
        return self._analysed[path]

    def _analyse(self, path: str) -> Analysed:
        clock = _CancelClock(Limits(), self.outdated)
        tree, errors = self.tree(path, clock)
        values, access = Values(), _OpenFiles(path, self.open_text)
        texts: dict[str, str] = {}
        prefixes = self._resumable(path, access, texts) if path in self.open else None
        opening = partial(self._sources_of_data.open, path, access)
        inputs = CompileInputs(access=access, observer=values, clock=clock, opening=opening, texts=texts)
        program, diagnostics = (None, errors) if errors else check(tree, inputs, prefixes)
        self._asked[path], self._texts[path] = access.asked, texts
        if self.outdated():
            self._trees.pop(path, None)
            raise Cancelled
        self._found.pop(path, None)
        return Analysed(self.source(path), program, diagnostics, values, texts, access.has_folders)

    def diagnostics(self, path: str) -> list[Diagnostic]:
        """What is wrong in a document, or doubtful. Raises `Cancelled` like `analysed`."""
        found = None if path in self._analysed else self._found.get(path)
        if found is not None and self._is_current(path, found):
            return found.diagnostics
        return self.analysed(path).diagnostics

    def _is_current(self, path: str, found: KnownDiagnostics) -> bool:
        """Whether what was found about a document remains true after a change of a file that it imports."""
        asked = self._asked[path].items()
        is_on_disk = all(_status(one) == status for one, status in asked if self.open_text(one) is None)
        return is_on_disk and all(self._means_the_same(*item) for item in found.files.items())

    def _means_the_same(self, path: str, before: KnownImport) -> bool:
        try:
            tree, errors = self.tree(path)
        except TfgError:
            return False
        return not errors and before.means_the_same(tree)

    def _keep_found(self, path: str) -> None:
        """Keep what was found about a document, in front of a change of a file that it imports."""
        analysed = self._analysed.get(path)
        if analysed is None or analysed.reads_folders:  # it may be known from before an earlier change
            return
        files = {
            one: KnownImport(Source(one, text), self._trees[one][0], analysed.values.called_in(one))
            for one, text in analysed.imported.items()
            if one in self._trees and self._sources[one].text == text
        }
        found = KnownDiagnostics(analysed.diagnostics, files)
        has_errors = any(one.severity == "error" for one in found.diagnostics)
        if len(files) == len(analysed.imported) and not has_errors and not found.has_other_places:
            self._found[path] = found

    def _resumable(self, path: str, access: _OpenFiles, texts: dict[str, str]) -> Prefixes:
        """The states of the analysis of a document that are kept."""
        prefixes, asked = self._prefixes.setdefault(path, Prefixes()), self._asked.get(path, {})
        if all(_status(one) == found for one, found in asked.items()):
            access.asked.update(asked)  # also by the statements that are not analysed again
            texts.update(self._texts.get(path, {}))
        else:
            prefixes.forget()
        prefixes.can_keep = lambda: not access.has_folders
        return prefixes

    def document(self, path: str) -> "Document":
        return Document(self, path)

    def edited(self, edits: Mapping[str, list[Edit]]) -> "Workspace":
        """The workspace after edits, by file."""
        made = Workspace()
        made.folders = self.folders
        made.open = dict(self.open)
        made._sources, made._trees, made._symbols = dict(self._sources), dict(self._trees), dict(self._symbols)
        made._imports, made._sources_of_data = dict(self._imports), self._sources_of_data
        for path, found in edits.items():
            made.change(path, OpenText(self.text(path).edited(found)))
            if path in made._before:  # the source is that of this workspace
                made._before[path] = replace(made._before[path], source=None)
        return made


class Document:
    """A document with what is known of it."""

    def __init__(self, workspace: Workspace, path: str):
        self.workspace: Workspace = workspace
        self.path: str = path

    @property
    def text(self) -> OpenText:
        return self.workspace.text(self.path)

    @property
    def source(self) -> Source:
        return self.workspace.source(self.path)

    @property
    def access(self) -> Access:
        """Opens what the program can."""
        return Access(self.path)

    @property
    def tree(self) -> t.File:
        return self.workspace.tree(self.path)[0]

    @property
    def symbols(self) -> FileSymbols:
        return self.workspace.symbols(self.path)

    @property
    def analysed(self) -> Analysed:
        return self.workspace.analysed(self.path)

    @property
    def diagnostics(self) -> list[Diagnostic]:
        """What is wrong in the document, or doubtful."""
        return self.workspace.diagnostics(self.path)

    def values(self, start: int, end: int) -> list[object]:
        """The values of a place."""
        return self.analysed.values.at(self.source.path, start, end)

    def values_of(self, symbol: Symbol) -> list[object]:
        """The values of a symbol where it is bound, as far as this document's program makes them."""
        span = symbol.span
        path = (
            f"<{span.source.path.rpartition('/')[2].removesuffix('.tfg')}>"
            if span.source.is_library
            else span.source.path
        )
        return self.analysed.values.at(path, span.start, span.end)


def _imports(block: t.Block) -> Iterator[t.Import]:
    """The imports of programs in a block."""
    for statement in block:
        match statement:
            case t.Import() if statement.is_library or statement.path.endswith(".tfg"):
                yield statement
            case t.If(branches=branches):
                for _, body in branches:
                    yield from _imports(body)
            case t.Scope() | t.After() | t.Device() | t.Container() | t.For() | t.While() | t.Def() | t.Graph():
                yield from _imports(statement.body)
            case _:
                pass


def imported_path(path: str, statement: t.Import) -> str:
    """The path of the file that a statement imports."""
    if statement.is_library:
        return library_path(statement.path)
    return os.path.normpath(os.path.join(os.path.dirname(path), statement.path))


def library_path(name: str) -> str:
    """The path of a library of the package."""
    return os.path.join(FOLDER, f"{name}.tfg")


def path_of(source: Source) -> str:
    """The path of the file of a source. The analysis calls those of libraries by name."""
    name = source.path.strip("<>")
    return library_path(name) if source.is_library and name in LIBRARIES else source.path
