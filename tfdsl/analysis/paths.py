"""Checks the paths in the sessions of a program before anything runs. Forbidden paths are errors.

At run time each path is opened through `access`, which checks it again.
"""

from collections.abc import Iterator
from os.path import normpath

from ..access import Access, AccessRefused
from ..diagnostics import RESTORE_FOLDER, Diagnostic
from ..program import Origin, Program, Restore, Save, Statement, Template, checkpoint_folders, known_text, walk


def paths(program: Program) -> Iterator[tuple[str, Origin]]:
    """Every path of a statement, with the statement's place. Values known only to a run, such as {now}, become 0."""
    for session in program.sessions:
        for statement in walk(session.body):
            path = statement.uses().path
            if path is not None:
                parts = path.parts if isinstance(path, Template) else (known_text(path),)
                yield "".join(part if isinstance(part, str) else "0" for part in parts), statement.origin


def refused(program: Program, access: Access) -> Iterator[Diagnostic]:
    """An error for each path that the program may not use."""
    for path, origin in paths(program):
        try:
            access.check(path)
        except AccessRefused as error:
            yield Diagnostic(error.message, origin.span, error.details, chain=origin.chain)


def restored_folders(program: Program) -> Iterator[Diagnostic]:
    """An error for each `restore` from a folder where a training keeps its checkpoints."""
    statements = [one for session in program.sessions for one in walk(session.body)]
    folders = {normpath(path): origin for path, origin in checkpoint_folders(program).items() if path}
    saved = {_plain_path(one) for one in statements if isinstance(one, Save)}
    for one in statements:
        path = _plain_path(one) if isinstance(one, Restore) else None
        if path in folders and path not in saved:
            details = {"path": path, "line": folders[path].span.line}
            yield Diagnostic(RESTORE_FOLDER, one.origin.span, details, chain=one.origin.chain)


def _plain_path(statement: Statement) -> str | None:
    path = statement.uses().path
    text = None if path is None else known_text(path)
    return text and normpath(text)
