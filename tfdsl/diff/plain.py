"""Differences as plain data, for JSON."""

import math

from .differences import ChangedFact, DiffEntry, DiffReport
from .values import ArrayDifference


def report_json(report: DiffReport) -> dict[str, object]:
    """A report as a dict of plain values."""
    return {
        "left": report.left.title, "right": report.right.title, "alike": not report.entries,
        "differences": list(map(_entry, report.entries)), "notes": list(report.notes),
    }  # fmt: skip


def _entry(one: DiffEntry) -> dict[str, object]:
    return {
        "change": one.how, "kind": one.kind, "before": one.before or None, "after": one.after or None,
        "line_before": one.lines[0], "line_after": one.lines[1], "renamed": one.is_renamed,
        "moved": one.is_moved, "follows": one.follows, "inside": one.inside,
        "facts": list(map(_fact, one.facts)),
    }  # fmt: skip


def _fact(one: ChangedFact) -> dict[str, object]:
    found: dict[str, object] = {"name": one.name or "what", "before": one.before, "after": one.after}
    return found if one.array is None else {**found, **_array(one.array)}


def _array(one: ArrayDifference) -> dict[str, object]:
    largest = one.largest if one.largest is None or math.isfinite(one.largest) else None
    return {"differing": one.differing, "of": one.of, "largest": largest, "at": list(one.at)}
