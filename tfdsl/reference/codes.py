"""Entries of the codes of messages, from their pages."""

from collections.abc import Iterator

from ..diagnostics import CATALOGUE
from .entry import ReferenceEntry
from .explanations import explanation


def codes() -> Iterator[ReferenceEntry]:
    """The codes, in their order."""
    for name in sorted(CATALOGUE):
        if entry := code(name):
            yield entry


def code(name: str) -> ReferenceEntry | None:
    """The entry of a code. One without a page has only the message."""
    message = CATALOGUE.get(name)
    if message is None:
        return None
    page = explanation(name)
    return ReferenceEntry(
        "code",
        name,
        f"{message.severity}[{name}]: {message.headline}",
        page.body if page else message.help,
        page.mended.text if page and page.mended else "",
        page.title if page else "",
    )
