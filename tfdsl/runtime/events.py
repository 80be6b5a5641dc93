"""Event files for TensorBoard: the graph at once, summaries at their steps."""

import os
import threading
from time import time as clock

from ..diagnostics import WRITE_FAILED
from ..lowering.failures import failure
from ..lowering.graph import BuiltGraph
from ..lowering.tf import tf, v1
from ..program import Origin

_attempts = iter(range(1, 1 << 62))
_lock = threading.Lock()


class EventLog:
    """One event file, from a step on. Each has a name of its own, also where two runs start in the same second."""

    def __init__(self, folder: str, built: BuiltGraph, origin: Origin, step: int = 0):
        self.folder, self._origin = folder, origin
        with _lock:
            suffix = f".{os.getpid()}.{next(_attempts)}"
        try:
            os.makedirs(folder, exist_ok=True)
            with built.graph.as_default():
                self._writer = v1.summary.FileWriter(folder, built.graph, filename_suffix=suffix)
            # TensorBoard drops what an earlier, interrupted run wrote from this step on.
            self._writer.add_session_log(v1.SessionLog(status=v1.SessionLog.START), step)
            self.flush()
        except (OSError, tf.errors.OpError) as error:
            raise failure(WRITE_FAILED, origin, path=folder, reason=_reason(error)) from error

    def add(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write one summary, of a time in seconds since 1970 if not of now."""
        self._writer.add_event(v1.Event(wall_time=clock() if time is None else time, step=step, summary=summary))

    def flush(self) -> None:
        try:
            self._writer.flush()
        except (OSError, tf.errors.OpError) as error:
            raise failure(WRITE_FAILED, self._origin, path=self.folder, reason=_reason(error)) from error

    def close(self) -> None:
        self.flush()
        self._writer.close()


def _reason(error: BaseException) -> str:
    return getattr(error, "strerror", None) or str(error).splitlines()[0]
