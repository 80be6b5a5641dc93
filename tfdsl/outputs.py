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
        work = os.path.join(os.path.dirname(target), f".tfdsl-{os.urandom(8).hex()}")
        handle = os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
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
        reason = getattr(error, "strerror", None) or str(error)
        raise TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": reason})]) from None


def check_output(path: str) -> None:
    """Refuse a file in a folder that is missing, before the work whose result it is to have."""
    folder = os.path.dirname(os.path.realpath(path))
    if not os.path.isdir(folder):
        reason = os.strerror(errno.ENOTDIR if os.path.exists(folder) else errno.ENOENT)
        raise TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": reason})])


def _mode(path: str) -> int | None:
    try:
        return os.stat(path).st_mode
    except FileNotFoundError:
        return None


def _write(handle: int, content: str | bytes) -> None:
    with open(handle, "wb") as file:
        file.write(content.encode("utf-8") if isinstance(content, str) else content)
