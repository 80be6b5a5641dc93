"""Event files for TensorBoard: the graph at once, summaries at their steps.

A run that goes on from a checkpoint first takes its event files back to where they were then (`rewind`), and writes on
in a new one: so each point is there once.
"""

import hashlib
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import islice
from time import time as clock
from typing import BinaryIO

from ...access import Access, AccessRefused, Folder
from ...diagnostics import LOG_GONE, WRITE_FAILED, Diagnostic
from ...diagnostics.render import render_text
from ...lowering.failures import failure, reason_of
from ...lowering.graph import BuiltGraph
from ...lowering.tf import DecodeError, EventsWriter, tf, v1
from ...program import Origin
from .durable_io import sync

_FLUSHED = 1.0  # seconds after which what was written is given to the system
_MOST_BEFORE_START = 4  # records: the version of the file, the graph, its description, the start
_OURS = re.compile(r"events\.out\.tfevents\.\d+\..*\.\d{4,}\.([0-9a-f]{8})\Z")


@dataclass(slots=True)
class LogFile:
    """An event file of a run: where it ends, and its largest step, as of the last `keep`; `session` is the number of
    the session that wrote it."""

    folder: str
    name: str
    session: int
    size: int = 0
    last: int = -1


class EventLog:
    """One event file, from a step on. Each has a name of its own, also where two runs start in the same second.

    `run` is the run's mark, in the file's name. TensorFlow's `FileWriter` hands each event to a thread, ten at most at
    a time, which takes longer than writing it.
    """

    def __init__(
        self, folder: str, access: Access, built: BuiltGraph, origin: Origin, run: str, session: int, step: int = 0,
        note: Callable[[str], None] = lambda line: None,
    ):  # fmt: skip
        self.folder, self._access, self._built, self._origin, self._run, self._note = (
            folder, access, built, origin, run, note,
        )  # fmt: skip
        self._flushed = clock()
        self.file = LogFile(folder, self._begin(step), session)

    def _begin(self, step: int) -> str:
        """Begin a file; its name."""
        with self._reported():
            self._held = self._access.folder(self.folder, create=True)
            number = 1 + sum(".tfevents." in name for name in self._held.names())
            # With links planted in the folder, nobody can guess the name of the file.
            self._writer = EventsWriter(os.path.join(self._held.path, "events"))
            self._writer.InitWithSuffix(f".{number:04}.{self._run}")
            graph = self._built.graph.as_graph_def(add_shapes=True)
            with self._built.graph.as_default():
                meta = v1.train.export_meta_graph(graph_def=graph, clear_devices=False)
            self._write(graph_def=graph.SerializeToString())
            self._write(meta_graph_def=meta.SerializeToString())
            # TensorBoard drops what an earlier, interrupted run wrote from this step on.
            name = os.path.basename(self._writer.FileName())
            start = v1.SessionLog(status=v1.SessionLog.START, msg=_seal(name))
            self._write(step=step, session_log=start)
            self._writer.Flush()
            return name

    def add(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write one summary, of a time in seconds since 1970 if not of now."""
        now = clock()
        if step > self.file.last:
            self.file.last = step
        with self._reported():
            self._write(now if time is None else time, step=step, summary=summary)
            if now - self._flushed > _FLUSHED:
                self._flushed = now
                self.flush()

    def flush(self) -> None:
        """Give what was written to the system. TensorFlow does not notice when its file has vanished."""
        with self._reported():
            self._writer.Flush()
            if not self._is_there():
                self._note(render_text(Diagnostic(LOG_GONE, self._origin.span, {"path": self.folder})).rstrip())
                self._end()
                self.file.name = self._begin(self.file.last + 1)

    def keep(self) -> None:
        """Have the disk keep what was written, and note where it ends."""
        self.flush()
        with self._reported():
            sync(self._held, self.file.name)
            self.file.size = self._held.size(self.file.name)

    def close(self) -> None:
        with self._reported():
            self.flush()
            self.file.size = self._held.size(self.file.name)
            self._end()

    def _end(self) -> None:
        self._writer.Close()
        self._held.close()

    def _is_there(self) -> bool:
        """Whether the file still has its name, in a folder that has its own."""
        with suppress(OSError), self._access.folder(self.folder) as folder:
            return os.path.samestat(os.fstat(folder.fd), os.fstat(self._held.fd)) and folder.has(self.file.name)
        return False

    def _write(self, time: float | None = None, **event: object) -> None:
        self._writer.WriteEvent(v1.Event(wall_time=clock() if time is None else time, **event))

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except AccessRefused as error:
            raise failure(error.message, self._origin, **error.details) from None
        except (OSError, RuntimeError, IndexError, ValueError, tf.errors.OpError) as error:  # as its writer has it
            raise failure(WRITE_FAILED, self._origin, path=self.folder, reason=reason_of(error)) from error


def rewind(files: list[LogFile], run: str, access: Access) -> list[str]:
    """Take event files back to where they were kept; the folders in which that cannot be, as something is missing.

    What a run of the same mark wrote after that, whose points will be written again, is removed.
    """
    missing = []
    for path in dict.fromkeys(file.folder for file in files):
        mine = {file.name: file.size for file in files if file.folder == path}
        try:
            with access.folder(path) as folder:
                found = [name for name in folder.names() if _is_of(folder, name, run)]
                for name in set(found).difference(mine):
                    folder.remove(name)
                if not all(name in found and _cut(folder, name, size) for name, size in mine.items()):
                    missing.append(path)
        except (OSError, AccessRefused):
            missing.append(path)
    return missing


def _is_of(folder: Folder, name: str, run: str) -> bool:
    """Whether a file is an event file that a run wrote: its name may be anybody's, so its seal is looked at."""
    mark = _OURS.match(name)
    if mark is None or mark[1] != run:
        return False
    with folder.reading(name) as file:
        return any(_is_start(record, name) for record in islice(_records(file), _MOST_BEFORE_START))


def _is_start(record: bytes, name: str) -> bool:
    try:
        return v1.Event.FromString(record).session_log.msg == _seal(name)
    except DecodeError:
        return False


def _seal(name: str) -> str:
    """What tells an event file of this name that a run wrote from others'."""
    return f"tfdsl 1 sha256 {hashlib.sha256(name.encode()).hexdigest()}"


def _cut(folder: Folder, name: str, size: int) -> bool:
    """Cut off what was written to a file after it was kept; False if what was kept is not there."""
    with folder.reading(name):  # a regular file, with no other name
        handle = os.open(name, os.O_RDWR | os.O_NOFOLLOW, dir_fd=folder.fd)
    try:
        found = os.fstat(handle).st_size
        if found > size:
            os.ftruncate(handle, size)
            os.fsync(handle)
        return found >= size
    finally:
        os.close(handle)


def scalars(files: list[LogFile], access: Access) -> Iterator[tuple[str, int, float]]:
    """The tag, step and value of every scalar in event files, as far as these are there."""
    for file in files:
        with (
            suppress(OSError, AccessRefused),
            access.folder(file.folder) as folder,
            folder.reading(file.name) as content,
        ):
            for record in _records(content):
                event = v1.Event.FromString(record)
                for value in event.summary.value:
                    if value.WhichOneof("value") == "simple_value":
                        yield value.tag, event.step, value.simple_value


def _records(file: BinaryIO) -> Iterator[bytes]:
    """The records of a file, each between its length and its checksum, which have one each."""
    size = os.fstat(file.fileno()).st_size
    while len(head := file.read(12)) == 12:
        (length,) = struct.unpack("<Q4x", head)
        if length > size:
            return
        record = file.read(length)
        if len(file.read(4)) == 4:
            yield record
