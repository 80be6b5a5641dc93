"""Files of programs: path in, source out."""

import os
from typing import BinaryIO

from ..diagnostics import ENCODING, FILE_LARGE, FILE_MISSING, Diagnostic, TfgError
from ..limits import Limits
from ..source import Source


def read(path: str | os.PathLike, limits: Limits | None = None) -> Source:
    """A file as a source; a clear error where it cannot be read."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:
            return read_stream(shown, file, limits)
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or str(error)
        details = {"path": shown, "reason": reason[:1].lower() + reason[1:]}
        raise TfgError([Diagnostic(FILE_MISSING, None, details)]) from None


def read_stream(shown: str, file: BinaryIO, limits: Limits | None = None) -> Source:
    """What an open file has, as a source."""
    most = (limits or Limits()).file
    data = file.read(most + 1)
    if len(data) > most:
        raise TfgError([Diagnostic(FILE_LARGE, None, {"path": shown, "limit": most})])
    try:
        return Source(shown, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        details = {"path": shown, "reason": f"byte {error.start} is {error.object[error.start]:#04x}"}
        raise TfgError([Diagnostic(ENCODING, None, details)]) from None
