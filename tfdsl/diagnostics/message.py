"""One kind of diagnostic."""

from ..record import Record


class Message(Record):
    """One kind of diagnostic. `headline` and `help` are templates for `str.format`."""

    code: str
    headline: str
    help: str = ""
    severity: str = "error"


CATALOGUE: dict[str, Message] = {}


def message(code: str, headline: str, help: str = "", severity: str = "error") -> Message:
    """A message of the catalogue with a unique code."""
    assert code not in CATALOGUE, code
    CATALOGUE[code] = Message(code, headline, help, severity)
    return CATALOGUE[code]
