"""What an analysis finds, collected."""

from collections.abc import Container

from ..source import Span
from .catalogue.options import ERRORS_MANY
from .catalogue.warnings import WARNINGS_MANY
from .diagnostic import Diagnostic
from .error import TfgError
from .message import Message

# A message and its place: the same code there is the same finding.
_Key = tuple[str, tuple[str, int, int] | None]


class Bag:
    """Diagnostics as they are found; the same one, from several unrolled turns, is kept once.

    After `limit` of them an error ends the check; of warnings, no more are kept.
    """

    def __init__(self, limit: int) -> None:
        self.diagnostics: list[Diagnostic] = []
        self._limit = limit
        self._seen: set[_Key] = set()

    def has(self, code: str, span: Span | None) -> bool:
        """Whether a message was found at a place already."""
        return _key(code, span) in self._seen

    def marked(self) -> tuple[int, set[_Key]]:
        """What there is, for `back_to`."""
        return len(self.diagnostics), set(self._seen)

    def back_to(self, mark: tuple[int, set[_Key]]) -> None:
        """Forget what was found after a mark."""
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
        """Forget those of a kind whose notes name one of some places."""
        told = [one for one in self.diagnostics if one.message is message]
        gone = [one for one in told if any(note.span in spans for note in one.notes)]
        self.diagnostics = [one for one in self.diagnostics if all(one is not other for other in gone)]

    @property
    def errors(self) -> list[Diagnostic]:
        return [d for d in self.diagnostics if d.severity == "error"]

    def ordered(self) -> list[Diagnostic]:
        """By place in the text; what has no place comes first."""
        return sorted(self.diagnostics, key=lambda d: (d.span.source.path, d.span.start) if d.span else ("", -1))


def _key(code: str, span: Span | None) -> _Key:
    return code, span and (span.source.path, span.start, span.end)
