"""The names of tensors and steps in a written program."""

from .draft import ALL_VALUES, FunctionCallPiece, LoopPiece, StepPiece, is_raw
from .graph import Endpoint
from .names import unused_name
from .references import last_part, place_in
from .write import NOBODY, Writer


def correspondence(writer: Writer) -> dict[Endpoint, str]:
    """The endpoints that the program names, with their names and scopes. An optimizer without a name gets `^` and the
    name of its node."""
    found: dict[Endpoint, str] = {}
    for end in writer.names:
        piece = writer.draft.pieces[writer.draft.owner(end.node)]
        for one in piece.ends if is_raw(piece) else (end,):
            text = path(writer, one)
            if text is not None:
                is_unnamed = isinstance(piece, StepPiece) and not writer.step_name(piece)
                found[one] = f"^{piece.node}" if is_unnamed else text
    for piece in writer.draft.pieces.values():
        if isinstance(piece, FunctionCallPiece):
            found |= {end: text for end, _ in piece.parts if (text := path(writer, end)) is not None}
    return found


def path(writer: Writer, end: Endpoint) -> str | None:
    """The expression for an endpoint at the end of the program: its name and scopes, and its index in the value of a
    raw call. None if the program does not name it."""
    draft = writer.draft
    end = draft.end(end)
    piece, place = draft.pieces.get(draft.owner(end.node)), ""
    if piece is None or piece.node in draft.regions or (isinstance(piece, LoopPiece) and end not in piece.ends):
        return None
    if isinstance(piece, FunctionCallPiece) and end not in piece.ends:
        inner = dict(piece.parts).get(end) if piece.node in writer.scopes else None
        return None if inner is None else ".".join((*writer.scopes[piece.node], last_part(piece.node), *inner))
    if end.output == ALL_VALUES or writer.names.get(end) == NOBODY:
        return None
    if is_raw(piece):
        place, end = place_in(draft, end), piece.ends[0]
    return ".".join((*writer.scopes[piece.node], writer.names[end])) + place if end in writer.names else None


def unused(writer: Writer, wanted: str) -> str:
    """A name that nothing else in the program has."""
    name = unused_name(wanted, {*writer.bound, *(name for scope in writer.scopes.values() for name in scope)})
    writer.bound[name] += 1
    return name
