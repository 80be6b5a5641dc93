"""Output of commands: coloured diagnostics on a terminal, summaries, and closed pipes."""

import codecs
import errno
import io
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TextIO

from ..diagnostics import (
    BUG,
    CLUSTER_ADDRESS,
    CLUSTER_FORM,
    CLUSTER_JOB_MISSING,
    CLUSTER_MISSING,
    CLUSTER_TWICE,
    CONFIG_FORM,
    CONFIG_KEY,
    DATA_UNKNOWN,
    EXPORT_SIGNATURE,
    EXPORT_VALUE,
    NO_MEMBER,
    NO_MEMORY,
    PACKAGE_MISSING,
    PARAM_TYPE,
    PARAM_UNKNOWN,
    PREDICT_COLUMN,
    PREDICT_NAME,
    RUN_KEY,
    RUN_SEVERAL,
    RUN_UNKNOWN,
    SESSION_NAME,
    SESSION_UNKNOWN,
    STUDY_VALUE,
    UNKNOWN_NAME,
    WRITE_FAILED,
    Diagnostic,
    TfgError,
)
from ..diagnostics.render import render_text
from ..diagnostics.spelling import escape, visible_lines
from ..json_text import json_text
from ..packages import missing_package


def colour(stream: TextIO) -> bool:
    """Whether a stream takes colours: it is a terminal, and NO_COLOR is not set."""
    return not os.environ.get("NO_COLOR") and stream.isatty() and os.environ.get("TERM") != "dumb"


# Errors about a name that an option gives or about a config file, and those about a name that may stand in an argument
# or in a program.
_OF_OPTIONS = (
    PARAM_UNKNOWN, DATA_UNKNOWN, EXPORT_VALUE, EXPORT_SIGNATURE, SESSION_UNKNOWN, PREDICT_NAME, PREDICT_COLUMN, RUN_KEY,
    RUN_UNKNOWN, RUN_SEVERAL, STUDY_VALUE, CONFIG_KEY, CONFIG_FORM, CLUSTER_FORM, CLUSTER_JOB_MISSING, CLUSTER_ADDRESS,
    CLUSTER_TWICE, CLUSTER_MISSING,
)  # fmt: skip
_OF_NAMES = (UNKNOWN_NAME, NO_MEMBER, SESSION_NAME)
_SYNTAX = "TFG1"  # how the codes of syntax errors begin


def failure(diagnostics: Iterable[Diagnostic]) -> int:
    """The exit code for errors: that of wrong use if all are about what the command line or a config file gives."""
    return 2 if all(map(_is_wrong_use, diagnostics)) else 1


def _is_wrong_use(diagnostic: Diagnostic) -> bool:
    if diagnostic.message in _OF_NAMES:
        return diagnostic.span is None or diagnostic.span.source.is_argument
    if diagnostic.code.startswith(_SYNTAX):
        return diagnostic.span is not None and diagnostic.span.source.is_argument
    if diagnostic.message is PARAM_TYPE:
        return bool((diagnostic.details or {}).get("origin"))
    return diagnostic.message in _OF_OPTIONS


def errors(diagnostics: Iterable[Diagnostic], stream: TextIO | None = None) -> int:
    """Print diagnostics on standard error; return the exit code of a failure."""
    out, diagnostics = stream or sys.stderr, list(diagnostics)
    paint = colour(out)
    for diagnostic in diagnostics:
        print(render_text(diagnostic, paint), file=out)
    advise(diagnostics, out)
    return failure(one for one in diagnostics if one.severity == "error")


def advise(diagnostics: Iterable[Diagnostic], stream: TextIO) -> None:
    """Say on a terminal how to look the diagnostics up."""
    codes = list(dict.fromkeys(one.code for one in diagnostics))
    if codes and stream.isatty():
        others = ", or the same with another code" if len(codes) > 1 else ""
        print(f"for more, run: tfdsl explain {codes[0]}{others}", file=stream)


class WrongUse(Exception):
    """The command line is invalid."""


