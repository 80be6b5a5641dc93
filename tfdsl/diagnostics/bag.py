"""Collects the findings of an analysis."""

from collections.abc import Container

from ..record import replace
from ..source import Span
from .catalogue.options import ERRORS_MANY
from .catalogue.warnings import WARNINGS_MANY
from .diagnostic import Diagnostic
from .error import TfgError
from .message import Message

# A code and its place: two findings with the same key are the same finding.
_Key = tuple[str, tuple[str, int, int] | None]


class Bag:
    """Diagnostics in the order of their discovery. Repeated ones, such as from unrolled iterations, are stored once.

    After `limit` errors, an error ends the check. Further warnings are dropped.
    """

    def __init__(self, limit: int) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._limit = limit
        self._seen: set[_Key] = set()

    def has(self, code: str, span: Span | None) -> bool:
        """Whether a message was already found at a place."""
        return _key(code, span) in self._seen

    def marked(self) -> tuple[int, set[_Key]]:
        """A mark for `back_to`."""
        return len(self.diagnostics), set(self._seen)

    def back_to(self, mark: tuple[int, set[_Key]]) -> None:
        """Remove everything found after a mark."""
        count, self._seen = mark
        del self.diagnostics[count:]

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        key = _key(diagnostic.code, span)
        if key in self._seen or len(self.diagnostics) > self._limit:
            return
        self._seen.add(key)
        if len(self.diagnostics) == self._limit:
            message = ERRORS_MANY if diagnostic.severity == "error" else WARNINGS_MANY
            diagnostic = Diagnostic(message, span, {"limit": self._limit}, chain=diagnostic.chain)
        self.diagnostics.append(diagnostic)
        if diagnostic.message is ERRORS_MANY:
            raise TfgError(self.ordered())

    def forget(self, message: Message, spans: Container[Span | None]) -> None:
        """Remove the findings of a message whose notes name one of the places."""
        told = [one for one in self.diagnostics if one.message is message]
        gone = [one for one in told if any(note.span in spans for note in one.notes)]
        self.diagnostics = [one for one in self.diagnostics if all(one is not other for other in gone)]

    def drop(self, message: Message) -> None:
        """Remove all findings of a message."""
        self.diagnostics = [one for one in self.diagnostics if one.message is not message]

    def explain(self, message: Message, place: Span, help: str) -> None:
        """Give the findings of a message whose notes name a place a better help line."""
        self.diagnostics = [
            replace(one, help=help) if one.message is message and any(note.span == place for note in one.notes) else one
            for one in self.diagnostics
        ]

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "error"]

    def ordered(self) -> list[Diagnostic]:
        """The findings in the order of the text. Those without a place come first."""
        return sorted(self.diagnostics, key=lambda d: (d.span.source.path, d.span.start) if d.span else ("", -1))


def _key(code: str, span: Span | None) -> _Key:
    return code, span and (span.source.path, span.start, span.end)
