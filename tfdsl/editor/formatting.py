"""Formats a document: the edits that bring it into canonical form."""

from difflib import SequenceMatcher

from ..runs.folders import is_recorded
from ..syntax.format import format_text
from .text import Edit
from .workspace import Document


def formatted(document: Document) -> list[Edit]:
    """The edits, one for each group of lines that changes: none in the record of a run. Raises `TfgError` if the text
    does not parse."""
    if is_recorded(document.source.path):
        return []
    before = document.source.text
    after = format_text(document.source)
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    starts = [0]
    for line in old:
        starts.append(starts[-1] + len(line))
    return [
        Edit(starts[first], starts[last], "".join(new[begin:end]))
        for _, first, last, begin, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
        if old[first:last] != new[begin:end]
    ]