@contextmanager
def needing(what: str, packages: str, *modules: str) -> Iterator[None]:
    """Import modules that are not installed with tfdsl itself. If they are missing, say which packages have them.
    Raises `TfgError`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in modules:
            raise
        raise lacking(what, modules[0], packages) from None


def lacking(what: str, package: str, packages: str) -> TfgError:
    """The error for a missing package that `what` needs, which is not installed with tfdsl itself."""
    help = f"{what} needs it: pip install {packages}"
    return TfgError([Diagnostic(PACKAGE_MISSING, None, {"package": package}, help=help)])


def wrong_use(text: str) -> int:
    """Report an invalid command line on standard error; return the exit code of wrong use."""
    tell(f"tfdsl: {text}")
    return 2


def tell(text: str) -> None:
    """Write lines to standard error. Text from a program in them cannot control a terminal."""
    print(visible_lines(text), file=sys.stderr)


def show(text: str, end: str = "\n") -> None:
    """Write text of a program to standard output unchanged, except that it cannot control a terminal."""
    is_terminal = getattr(sys.stdout, "isatty", bool)()  # a replacement in a notebook or a test may lack it
    print(visible_lines(text) if is_terminal else text, end=end, flush=True)


def show_json(value: object, indent: int | None = 2) -> None:
    """Write a value as JSON to standard output. NaN and infinity are texts."""
    print(json_text(value, indent))


class _Closed(io.TextIOWrapper):
    """A stand-in for a closed standard output. It keeps files opened later from taking its descriptor, and writing to
    it is an error."""

    def __init__(self) -> None:
        super().__init__(open(os.devnull, "wb"), encoding="utf-8")  # noqa: SIM115

    def write(self, text: str) -> int:
        if text:
            raise OSError(errno.EBADF, "it is closed")
        return 0


def open_streams() -> None:
    """Make standard output and standard error usable. Writing to a closed output fails; writing to a closed error
    does nothing. Characters that the encoding lacks are escaped."""
    codecs.register_error("tfdsl.escape", _escaped)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            place = _Closed() if name == "stdout" else open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
            setattr(sys, name, place)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="tfdsl.escape")


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """What is written for characters that an encoding lacks, and where the text goes on."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(escape, error.object[error.start : error.end])), error.end


def write_utf8() -> None:
    """Write standard output in UTF-8, the encoding of programs, because the user may store it in a file."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(encoding="utf-8", errors="strict")


def refuse_program(output: str) -> None:
    """Refuse to replace a program by a picture or a trace."""
    if output.lower().endswith(".tfg"):
        raise WrongUse(f"{output!r} ends in .tfg, so it would be taken for a program; write to another file")


def broken_pipe() -> int:
    """The reader of standard output has gone: end quietly, as other commands do."""
    _swallow()
    return 1


def write_failed(error: OSError) -> int:
    """Report that standard output, or a file that is not a program, cannot be written or read."""
    path = error.filename or "standard output"
    if not error.filename:
        _swallow()
    return errors([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": (error.strerror or str(error)).lower()})])


def no_memory() -> int:
    return errors([Diagnostic(NO_MEMORY, None)])


def _swallow() -> None:
    """Discard unwritten standard output."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# What the system says of a library for which there is no room.
_UNLOADED = ("failed to map segment", "cannot allocate memory", "Cannot allocate memory")


def bug(error: Exception) -> int:
    """Report an unexpected exception as a bug of tfdsl, with the details for a report."""
    if os.environ.get("TFDSL_TRACEBACK"):
        raise error
    if isinstance(error, ImportError) and any(words in str(error) for words in _UNLOADED):
        return no_memory()
    return errors([bug_found(error)])


def bug_found(error: Exception) -> Diagnostic:
    """The error for an unexpected exception: a missing package, or else a bug."""
    missing = missing_package(error) if isinstance(error, ImportError) else None
    if missing is not None:
        return missing
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}" if frame else "?"
    reason = f"{type(error).__name__} at {place}: {str(error)[:300]}"
    return Diagnostic(BUG, None, {"reason": reason})
