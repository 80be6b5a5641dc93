"""What is known of a place: the type of a value, what a name is, what an op does."""

from collections.abc import Iterator

from ..analysis.values import Batch, DataValue
from ..record import Record
from ..reference import ReferenceEntry
from ..source import Span
from ..syntax import tree as t
from .callees import Callee, callee_at, function
from .lookup import described, keyword_at, names, parameters, stages
from .resolve import name_place
from .shown import columns_text, comment_above, kind_of, rows_of, several
from .symbols import WORD, Occurrence, Symbol
from .tokens import tokens
from .workspace import Document


class Hover(Record):
    """What is known of the text from `start` to `end`, as Markdown."""

    start: int
    end: int
    text: str


def hover(document: Document, offset: int) -> Hover | None:
    """What is known of a place."""
    occurrence = document.symbols.at(offset)
    if occurrence is not None:
        return Hover(occurrence.start, occurrence.end, _of_symbol(document, occurrence))
    found = list(_around(document.tree, offset))
    for part in reversed(found):
        made = _of_part(document, part, found, offset)
        if made is not None:
            return made
    return _of_word(document, offset)


def _of_word(document: Document, offset: int) -> Hover | None:
    """What is known of a keyword."""
    for piece in tokens(document):
        if piece.kind == "keyword" and piece.start <= offset <= piece.end:
            known = keyword_at(document.source.text, piece.start)
            return None if known is None else Hover(piece.start, piece.end, _of_entry(known))
    return None


def _around(tree: t.File, offset: int) -> Iterator[t.Tree]:
    """The nodes around a place, the outermost first. The span of a statement with a block ends before the block."""
    for part in sorted(t.trees(tree), key=lambda one: one.span.start - one.span.end):
        if part.span.source is tree.span.source and part.span.start <= offset <= part.span.end and part is not tree:
            yield part


def _code(*lines: str) -> str:
    return "```tfg\n" + "\n".join(lines) + "\n```"


def _page(head: str, *paragraphs: str) -> str:
    return "\n\n".join(filter(None, (_code(head), *paragraphs)))


# --- symbols --------------------------------------------------------------------------------------


def _of_symbol(document: Document, occurrence: Occurrence) -> str:
    symbol = occurrence.symbol
    values = document.values(occurrence.start, occurrence.end) or document.values_of(symbol)
    callee = function(symbol, symbol.name)
    if callee is not None:
        return _page(f"def {callee.signature}", callee.text, _place_of(document, symbol))
    if symbol.kind == "size":
        return _page(symbol.name, "A named size: it is one size everywhere in the graph.", _place_of(document, symbol))
    statement = symbol.statement
    if isinstance(statement, t.DefParameter) and occurrence.start not in range(symbol.span.start, symbol.span.end):
        text = several(document.values(occurrence.start, occurrence.end))
        head = statement.text
        return _page(f"{head}: {text}" if text else head, "A parameter.", _place_of(document, symbol))
    text = several(values)
    sign = " = " if symbol.kind == "param" else ": "
    comment = comment_above(symbol.span.source, symbol.span.start) if symbol.kind != "parameter" else ""
    more = [_data(one) for one in values[:1] if isinstance(one, (DataValue, Batch))]
    what = kind_of(symbol)
    what = f"{what[0].upper()}{what[1:]}"
    return _page(f"{symbol.name}{sign}{text}" if text else symbol.name, f"{what}. {comment}".strip(), *more,
                 _place_of(document, symbol))  # fmt: skip


def _data(value: DataValue | Batch) -> str:
    parts = "".join(f"\n- `{name}`: {rows} rows" for name, rows in value.schema.parts)
    return f"{rows_of(value.schema)}{parts}\n\n{columns_text(value.schema)}"


def _place_of(document: Document, symbol: Symbol) -> str:
    """Where a symbol is bound, if that is elsewhere."""
    source = symbol.span.source
    if source.path == document.path:
        return f"Line {symbol.span.line}."
    return f"Line {symbol.span.line} of {source.path.rpartition('/')[2]}."


# --- names of the language, and values ------------------------------------------------------------


def _of_part(document: Document, part: t.Tree, around: list[t.Tree], offset: int) -> Hover | None:
    match part:
        case t.Name(id=name) if name in names():
            return Hover(part.span.start, part.span.end, _of_entry(names()[name]))
        case t.Attribute():
            return _of_attribute(document, part, offset)
        case t.Identifier():
            return _of_member(document, part.span, offset)
        case t.Stage():
            place, known = name_place(part), _of_stage(part, around)
            if known is None or not place.start <= offset <= place.end:
                return None
            return Hover(place.start, place.end, _of_entry(known))
        case t.Type(dtype=dtype) if offset <= part.span.start + len(dtype) and dtype in names():
            return Hover(part.span.start, part.span.start + len(dtype), _of_entry(names()[dtype]))
        case t.Argument(name=str()) if offset <= name_place(part).end:
            return _of_argument(document, part, around)
        case t.ExprTree() if not isinstance(part, (t.Constant, t.Slice, t.Dots)):
            text = several(document.values(part.span.start, part.span.end))
            return Hover(part.span.start, part.span.end, _code(text)) if text else None
        case _:
            return None


def _of_stage(stage: t.Stage, around: list[t.Tree]) -> ReferenceEntry | None:
    """The entry of the source or transform that a stage names."""
    data = next((one for one in around if isinstance(one, t.Data)), None)
    return None if data is None else stages(stage is data.stages[0]).get(stage.name)


def _of_entry(known: ReferenceEntry) -> str:
    return _page(known.signature, described(known))


def _of_attribute(document: Document, part: t.Attribute, offset: int) -> Hover | None:
    place = name_place(part)
    if not place.start <= offset <= place.end:
        return None
    words = tuple(WORD.findall(part.span.text))
    callee = callee_at(document, part.span.start, words) if len(words) == 2 and words[0] == "raw" else None
    if callee is not None:
        return Hover(part.span.start, place.end, _of_callee(callee))
    return _of_member(document, place, offset)


def _of_member(document: Document, span: Span, offset: int) -> Hover | None:
    """The hover text of a word in a dotted name that is not a symbol, such as a column of data."""
    for word in WORD.finditer(span.text):
        start, end = span.start + word.start(), span.start + word.end()
        if start <= offset <= end:
            values = document.values(start, end)
            more = [_data(one) for one in values[:1] if isinstance(one, (DataValue, Batch))]
            text = several(values)
            return Hover(start, end, _page(f"{word[0]}: {text}", *more)) if text else None
    return None


def _of_callee(callee: Callee) -> str:
    return _page(callee.signature, callee.text)


def _of_argument(document: Document, part: t.Argument, around: list[t.Tree]) -> Hover | None:
    call = next((one for one in reversed(around) if isinstance(one, (t.Call, t.Stage)) and part in one.arguments), None)
    place = name_place(part)
    callee: Callee | None = None
    if isinstance(call, t.Call):
        callee = callee_at(document, call.span.start, tuple(WORD.findall(call.function.span.text)))
    elif isinstance(call, t.Stage):
        known = _of_stage(call, around)
        callee = None if known is None else Callee(call.name, parameters(known.signature))
    if callee is None:
        return None
    text = next((text for name, text in callee.parameters if name == part.name), part.name or "")
    return Hover(place.start, place.end, _page(text, f"An argument of `{callee.signature}`."))
