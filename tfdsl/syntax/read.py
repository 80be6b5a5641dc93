"""Files of programs: path in, source out."""

import os

from ..diagnostics import ENCODING, FILE_MISSING, Diagnostic, TfgError
from ..source import Source

MAX_BYTES = 10_000_000  # of a program


def read(path: str | os.PathLike) -> Source:
    """A file as a source; a clear error where it cannot be read."""
    shown = os.fspath(path)
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise OSError(f"it has more than {MAX_BYTES // 1_000_000} MB")
        return Source(shown, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        details = {"path": shown, "reason": f"byte {error.start} is {error.object[error.start]:#04x}"}
        raise TfgError([Diagnostic(ENCODING, None, details)]) from None
    except (OSError, ValueError) as error:  # ValueError: a path with a null character
        reason = getattr(error, "strerror", None) or str(error)
        details = {"path": shown, "reason": reason[:1].lower() + reason[1:]}
        raise TfgError([Diagnostic(FILE_MISSING, None, details)]) from None
