"""Turns TensorFlow errors during graph building into errors at a node's place in the program."""

import errno
import os
import re
from collections.abc import Iterable

from ..diagnostics import Diagnostic, Message, Note, TfgError
from ..program import Origin


def failure(
    message: Message,
    origin: Origin,
    notes: Iterable[Note] = (),
    cause: BaseException | None = None,
    help: str = "",
    **details: object,
) -> TfgError:
    """An error at a node's place in the program. `help` replaces the help of the message."""
    found = Diagnostic(message, origin.span, details, tuple(notes), help, origin.chain, cause)
    return TfgError([found.outside_libraries()])


_WHERE = re.compile(r"\s*\[\[\{\{node .*", re.DOTALL)  # the failing node; the diagnostic shows its place in the program
_STACK = re.compile(r"Graph execution error:\s*(?:Detected at node .*\nNode: '[^\n]*'\n)?", re.DOTALL)
_ROOTS = re.compile(r"\d+ root error\(s\) found\.\s*\(0\) [\w ]+: ")
_TRACE = re.compile(r"\s*Traceback \(most recent call last\):.*", re.DOTALL)  # of a Python function
_SIGNATURE = re.compile(r" for '\{\{node .*?\}\} = [^']*'")


# Messages of TensorFlow and NumPy, and what they mean here.
_WORDS = (
    (re.compile(r"Integers to negative integer powers are not allowed"),
     "a whole number cannot be raised to a negative power; cast it to a float first"),
    (re.compile(r"\(34, 'Numerical result out of range'\)"), "the result is too large for a float"),
    (re.compile(r"Exceeds the limit .* for integer string conversion.*"), "the whole number is too long to be shown"),
    (re.compile(r"'latest_filename' collides with .*"),
     "TensorFlow keeps its list of checkpoints in a file of this name; choose another name"),
    (re.compile(r"[Uu]nable to open table file .*sstable.*", re.DOTALL), "it is not a TensorFlow checkpoint"),
    (re.compile(r"setting an array element with a sequence.*", re.DOTALL),
     "the values of this list have different shapes, so they do not form an array; write them one after the other"),
)  # fmt: skip


_CONDITION = re.compile(r"Condition (.*) did not hold(?: element-wise)?:?")
_OPERAND = re.compile(r"(\w+) \(\S+\) = ?")


def _assertion(text: str) -> str:
    """`assertion failed: [steep] [Condition x < y did not hold element-wise:] [x (x:0) = ] [3] [y (y:0) = ] [2]` as
    `steep: x < y does not hold, where x is 3 and y is 2`."""
    before, failed, rest = text.partition("assertion failed: ")
    parts = _bracketed(rest)
    if not failed or not parts:
        return text
    message, condition, operands = [], "", []
    for at, part in enumerate(parts):
        found = _CONDITION.fullmatch(part)
        if found:
            condition = f"{found[1]} does not hold"
        elif (operand := _OPERAND.fullmatch(part)) and at + 1 < len(parts):
            operands.append(f"{operand[1]} is {parts[at + 1]}")
        elif part and not (at and _OPERAND.fullmatch(parts[at - 1])):
            message.append(part)
    where = f", where {' and '.join(operands)}" if operands else ""
    return before + ": ".join(filter(None, [": ".join(message), condition + where]))


def _bracketed(text: str) -> list[str]:
    """The contents of consecutive brackets."""
    parts, depth, begun = [], 0, 0
    for at, character in enumerate(text):
        if character == "[":
            depth += 1
            begun = at + 1 if depth == 1 else begun
        elif character == "]":
            depth -= 1
            if depth == 0:
                parts.append(text[begun:at].strip())
    return parts


def plain_reason(error: BaseException) -> str:
    """TensorFlow's reason in one line, without places in Python and in TensorFlow's graph."""
    text = getattr(error, "message", None) or str(error)
    text = _WHERE.sub("", text)
    for part in (_STACK, _ROOTS, _SIGNATURE, _TRACE):
        text = part.sub("", text)
    for words, plain in _WORDS:
        text = words.sub(plain, text)
    text = _assertion(text)
    return " ".join(text.split())[:500] or type(error).__name__


# System errors of files and folders. TensorFlow puts them after paths.
_SYSTEM = tuple(
    os.strerror(number)
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EIO, errno.EMFILE)
)


def reason_of(error: BaseException) -> str:
    """The reason that the system or TensorFlow gives for a failed file access, without file names."""
    text = getattr(error, "strerror", None)
    if text is None:
        plain = plain_reason(error)
        text = next((said for said in _SYSTEM if said in plain), plain)
    return text[:1].lower() + text[1:]


def is_internal(error: BaseException) -> bool:
    """Whether an error was raised in this package's own code. Then it is a bug, not a refusal by TensorFlow."""
    trace = error.__traceback__
    assert trace is not None  # the error was raised
    while trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame.f_globals.get("__name__", "").partition(".")[0] == __name__.partition(".")[0]
