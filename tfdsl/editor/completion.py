"""What can be written at a place: statements and clauses, names, arguments, members, columns, paths."""

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Literal

from ..access import AccessRefused
from ..analysis.calls.members import learned_words
from ..analysis.graph.statements import SUMMARY_KINDS
from ..analysis.values import Array, Batch, DataValue, Evaluation, Outputs, RuntimeValue, Tensor
from ..data.schema import Schema
from ..diagnostics import TfgError
from ..libraries import LIBRARIES
from ..ops import raw
from ..record import Record
from ..reference import ReferenceEntry
from ..syntax.lexer import Token
from ..syntax.tables import tables
from ..types import DTYPE_NAMES
from .callees import callee_of, function
from .cursor import Cursor, cursor
from .lookup import brief, described, keyword, names, stages
from .shown import comment_above, kind_of, several, short, type_of
from .symbols import Kind, Members, Symbol
from .workspace import Document, library_path

ItemKind = Literal[
    "keyword", "variable", "constant", "function", "module", "property", "argument", "type", "file", "folder", "value",
]  # fmt: skip

# The words of terminals that stand for several.
_WORDS = {
    "UNIT": ("epochs", "batches", "steps", "seconds"), "ORDER": ("shuffled", "ordered", "sampled"),
    "BEST": ("lowest", "highest"), "BETTER": ("lower", "higher"), "IF_EXISTS": ("if exists",),
}  # fmt: skip
_OPERATORS = frozenset(("AND", "OR", "NOT", "IN", "IF"))
_NEW_NAMES = frozenset("PARAM DATA PLACEHOLDER VARIABLE SHARED SCOPE GRAPH DEF AS SESSION FOR".split())
_KINDS: dict[Kind, ItemKind] = {
    "param": "constant", "function": "function", "scope": "module", "module": "module", "graph": "module",
    "session": "module", "size": "type", "column": "property",
    **dict.fromkeys(("data", "placeholder", "variable", "value", "parameter", "batch", "step"), "variable"),
}  # fmt: skip
_OF_TRAININGS = ("FEED", "EVERY", "AFTER", "STOP", "KEEP", "CHECKPOINT")
_OF_SESSIONS = ("TRAIN", "RESTORE", "EXPORT")
_RAW_ENTRIES = 2000  # of a list


class Item(Record):
    """Something that can be written. `text` takes the place of what stands from `start` to the cursor. Items with a
    lower `rank` come first."""

    label: str
    kind: ItemKind
    start: int
    detail: str = ""
    documentation: str = ""
    insert: str = ""
    rank: int = 1

    @property
    def text(self) -> str:
        return self.insert or self.label


def complete(document: Document, offset: int) -> list[Item]:
    """What can be written at a place, the likeliest first."""
    at = cursor(document.source.text, offset)
    if at.in_comment:
        return []
    found = _Completion(document, at).items()
    best: dict[str, Item] = {}
    for item in found:
        if item.label.startswith("_") and not at.word.startswith("_"):
            continue
        if item.label not in best or item.rank < best[item.label].rank:
            best[item.label] = item
    return sorted(best.values(), key=lambda item: (item.rank, item.label))


