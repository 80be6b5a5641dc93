"""What data sets had learned when a model was trained, for the compilation of a program that uses the model."""

import os
from collections.abc import Mapping
from contextlib import closing, suppress

from ...access import TRUSTED, AccessRefused
from ...data.learned import Fitted
from ...data.saved import SUFFIX, decoded, read
from ...data.schema import DataError
from ...data.sources.base import Where
from ..files.lock import FolderInUse
from .store import CheckpointStore


def learned_at(path: str) -> Mapping[str, Fitted]:
    """What is saved beside the variables of a checkpoint: that of a `save`, or the newest in the folder of a training.
    Empty if there is nothing, and if it cannot be read, which the command reports when it restores the variables."""
    with suppress(DataError, OSError, AccessRefused, FolderInUse):
        if not os.path.isdir(path) or os.path.exists(f"{path}.index"):
            return read(path, Where(".", TRUSTED))
        with closing(CheckpointStore(path, TRUSTED)) as store:
            entry, _ = store.newest()
            if entry is not None:
                with store.reading(entry) as prefix, open(f"{prefix}{SUFFIX}", "rb") as file:
                    return decoded(file, f"{path}{SUFFIX}")
    return {}
