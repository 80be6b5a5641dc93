"""Removes records. Only the files in their manifests are removed, so whatever else is in their folders stays."""

import os
from collections.abc import Iterable, Iterator

from ..access import TRUSTED
from ..runtime.files.durable_io import remove_folder
from .form import LEFT, MANIFEST
from .reading import RunRecord


def outdated(found: list[RunRecord], keep: int | None, younger: float | None, now: float) -> list[RunRecord]:
    """The records to remove: those that are not among the newest `keep`, and whose runs began at least `younger`
    seconds ago. Runs that last and damaged records stay."""
    sound = [one for one in found if not one.fault]
    newest = sound[max(len(sound) - keep, 0) :] if keep else []
    after = now - younger if younger is not None else float("inf")
    return [
        one for one in sound if one not in newest and one.begin["started"] < after and one.status != "running"
    ]  # fmt: skip


def left(found: Iterable[RunRecord]) -> Iterator[str]:
    """What kills have left beside records: folders of records that were not complete."""
    for folder in dict.fromkeys(os.path.dirname(one.path) or "." for one in found):
        with os.scandir(folder) as inside:
            yield from sorted(one.path for one in inside if LEFT.match(one.name) and one.is_dir(follow_symlinks=False))


def remove(path: str) -> bool:
    """Remove a record. Returns whether it is gone."""
    folder, name = TRUSTED.beside(path)
    with folder:
        remove_folder(folder, name, MANIFEST)
        return not folder.has(name)