class _Completion:
    def __init__(self, document: Document, at: Cursor):
        self._document, self._at = document, at

    def items(self) -> Iterator[Item]:
        at = self._at
        if at.string is not None:
            yield from self._in_string(at.string)
        elif at.last == "DOT":
            yield from self._members()
        elif stage := self._stage():
            for one in stages(stage == "source").values():
                yield self._known(one, 0)
        elif at.last == "SUMMARY":
            yield from (self._item(word, "keyword", rank=0) for word in SUMMARY_KINDS)
        elif at.first == "FROM" and "IMPORT" in [one.kind for one in at.line]:
            yield from self._of_file(at.line[1])
        elif at.last == "IMPORT" or (at.first == "FROM" and len(at.line) == 1):
            yield from (self._item(name, "module", "a library of the package") for name in LIBRARIES)
        elif not (at.last in _NEW_NAMES and "NUMBER" not in at.accepted):
            yield from self._words()
            yield from self._names()

    def _item(self, label: str, kind: ItemKind, detail: str = "", documentation: str = "", insert: str = "",
              rank: int = 1, start: int | None = None) -> Item:  # fmt: skip
        start = self._at.start if start is None else start
        return Item(label, kind, start, detail, documentation, insert, rank)

    def _known(self, one: ReferenceEntry, rank: int = 3) -> Item:
        kinds: dict[str, ItemKind] = {"type": "type", "name": "value", "clause": "value"}
        return self._item(one.name, kinds.get(one.kind, "function"), one.signature, described(one), rank=rank)

    def _stage(self) -> Literal["source", "transform"] | None:
        """The kind of stage of data that stands here."""
        at = self._at
        if at.first != "DATA" or at.calls():
            return None
        if at.last == "EQUAL" and sum(one.kind == "EQUAL" for one in at.line) == 1:
            return "source"
        return "transform" if at.last == "VBAR" else None

    # --- statements, clauses and names ------------------------------------------------------

    def _words(self) -> Iterator[Item]:
        is_first = not self._at.line
        keywords = _keywords()
        begins = is_first or (self._at.last == "COLON" and "BROKEN" in self._at.accepted)
        elsewhere = self._elsewhere() if begins and "RUN" in self._at.accepted else ()
        for terminal in self._at.accepted:
            if terminal in ("ELIF", "ELSE") and is_first and not self._follows_if():
                continue
            if terminal in elsewhere:
                continue
            for text in keywords.get(terminal, ()):
                known = keyword(text)
                is_operator = terminal in _OPERATORS or "NUMBER" in self._at.accepted
                yield self._item(
                    text,
                    "keyword",
                    documentation="" if known is None else f"```tfg\n{known.signature}\n```\n\n{brief(known.doc)}",
                    rank=2 if is_operator and not is_first else 0,
                )

    def _elsewhere(self) -> tuple[str, ...]:
        """The statements of a session that cannot begin here: those of trainings outside of one, and the others in
        it."""
        line = self._document.source.text.rfind("\n", 0, self._at.start) + 1
        is_inside = self._at.first == "TRAIN"
        begun = self._document.source.text[line : self._at.start]
        column = len(begun) - len(begun.lstrip())
        for row in reversed(self._document.source.text[:line].splitlines()):
            code = row.strip()
            if code and code[0] != "#" and len(row) - len(row.lstrip()) < column:
                column = len(row) - len(row.lstrip())
                is_inside = is_inside or re.match(r"train\b", code) is not None
        return _OF_SESSIONS if is_inside else _OF_TRAININGS

    def _follows_if(self) -> bool:
        """Whether the last line with this indentation belongs to an `if`."""
        text = self._document.source.text
        line = text.rfind("\n", 0, self._at.start) + 1
        indent = self._at.start - line
        for row in reversed(text[:line].splitlines()):
            code = row.strip()
            if code and len(row) - len(row.lstrip()) <= indent:
                return len(row) - len(row.lstrip()) == indent and re.match(r"(if|elif)\b", code) is not None
        return False

    def _names(self) -> Iterator[Item]:
        at = self._at
        if "NAME" not in at.accepted:
            return
        is_expression = "NUMBER" in at.accepted
        visible = self._document.symbols.visible(at.offset)
        if at.last == "WITH" and at.first in ("OPTIMIZE", "APPLY"):
            yield from (self._known(one, 0) for one in names().values() if one.kind == "optimizer")
            yield from (self._symbol(name, one) for name, one in visible.items() if one.kind in ("value", "parameter"))
            return
        if is_expression or not at.line:
            yield from self._arguments()
            yield from (self._symbol(name, one) for name, one in visible.items())
            yield from self._scopes()
            yield from map(self._known, names().values())
            if "raw" not in visible:
                yield self._item("raw", "module", "ops of TensorFlow, as raw.Roll(...)", rank=3)
        elif at.last == "COLON" and at.first in ("PLACEHOLDER", "VARIABLE", "SHARED", "PARAM"):
            yield from (self._item(name, "type", rank=0) for name in DTYPE_NAMES)
        else:
            wanted = _wanted(at)
            chosen = {name: one for name, one in visible.items() if one.kind in wanted} if wanted else visible
            yield from (self._symbol(name, one) for name, one in chosen.items())
            if not wanted or "scope" in wanted:
                yield from self._scopes()

    def _of_file(self, given: Token) -> Iterator[Item]:
        """The names of a library or a file that is imported from, without those that the line has already."""
        text, base = str(given), os.path.dirname(self._document.path)
        is_file = text.startswith('"')
        if not is_file and text not in LIBRARIES:
            return
        path = os.path.normpath(os.path.join(base, text[1:-1])) if is_file else library_path(text)
        known = {str(one) for one in self._at.line}
        with suppress(TfgError):
            env = self._document.workspace.symbols(path).env
            for name, symbol in Members(env, ((),)).members():
                if symbol is not None and name not in known:
                    yield self._symbol(name, symbol)

    def _scopes(self) -> Iterator[Item]:
        """The scopes that can be reached by a bare name."""
        env, _ = self._document.symbols.names_at(self._at.offset)
        for name in dict.fromkeys(name for one in env.around() for name in one.called):
            yield self._item(name, "module", "a scope")

    def _symbol(self, name: str, symbol: Symbol) -> Item:
        values = self._document.values_of(symbol)
        detail = several(values) or kind_of(symbol)
        callee = function(symbol, name)
        text = comment_above(symbol.span.source, symbol.span.start) if symbol.kind != "parameter" else ""
        kind = _KINDS[symbol.kind]
        return self._item(name, kind, detail if callee is None else callee.signature, text)

    def _arguments(self) -> Iterator[Item]:
        """The arguments of the innermost call that have no value yet."""
        call = next(iter(reversed(self._at.calls())), None)
        callee = callee_of(self._document, call) if call is not None and not call.keyword else None
        if call is None or callee is None or self._at.last not in ("LPAR", "COMMA"):
            return
        for number, (name, text) in enumerate(callee.parameters):
            if name.isidentifier() and name not in call.given and number >= call.number:
                yield self._item(f"{name}=", "argument", text, rank=0)

    # --- members ----------------------------------------------------------------------------

    def _members(self) -> Iterator[Item]:
        words = list(self._at.dotted())
        if not words:
            return
        meaning = self._document.symbols.meanings(self._at.offset, words)[-1]
        if isinstance(meaning, Symbol) and meaning.kind == "module" and meaning.inside is not None:
            meaning = Members(meaning.inside, ((),))
        if isinstance(meaning, Members):
            for name, symbol in meaning.members():
                yield self._item(name, "module", "a scope") if symbol is None else self._symbol(name, symbol)
        if words == ["raw"] and meaning is None:
            yield from (self._item(name, "function", "an op of TensorFlow") for name in raw.names()[:_RAW_ENTRIES])
        if isinstance(meaning, Symbol):
            for value in self._document.values_of(meaning)[:1]:
                yield from self._members_of(value)
            yield from (self._symbol(name, one) for name, one in meaning.fields.items())
        elif meaning is None and (value := self._value_of(words)) is not None:
            yield from self._members_of(value)

    def _value_of(self, words: list[str]) -> object:
        """The value of a dotted name whose first part is data that was split."""
        first = self._document.symbols.meanings(self._at.offset, words[:1])[-1]
        values = self._document.values_of(first) if isinstance(first, Symbol) else []
        value = next((one for one in values if isinstance(one, DataValue)), None)
        part = value.schema.part(words[1]) if value is not None and len(words) == 2 else None
        return None if value is None or part is None else DataValue(value.name, words[1], part, value.span)

    def _members_of(self, value: object) -> Iterator[Item]:
        match value:
            case Tensor() | Array() | RuntimeValue():
                yield self._item("shape", "property", "its sizes, known while compiling")
                yield self._item("dtype", "property", type_of(value).partition("[")[0])
            case DataValue(schema=schema):
                yield from (self._item(part, "property", f"{rows} rows") for part, rows in schema.parts)
                yield from self._fields(schema)
                if not value.part:
                    learned = "what the data has learned of a column"
                    yield from (self._item(word, "function", learned, rank=2) for word in learned_words())
            case Batch(schema=schema):
                yield from self._fields(schema)
            case Evaluation(fields=fields):
                yield from (self._item(name, "property", short(one)) for name, one in fields.items())
            case Outputs():
                yield from (self._item(name, "property", short(one)) for name, one in zip(value.names, value))
            case _:
                pass

    def _fields(self, schema: Schema) -> Iterator[Item]:
        features, target = schema.features_type, schema.target_type
        if features is not None:
            yield self._item("features", "property", str(features), rank=0)
        if target is not None:
            yield self._item("target", "property", str(target), rank=0)
        yield self._item("rows", "property", str(schema.rows))
        yield self._item("columns", "property", str(schema.columns))
        for column in schema.table:
            if column.field == column.name:
                yield self._item(column.name, "property", f"a column of {column.dtype}")

    # --- strings ----------------------------------------------------------------------------

    def _in_string(self, quote: int) -> Iterator[Item]:
        text = self._document.source.text[quote + 1 : self._at.offset]
        before = tuple(one for one in self._at.line if one.start < quote)
        brace = re.search(r"\{([\w.]*)\Z", text)
        if brace is not None:
            yield from self._in_braces(self._at.offset - len(brace[1]))
        elif (schema := self._schema_before(before)) is not None:
            names = (column.name for column in schema.table)
            yield from (self._item(name, "property", "a column", start=quote + 1) for name in names)
        elif _takes_path(before):
            yield from self._paths(text, _suffixes(before))

    def _in_braces(self, start: int) -> Iterator[Item]:
        for name, symbol in self._document.symbols.visible(self._at.offset).items():
            if symbol.kind not in ("function", "module", "scope", "data", "batch"):
                yield self._item(name, _KINDS[symbol.kind], kind_of(symbol), start=start)
        for name in ("now", "epoch", "step"):
            yield self._item(name, "value", start=start)

    def _schema_before(self, line: tuple[Token, ...]) -> Schema | None:
        """The columns that a string names: `batch["`, or an argument of a transform of data."""
        words: tuple[str, ...] = ()
        if line and line[-1].kind == "LSQB":
            words = tuple(str(one) for one in line[:-1] if one.kind == "NAME")[-1:]
        elif line and line[0].kind == "DATA" and any(one.kind == "VBAR" for one in line) and len(line) > 1:
            words = (str(line[1]),)
        if not words:
            return None
        meaning = self._document.symbols.meanings(self._at.offset, list(words))[-1]
        for value in self._document.values_of(meaning) if isinstance(meaning, Symbol) else ():
            if isinstance(value, (DataValue, Batch)):
                return value.schema
        return None

    def _paths(self, text: str, suffixes: tuple[str, ...]) -> Iterator[Item]:
        """The files and folders that a path can go on with. As for the program, only its folder and the working folder
        are looked at."""
        folder, _, begun = text.rpartition("/")
        base = os.path.dirname(self._document.path)
        start = self._at.offset - len(begun)
        with suppress(OSError, ValueError, AccessRefused):
            with self._document.access.folder(folder or ".", base) as opened:
                found = list(opened.names())
            for name in found:
                whole = os.path.join(base, folder, name)
                if name.startswith(".") or name.endswith(".pyc"):
                    continue
                if os.path.isdir(whole):
                    yield self._item(f"{name}/", "folder", start=start)
                elif not suffixes or name.endswith(suffixes):
                    yield self._item(name, "file", start=start)


