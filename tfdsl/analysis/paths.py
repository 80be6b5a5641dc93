"""The paths that the sessions of a program name: those that lead where it may not go are errors before anything runs.

When a statement runs, its path is opened through `access` and so checked again.
"""

from collections.abc import Iterator

from ..access import Access, Refused
from ..diagnostics import Diagnostic
from ..program import Origin, Program, Template, walk


def paths(program: Program) -> Iterator[tuple[str, Origin]]:
    """Every path of a statement, with the place of the statement; what only a run knows in it, such as {now}, is 0."""
    for session in program.sessions:
        for statement in walk(session.body):
            path = statement.uses().path
            if path is not None:
                parts = path.parts if isinstance(path, Template) else (path.value,)
                yield "".join(part if isinstance(part, str) else "0" for part in parts), statement.origin


def refused(program: Program, access: Access) -> Iterator[Diagnostic]:
    """An error for each path that leads where the program may not go."""
    for path, origin in paths(program):
        try:
            access.check(path)
        except Refused as error:
            yield Diagnostic(error.message, origin.span, error.details, chain=origin.chain)
