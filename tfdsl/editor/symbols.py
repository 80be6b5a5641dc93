"""What the names of a file mean: a symbol for each thing that the program names, and every place that names it.

Input: a tree, and the symbols of imported files. Output: `FileSymbols`. Unlike the analysis, this covers the bodies of
functions that nothing calls, and branches that are not taken; it follows the same rules of names, with the same
`Names`.
"""

import re
from bisect import bisect_right
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Literal, TypeAlias

from ..analysis.names import Ambiguous, Names, Path, Space
from ..record import Record, State, field
from ..source import Source, Span
from ..syntax import tree as t

Kind = Literal[
    "param", "data", "placeholder", "variable", "value", "function", "parameter", "scope", "module", "graph", "session",
    "batch", "step", "size", "column",
]  # fmt: skip
WORD = re.compile(r"[^\W\d]\w*")


class Symbol(State):
    """Something that a program names. `span` is the name where it is first bound, and `statement` what binds it."""

    name: str
    kind: Kind
    span: Span
    statement: t.Tree
    fields: "dict[str, Symbol]" = field(default_factory=dict)  # what an `evaluate` gave it, also of its batches
    parameters: "dict[str, Symbol]" = field(default_factory=dict)  # of a function, by name
    inside: "SymbolNames | None" = None  # the names of a function, or of an imported file
    is_variable: bool = False  # a shared one, whose statements are the same variable

    @property
    def key(self) -> tuple[str, int, str]:
        """Equal for the same symbol in two readings of a text. A size means the same in all files of a program."""
        return ("", 0, self.name) if self.kind == "size" else (self.span.source.path, self.span.start, self.name)


SymbolNames: TypeAlias = Names[Symbol]


class Occurrence(Record):
    """A place in a file that names a symbol. `is_binding` if it binds the name there."""

    start: int
    end: int
    symbol: Symbol
    is_binding: bool = False


class Members(Record):
    """Scopes or a file that an expression names, as a namespace. A file has no `scopes`."""

    env: SymbolNames
    paths: tuple[Path, ...]
    scopes: tuple[Space[Symbol], ...] = ()

    def member(self, word: str) -> "Meaning":
        bound = self.env.member(self.paths, word)
        if bound is not None:
            return bound.value
        return named(self.env, self.env.scopes_in(self.paths, word))

    def members(self) -> Iterator[tuple[str, Symbol | None]]:
        """The names and the scopes in it. A scope has no symbol here."""
        found: dict[str, Symbol | None] = dict.fromkeys(self.env.members(self.paths))
        for path in self.paths:
            found |= {name: bound.value for name, bound in self.env.last.get(path, {}).items()}
        yield from found.items()


Meaning: TypeAlias = "Symbol | Members | None"


def named(env: SymbolNames, scopes: list[Space[Symbol]]) -> Members | None:
    """Scopes as a namespace: blocks of one name, or a call."""
    if not scopes:
        return None
    inside = scopes[0].inside
    if inside is not None:
        return Members(inside, ((),), tuple(scopes))
    return Members(env, tuple(one.path for one in scopes), tuple(scopes))


def found(env: SymbolNames, name: str) -> Symbol | None:
    """The symbol of a bare name."""
    try:
        binding = env.find(name)
    except Ambiguous:
        return None
    return None if binding is None else binding.value


def space_of(env: SymbolNames, name: str) -> Members | None:
    """The scopes or the imported file that a bare name means."""
    try:
        scopes = env.find_scopes(name)
    except Ambiguous:
        return None
    if scopes is not None:
        return named(*scopes)
    return _file(found(env, name))


def _file(symbol: Meaning) -> Members | None:
    match symbol:
        case Symbol(kind="module", inside=Names() as inside):
            return Members(inside, ((),))
        case _:
            return None


