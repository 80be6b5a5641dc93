"""Reads program files: path in, source out."""

import os
from typing import BinaryIO

from ..access import TRUSTED
from ..diagnostics import ENCODING, FILE_LARGE, FILE_MISSING, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from ..limits import Limits
from ..source import Source

SUFFIX = ".tfg"  # of programs


def read(path: str | os.PathLike[str], limits: Limits | None = None) -> Source:
    """Read a file named by the user as a source. Raises a clear error if that fails."""
    try:
        with open(path, "rb") as file:
            return read_open(os.fspath(path), file, limits)
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        way = _programs_in(path) if isinstance(error, IsADirectoryError) else similar(os.fspath(path), error, SUFFIX)
        raise _unreadable(os.fspath(path), error, way) from None


def beside(folder: str | os.PathLike[str]) -> str:
    """A help line for a folder beside which there is a program of its name. "" for others."""
    path = os.path.normpath(folder) + SUFFIX
    return f"did you mean '{path}'?" if os.path.isfile(path) else ""


def _programs_in(folder: str | os.PathLike[str]) -> str:
    """A help line for a folder in place of a program."""
    if way := beside(folder):
        return way
    try:
        programs = sorted(name for name in os.listdir(folder) if name.endswith(SUFFIX))
    except OSError:
        return ""
    named = listed((os.path.join(folder, name) for name in programs), most=5)
    return f"it has the programs {named}" if len(programs) > 1 else f"it has the program {named}" if programs else ""


def read_open(path: str, file: BinaryIO, limits: Limits | None = None) -> Source:
    """Read an open file as a source with the given path."""
    most = (limits or Limits()).file
    try:
        data = file.read(most + 1)
        if len(data) > most:
            raise TfgError([Diagnostic(FILE_LARGE, None, {"path": path, "limit": most})])
        return Source(path, data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError as error:
        details = {"path": path, "reason": f"byte {error.start} is {error.object[error.start]:#04x}"}
        raise TfgError([Diagnostic(ENCODING, None, details)]) from None
    except OSError as error:
        raise _unreadable(path, error) from None


def _unreadable(path: str, error: OSError | ValueError, way: str = "") -> TfgError:
    details = {"path": path, "reason": reason_of(error)}
    return TfgError([Diagnostic(FILE_MISSING, None, details, help=way)])


def similar(path: str, error: Exception, wanted: str = "") -> str:
    """`did you mean 'people.tfg'?` for a file that is not there, or an empty text. `wanted` is a suffix that it has,
    which the path can lack."""
    match = TRUSTED.similar(path, wanted=wanted) if isinstance(error, FileNotFoundError) else None
    return f"did you mean '{match}'?" if match and match.endswith(wanted) else ""


def reason_of(error: OSError | ValueError) -> str:
    """The system's reason, as part of a sentence."""
    reason = getattr(error, "strerror", None) or str(error)
    return reason[:1].lower() + reason[1:]


def identity_of(found: os.stat_result) -> tuple[int, int]:
    """A key that identifies a file under any name."""
    return found.st_dev, found.st_ino