def _wanted(at: Cursor) -> tuple[Kind, ...]:
    """The kinds of names that can stand where the grammar allows only names. () for all."""
    match at.last:
        case "FEED":
            return ("placeholder",)
        case "WITH" | "COMMA" if at.first in (
            "RUN",
            "PRINT",
            "SET",
            "LOG",
            "EXPECT",
            "STOP",
            "WRITE",
            "EXPORT",
            "FEED",
        ):
            return ("placeholder",)
        case "ON" if at.first == "SESSION":
            return ("graph",)
        case "ON":
            return ("data", "value")
        case "SET" | "SAVE" | "RESTORE":
            return ("variable", "scope", "module")
        case _:
            return ()


@cache
def _keywords() -> dict[str, tuple[str, ...]]:
    """The words of the terminals that are keywords."""
    found: dict[str, tuple[str, ...]] = {}
    for terminal, pattern in tables().keywords:
        word = re.match(r"[a-z]+", pattern)
        assert word or terminal in _WORDS, terminal
        found[terminal] = _WORDS.get(terminal) or ((word[0],) if word else ())
    return found


_READS = ("csv", "parquet", "npz", "npy", "images", "text")


def _takes_path(line: Iterable[Token]) -> bool:
    """Whether a string after these tokens is a path."""
    tokens = list(line)
    last = tokens[-1].kind if tokens else ""
    if last in ("IMPORT", "FROM", "TO"):
        return True
    if last == "IN" and tokens[0].kind == "CHECKPOINT":
        return True
    called = next((str(one) for one in reversed(tokens) if one.kind == "NAME" and one in _READS), "")
    return bool(called) and last in ("LPAR", "EQUAL", "COMMA")


def _suffixes(line: Iterable[Token]) -> tuple[str, ...]:
    """The suffixes of files that fit. () for all."""
    tokens = list(line)
    if tokens[0].kind in ("IMPORT", "FROM"):
        return (".tfg",)
    called = next((str(one) for one in reversed(tokens) if one.kind == "NAME" and one in _READS), "")
    return {"csv": (".csv", ".tsv", ".txt"), "parquet": (".parquet",), "npz": (".npz",), "npy": (".npy",)}.get(
        called, ()
    )
