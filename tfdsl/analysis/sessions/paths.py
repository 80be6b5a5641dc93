"""Checks the paths in the sessions of a program before anything runs. Forbidden paths are errors.

At run time each path is opened through `access`, which checks it again.
"""

import json
import re
from collections.abc import Iterator
from os.path import basename, join, normpath

from ...access import Access, AccessRefused
from ...diagnostics import PATH_FORM, RESTORE_FOLDER, RESTORE_LOSES, RESTORE_MISSES, Diagnostic
from ...program import (
    Keep,
    Program,
    Restore,
    Save,
    Statement,
    Template,
    Train,
    checkpoint_folders,
    known_text,
    walk,
)


def paths(program: Program, only: str | None = None) -> Iterator[tuple[Statement, str]]:
    """Every statement with a path, or those in one session, and the path. Values known only to a run, such as {now},
    become 0."""
    for session in program.sessions:
        for statement in walk(session.body) if only in (None, session.name) else ():
            path = statement.uses().path
            if path is not None:
                parts = path.parts if isinstance(path, Template) else (known_text(path),)
                yield statement, "".join(part if isinstance(part, str) else "0" for part in parts)


def refused(program: Program, access: Access) -> Iterator[Diagnostic]:
    """An error for each path that the program may not use."""
    for statement, path in paths(program):
        origin = statement.origin
        if isinstance(statement, Save | Keep) and basename(path) in ("", ".", ".."):
            reason = "it ends without the name with which the files of a checkpoint begin"
            is_known = known_text(statement.path) is not None
            whole = json.dumps(join(path, "model.ckpt"), ensure_ascii=False) if is_known else "model.ckpt, behind it"
            help = f"add a name, such as {whole}"
            yield Diagnostic(PATH_FORM, origin.span, {"path": path, "reason": reason}, help=help, chain=origin.chain)
            continue
        try:
            access.check(path)
        except AccessRefused as error:
            yield Diagnostic(error.message, origin.span, error.details, chain=origin.chain)


def doubtful_restores(program: Program) -> Iterator[Diagnostic]:
    """What is wrong with the paths of `restore`, seen from all that the program writes."""
    for found in (_restored_folders, _mistyped_restores, _lost_trainings):
        yield from found(program)


def _restored_folders(program: Program) -> Iterator[Diagnostic]:
    """An error for each `restore` from a folder where a training keeps its checkpoints."""
    statements = [one for session in program.sessions for one in walk(session.body)]
    folders = {normpath(path): origin for path, origin in checkpoint_folders(program).items() if path}
    saved = {_plain_path(one) for one in statements if isinstance(one, Save | Keep)}
    for one in statements:
        path = _plain_path(one) if isinstance(one, Restore) else None
        if path in folders and path not in saved:
            details = {"path": path, "line": folders[path].span.line}
            yield Diagnostic(RESTORE_FOLDER, one.origin.span, details, chain=one.origin.chain)


def _mistyped_restores(program: Program) -> Iterator[Diagnostic]:
    """A warning for each `restore ... if exists` from a path that no `save` writes, if one writes nearly that path:
    then the variables are always initialised. Numbers and single letters name files that only look alike."""
    statements = [one for session in program.sessions for one in walk(session.body)]
    saved = {path: one for one in statements if isinstance(one, Save | Keep) and (path := _plain_path(one))}
    folders = {normpath(path) for path in checkpoint_folders(program) if path}
    for one in statements:
        path = _plain_path(one) if isinstance(one, Restore) and one.if_exists else None
        if path is None or path in saved or path in folders:
            continue
        other = next((other for other in saved if _is_typo(path, other)), None)
        if other is not None:
            details = {"path": path, "other": other, "line": saved[other].origin.span.line}
            yield Diagnostic(RESTORE_MISSES, one.origin.span, details, chain=one.origin.chain)


def _lost_trainings(program: Program) -> Iterator[Diagnostic]:
    """A warning for each `restore ... if exists` below a training from a path that the program does not write: without
    the file, all variables get their initial values."""
    saved = {
        _plain_path(one) for session in program.sessions for one in walk(session.body) if isinstance(one, Save | Keep)
    }
    for session in program.sessions:
        training: Train | None = None
        for one in walk(session.body):
            if isinstance(one, Train):
                training = one
            elif isinstance(one, Restore) and one.if_exists and training and _plain_path(one) not in saved:
                details = {"line": training.origin.span.line}
                yield Diagnostic(RESTORE_LOSES, one.origin.span, details, chain=one.origin.chain)


def _is_typo(path: str, other: str) -> bool:
    """Whether two paths differ in one letter of one word: one that is missing, doubled, or in another place."""
    words, others = (re.split(r"([^\W\d_]+)", one) for one in (path, other))
    differ = [(a, b) for a, b in zip(words, others) if a != b]
    if len(words) != len(others) or len(differ) != 1:
        return False
    short, long = sorted(differ[0], key=len)
    if not (len(short) > 1 and (short + long).isalpha()):
        return False
    if len(long) == len(short) + 1:
        return any(long[:at] + long[at + 1 :] == short for at in range(len(long)))
    swapped = (long[:at] + long[at + 1] + long[at] + long[at + 2 :] for at in range(len(long) - 1))
    return len(long) == len(short) and (short in swapped or short.lower() == long.lower())


def _plain_path(statement: Statement) -> str | None:
    path = statement.uses().path
    text = None if path is None else known_text(path)
    return text and normpath(text)
