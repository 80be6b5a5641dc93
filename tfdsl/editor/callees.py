"""What is called at a place: a function of the program or of a library, or one of the language, with its parameters."""

from ..record import Record
from ..syntax import tree as t
from .cursor import OpenCall
from .lookup import described, names, of_library, of_raw, stages
from .lookup import parameters as parameters_of
from .shown import comment_above
from .symbols import Symbol
from .workspace import Document


class Callee(Record):
    """Something that can be called. `parameters` are pairs of a name and its text in the signature."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    text: str = ""

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(text for _, text in self.parameters)})"


def callee_of(document: Document, call: OpenCall) -> Callee | None:
    """What an open call calls, if it is known."""
    *_, last = call.callee
    if call.is_stage is not None:
        stage = stages(call.is_stage).get(last)
        return None if stage is None else Callee(last, parameters_of(stage.signature), described(stage))
    return callee_at(document, call.start, call.callee)


def callee_at(document: Document, offset: int, words: tuple[str, ...]) -> Callee | None:
    """What a dotted name at a place calls, if it is known."""
    meaning = document.symbols.meanings(offset, list(words))[-1]
    if isinstance(meaning, Symbol) and isinstance(meaning.statement, t.Def):
        return function(meaning, ".".join(words))
    entry = names().get(words[0]) if len(words) == 1 and meaning is None else None
    if len(words) == 2 and words[0] == "raw":
        entry = of_raw(words[1])
    if entry is None or "(" not in entry.signature:
        return None
    return Callee(entry.name, parameters_of(entry.signature), described(entry))


def function(symbol: Symbol, name: str) -> Callee | None:
    """A function of a program, as a call writes it."""
    if not isinstance(symbol.statement, t.Def):
        return None
    parameters = tuple((one.name, one.text) for one in symbol.statement.parameters)
    known = of_library(symbol)
    text = comment_above(symbol.span.source, symbol.span.start) if known is None else described(known)
    return Callee(name, parameters, text)


class SignatureHelp(Record):
    """The signature of the call around the cursor, and the number of the parameter that is being typed."""

    callee: Callee
    active: int | None


def signature_help(document: Document, call: OpenCall) -> SignatureHelp | None:
    """The signature of an open call."""
    callee = callee_of(document, call)
    if callee is None:
        return None
    words = [name for name, _ in callee.parameters]
    if call.keyword in words:
        return SignatureHelp(callee, words.index(call.keyword))
    positions = [at for at, (name, text) in enumerate(callee.parameters) if name and not text.startswith("*")]
    is_known = not call.keyword and call.number < len(positions)
    return SignatureHelp(callee, positions[call.number] if is_known else None)
