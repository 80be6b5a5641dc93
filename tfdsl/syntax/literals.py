"""The values of string and bytes literals."""

import re
import unicodedata

from ..diagnostics import BYTES_CHARACTER, ESCAPE, ESCAPE_HALF, Message
from ..source import Source, Span
from .lexer import Token

_ESCAPES = {
    "\\": "\\", "'": "'", '"': '"', "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip
_HALF = re.compile("[\ud800-\udfff]")  # of a character
_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|N\{([^}]+)\}|(.))")
_BYTES_ESCAPE = re.compile(r"\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|(.))|([^\x00-\x7f])")
_BYTES_HELP = 'a byte is written \\x and two digits, as in b"\\xff"'


class BuildError(Exception):
    """Raised for text that the grammar accepts, but the language does not."""

    def __init__(self, message: Message, span: Span, help: str = "", **details: object):
        super().__init__(message.code)
        self.message, self.span, self.help, self.details = message, span, help, details


def text_of(source: Source, token: Token) -> str:
    """The value of a string, with Python's escapes."""
    text = token[1:-1]
    if "\\" not in text:
        return text

    def character(match: re.Match[str]) -> str:
        octal, hex2, hex4, hex8, name, other = match.groups()
        try:
            if octal:
                return chr(int(octal, 8))
            if hex2 or hex4 or hex8:
                return chr(int(hex2 or hex4 or hex8, 16))
            if name:
                return unicodedata.lookup(name)
            return _ESCAPES[other]
        except (KeyError, ValueError):
            start = token.start + 1 + match.start()
            span = Span(source, start, start + len(match[0]))
            raise BuildError(ESCAPE, span, escape=match[0], what="a string") from None

    made = _ESCAPE.sub(character, text)
    if half := _HALF.search(made):
        raise BuildError(ESCAPE_HALF, Span(source, token.start, token.end), escape=ascii(half[0])[1:-1])
    return made


def bytes_of(source: Source, token: Token) -> bytes:
    """The value of bytes: ASCII characters, with Python's escapes for bytes."""

    def byte(match: re.Match[str]) -> str:
        octal, hexadecimal, other, foreign = match.groups()
        number = int(octal, 8) if octal else int(hexadecimal, 16) if hexadecimal else -1
        if 0 <= number <= 255:
            return chr(number)
        if other in _ESCAPES:
            return _ESCAPES[other]
        start = token.start + 2 + match.start()
        span = Span(source, start, start + len(match[0]))
        if foreign is None:
            raise BuildError(ESCAPE, span, _BYTES_HELP, escape=match[0], what="bytes")
        is_byte = "\udc80" <= foreign <= "\udcff"  # one that is not UTF-8
        made = foreign.encode("utf-8", "surrogateescape" if is_byte else "surrogatepass")
        as_bytes = "".join(f"\\x{one:02x}" for one in made)
        raise BuildError(BYTES_CHARACTER, span, character=foreign, escape=as_bytes)

    return _BYTES_ESCAPE.sub(byte, token[2:-1]).encode("latin-1")
