"""Writes output files named by the user: pictures, traces, formatted programs."""

import errno
import os
import stat
from contextlib import suppress

from .diagnostics import WRITE_FAILED, Diagnostic, TfgError


def write_output(path: str, content: str | bytes) -> None:
    """Write a text or bytes to a file atomically, replacing its content.

    A link is kept: the file it leads to is replaced, with the same permissions. A device or a pipe is written to.
    """
    try:
        target = os.path.realpath(path)
        before = _mode(target)
        if before is not None and not stat.S_ISREG(before):
            _write(os.open(target, os.O_WRONLY), content)
            return
        handle, work = _new(target)
        try:
            _write(handle, content)
            if before is not None:
                os.chmod(work, stat.S_IMODE(before))
            os.replace(work, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(work)
            raise
    except (OSError, ValueError) as error:  # ValueError: the path has a null character
        raise _failed(path, error) from None


def check_output(path: str) -> None:
    """Refuse a file that `write_output` could not write, before the work whose result it is to have."""
    try:
        target = os.path.realpath(path)
        before = _mode(target)
        if before is not None and stat.S_ISDIR(before):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if before is None or stat.S_ISREG(before):
            handle, work = _new(target)
            os.close(handle)
            os.unlink(work)
    except (OSError, ValueError) as error:
        raise _failed(path, error) from None


def _new(target: str) -> tuple[int, str]:
    """A new file beside the target, which can take its place."""
    work = os.path.join(os.path.dirname(target), f".tfdsl-{os.urandom(8).hex()}")
    return os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), work


def _failed(path: str, error: OSError | ValueError) -> TfgError:
    reason = getattr(error, "strerror", None) or str(error)
    return TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": reason})])


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _write(handle: int, content: str | bytes) -> None:
    with open(handle, "wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
