"""Event files for TensorBoard: the graph at once, summaries at their steps."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import time as clock

from ..diagnostics import WRITE_FAILED
from ..lowering.failures import failure
from ..lowering.graph import BuiltGraph
from ..lowering.tf import EventsWriter, tf, v1
from ..program import Origin

_attempts = iter(range(1, 1 << 62))
_lock = threading.Lock()


_FLUSHED = 1.0  # seconds after which what was written is given to the system


class EventLog:
    """One event file, from a step on. Each has a name of its own, also where two runs start in the same second.

    TensorFlow's `FileWriter` hands each event to a thread, ten at most at a time, which takes longer than writing it.
    """

    def __init__(self, folder: str, built: BuiltGraph, origin: Origin, step: int = 0):
        self.folder, self._origin, self._flushed = folder, origin, clock()
        with _lock:
            suffix = f".{os.getpid()}.{next(_attempts)}"
        with self._reported():
            os.makedirs(folder, exist_ok=True)
            self._writer = EventsWriter(os.path.join(folder, "events").encode())
            self._writer.InitWithSuffix(suffix.encode())
            graph = built.graph.as_graph_def(add_shapes=True)
            meta = v1.train.export_meta_graph(graph=built.graph, graph_def=graph, clear_devices=False)
            self._write(graph_def=graph.SerializeToString())
            self._write(meta_graph_def=meta.SerializeToString())
            # TensorBoard drops what an earlier, interrupted run wrote from this step on.
            self._write(step=step, session_log=v1.SessionLog(status=v1.SessionLog.START))
            self._writer.Flush()

    def add(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write one summary, of a time in seconds since 1970 if not of now."""
        now = clock()
        with self._reported():
            self._write(now if time is None else time, step=step, summary=summary)
            if now - self._flushed > _FLUSHED:
                self._flushed = now
                self._writer.Flush()

    def flush(self) -> None:
        with self._reported():
            self._writer.Flush()

    def close(self) -> None:
        with self._reported():
            self._writer.Close()

    def _write(self, time: float | None = None, **event: object) -> None:
        self._writer.WriteEvent(v1.Event(wall_time=clock() if time is None else time, **event))

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except (OSError, RuntimeError, tf.errors.OpError) as error:
            raise failure(WRITE_FAILED, self._origin, path=self.folder, reason=_reason(error)) from error


def _reason(error: BaseException) -> str:
    """What the system says, which TensorFlow puts behind the path."""
    return getattr(error, "strerror", None) or str(error).splitlines()[0].rpartition("; ")[2]
