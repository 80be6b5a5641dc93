"""An error or a warning: its message, place and reasons."""

from collections.abc import Mapping

from ..record import Frozen, replace
from ..source import Span
from .message import Message, filled


class Note(Frozen):
    """A line below the excerpt. `{line}` in its text is the line of its place."""

    text: str
    span: Span | None = None


Frame = tuple[str, Span]  # what was entered (`relu` called, a file imported) and where


class Diagnostic(Frozen):
    """An error or a warning: its message, place and reasons."""

    message: Message
    span: Span | None
    details: Mapping[str, object] | None = None
    notes: tuple[Note, ...] = ()
    help: str = ""  # replaces the help of the message
    chain: tuple[Frame, ...] = ()  # the calls and imports that lead here, outermost first
    cause: BaseException | None = None  # the exception of a caller's function

    def outside_libraries(self) -> "Diagnostic":
        """The same diagnostic, moved to the program's call of the library that it was found in. A call that contains
        the place is not a frame around it."""
        if self.span is not None and self.chain and self.chain[-1][1].holds(self.span):
            return replace(self, chain=self.chain[:-1]).outside_libraries()
        at = next((i for i, (_, span) in reversed(list(enumerate(self.chain))) if not span.source.is_library), None)
        if self.span is None or not self.span.source.is_library or at is None:
            return self
        note = Note("it was found on line {line}", self.span)
        return replace(self, span=self.chain[at][1], chain=self.chain[:at], notes=(*self.notes, note))

    @property
    def code(self) -> str:
        return self.message.code

    @property
    def severity(self) -> str:
        return self.message.severity

    @property
    def headline(self) -> str:
        return filled(self.message.headline, self.details or {})

    @property
    def help_line(self) -> str:
        return self.help or filled(self.message.help, self.details or {})
