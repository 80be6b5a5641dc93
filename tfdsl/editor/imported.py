"""Tells whether an edit of an imported file can change what is found about a program that imports it.

It cannot if the statements of the file remain the same, but for their places and for the bodies of functions that the
program does not call. So comments, and functions that are still being written, need no new analysis of the program.
"""

from collections.abc import Mapping, Set

from ..diagnostics import Diagnostic
from ..record import Record
from ..source import Source, Span
from ..syntax import tree as t


class KnownImport(Record):
    """A file as a program was analysed with it. `source` has the text of then, whatever became of it."""

    source: Source
    tree: t.File
    called: Set[int]  # where the functions begin whose bodies were analysed

    def means_the_same(self, tree: t.File) -> bool:
        """Whether the program means the same with another tree of the file."""
        source = tree.span.source
        if self.tree.errors or tree.errors or source.is_lifted != self.source.is_lifted:
            return False
        # The shorter its texts are, the less work a program may be.
        if len(source.text) < len(self.source.text) or len(tree.body) != len(self.tree.body):
            return False
        return all(map(self._is_same, self.tree.body, tree.body))

    def _is_same(self, before: t.Statement, now: t.Statement) -> bool:
        if isinstance(before, t.Def) and isinstance(now, t.Def) and before.span.start not in self.called:
            return _same(before.target, now.target) and _same(before.parameters, now.parameters)
        return _same(before, now)


class KnownDiagnostics(Record):
    """What was found about a program, and the files that it imports."""

    diagnostics: list[Diagnostic]
    files: Mapping[str, KnownImport]

    @property
    def has_other_places(self) -> bool:
        """Whether a diagnostic mentions an imported file, where places move."""
        return any(
            span is not None and span.source.path in self.files
            for one in self.diagnostics
            for span in (one.span, *(note.span for note in one.notes), *(span for _, span in one.chain))
        )


def _same(one: t.Part, other: t.Part) -> bool:
    """Whether two parts of trees are equal but for their places."""
    todo = [(one, other)]
    while todo:
        one, other = todo.pop()
        if one is other:
            continue
        if type(one) is not type(other):
            return False
        match one:
            case t.Tree():
                todo += [(getattr(one, name), getattr(other, name)) for name in type(one).__match_args__]
            case tuple():
                assert isinstance(other, tuple)
                if len(one) != len(other):
                    return False
                todo += zip(one, other, strict=True)
            case Span():
                pass
            case _:
                if repr(one) != repr(other):  # 0.0 is not -0.0
                    return False
    return True