def meanings(env: SymbolNames, words: list[str]) -> list[Meaning]:
    """What the parts of a dotted name mean: the first part alone, the first two, and so on. In `a.b`, if `a` is both a
    scope and a name, it is the scope where that has a `b`."""
    space, symbol = space_of(env, words[0]), found(env, words[0])
    if len(words) == 1:
        return [symbol or space]
    made: list[Meaning] = [symbol if space is None or space.member(words[1]) is None else space]
    for word in words[1:]:
        match made[-1]:
            case Members() as around:
                made.append(around.member(word))
            case Symbol(fields=fields) as around:
                file = _file(around)
                made.append(fields.get(word) if file is None else file.member(word))
            case None:
                made.append(None)
    return made


@contextmanager
def seen_from(env: SymbolNames, path: Path) -> Generator[SymbolNames]:
    """Look at names from a scope."""
    before, env.path = env.path, path
    try:
        yield env
    finally:
        env.path = before


class Around(Record):
    """The names that a statement can use: those of `env`, seen from the scope `path`."""

    statement: t.Tree
    env: SymbolNames
    path: Path


class ImportedFile(Record):
    """An `import`: its statement, the path of the file, and that file's symbols if it can be read."""

    statement: t.Import
    path: str
    file: "FileSymbols | None"


class FileSymbols:
    """The symbols of a file, and where they are named."""

    def __init__(self, source: Source, tree: t.File):
        self.source: Source = source
        self.tree: t.File = tree
        self.env: SymbolNames = Names()
        self.occurrences: list[Occurrence] = []  # in the order of the text
        self.around: list[Around] = []  # in the order of the text
        self.imports: list[ImportedFile] = []
        self.symbols: list[Symbol] = []  # those of this file, in the order of their binding
        self.calls: list[tuple[t.Call, Symbol]] = []  # of functions of programs

    def at(self, offset: int) -> Occurrence | None:
        """What is named at a place, also right after the name."""
        at = bisect_right(self.occurrences, offset, key=lambda one: one.start)
        around = [one for one in self.occurrences[max(0, at - 2) : at] if one.start <= offset <= one.end]
        return around[-1] if around else None

    def visible(self, offset: int) -> dict[str, Symbol]:
        """The names that can be used at a place, the nearest first."""
        return dict(reversed(list(_visible(self.names_at(offset)))))

    def names_at(self, offset: int) -> tuple[SymbolNames, Path]:
        """The names at a place, and the open scope: those of the last statement before it that is in the same block, or
        whose body it is in."""
        line_start = self.source.text.rfind("\n", 0, offset) + 1
        line = self.source.text[line_start:].partition("\n")[0]
        code = len(line) - len(line.lstrip()) if line.strip() else offset - line_start
        column = min(code, max(0, offset - line_start))
        at = bisect_right(self.around, offset, key=lambda one: one.statement.span.start)
        for one in reversed(self.around[:at]):
            start = one.statement.span.start
            indent = one.statement.span.column - 1
            if indent == column or (start >= line_start and start <= offset):
                return one.env, one.path
            if indent < column:
                return self._inside(one)
        return self.env, ()

    def meanings(self, offset: int, words: list[str]) -> list[Meaning]:
        """What the parts of a dotted name mean at a place."""
        with seen_from(*self.names_at(offset)) as env:
            return meanings(env, words)

    def _inside(self, around: Around) -> tuple[SymbolNames, Path]:
        """The names in the body of a statement, also an empty one."""
        match around.statement:
            case t.Scope(target=target):
                return around.env, (*around.path, target.id)
            case t.Def(target=target):
                symbol = next((one for one in self.symbols if one.span == target.span), None)
                if symbol is not None and symbol.inside is not None:
                    return symbol.inside, ()
            case _:
                pass
        return around.env, around.path

    @cached_property
    def by_key(self) -> dict[tuple[str, int, str], list[Occurrence]]:
        """The places that name each symbol."""
        found: dict[tuple[str, int, str], list[Occurrence]] = {}
        for one in self.occurrences:
            found.setdefault(one.symbol.key, []).append(one)
        return found


def _visible(at: tuple[SymbolNames, Path]) -> Iterator[tuple[str, Symbol]]:
    env, _ = at
    for one in env.around():
        for name, bindings in reversed(one.names.items()):
            if bindings:
                yield name, bindings[-1].value
