"""Files that the user names for output: pictures, traces, formatted programs."""

import os
import stat
import tempfile
from contextlib import suppress

from .diagnostics import WRITE_FAILED, Diagnostic, TfgError


def write_output(path: str, text: str) -> None:
    """Put a text in a file, whole or not at all; what was in it is replaced.

    A link stays one, and the file that it leads to is replaced, with its permissions. A device or a pipe is written to.
    """
    try:
        target = os.path.realpath(path)
        try:
            mode = os.stat(target).st_mode
        except FileNotFoundError:
            mode = stat.S_IFREG | 0o666 & ~_umask()
        if not stat.S_ISREG(mode):
            with open(target, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            return
        descriptor, work = tempfile.mkstemp(prefix=".tfdsl-", dir=os.path.dirname(target))
        try:
            with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            os.chmod(work, stat.S_IMODE(mode))
            os.replace(work, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(work)
            raise
    except (OSError, ValueError) as error:  # ValueError: a null character
        reason = getattr(error, "strerror", None) or str(error)
        raise TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": reason})]) from None


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask
