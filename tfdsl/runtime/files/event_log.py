"""Event files for TensorBoard: first the graph, then summaries with their steps.

A resumed run first truncates its event files to their lengths at the checkpoint (`rewind`), and continues in a new
file. So each point occurs once.
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
from ...lowering.built import BuiltGraph
from ...lowering.failures import failure, reason_of
from ...lowering.tf import DecodeError, EventsWriter, tf, v1
from ...program import Origin
from .durable_io import sync

_FLUSHED = 1.0  # seconds until buffered records are written
_MOST_BEFORE_START = 4  # records: the version of the file, the graph, its description, the start
_OURS = re.compile(r"events\.out\.tfevents\.\d+\..*\.\d{4,}\.([0-9a-f]{8})\Z")


@dataclass(slots=True)
class LogFile:
    """An event file of a run: its length and largest step at the last `keep`, and the number of the session that wrote
    it."""

    folder: str
    name: str
    session: int
    size: int = 0
    last: int = -1


class EventLog:
    """One event file, from a step on. Its name is unique, even if two runs start in the same second.

    `run` is the id of the run in the name, and `first` a summary that each file begins with. TensorFlow's `FileWriter`
    passes each event to a thread, in batches of at most ten, which takes longer than writing it directly.
    """

    def __init__(
        self, folder: str, access: Access, built: BuiltGraph, origin: Origin, run: str, session: int, step: int = 0,
        note: Callable[[str], None] = lambda line: None, first: v1.Summary | None = None,
    ):  # fmt: skip
        self.folder, self._access, self._built, self._origin, self._run, self._note = (
            folder, access, built, origin, run, note,
        )  # fmt: skip
        self._first = first
        self._flushed = clock()
        self.file = LogFile(folder, self._begin(step), session)

    def _begin(self, step: int) -> str:
        """Begin a file. Returns its name."""
        with self._reported():
            self._held = self._access.folder(self.folder, create=True)
            number = 1 + sum(".tfevents." in name for name in self._held.names())
            # Nobody can guess the name and plant a link there.
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
            if self._first is not None:
                self._write(step=step, summary=self._first)
            self._writer.Flush()
            return name

    def add(self, summary: v1.Summary, step: int, time: float | None = None) -> None:
        """Write one summary, with a time in seconds since 1970, by default now."""
        now = clock()
        if step > self.file.last:
            self.file.last = step
        with self._reported():
            self._write(now if time is None else time, step=step, summary=summary)
            if now - self._flushed > _FLUSHED:
                self._flushed = now
                self.flush()

    def flush(self) -> None:
        """Write buffered records. TensorFlow does not notice if its file has vanished."""
        with self._reported():
            self._writer.Flush()
            if not self._is_there():
                self._note(render_text(Diagnostic(LOG_GONE, self._origin.span, {"path": self.folder})).rstrip())
                self._end()
                self.file.name = self._begin(self.file.last + 1)

    def keep(self) -> None:
        """Flush the file to disk, and record its length."""
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
        """Whether the file and its folder still have their names."""
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
        except (OSError, RuntimeError, IndexError, ValueError, tf.errors.OpError) as error:  # like its writer
            raise failure(WRITE_FAILED, self._origin, path=self.folder, reason=reason_of(error)) from error


def rewind(files: list[LogFile], run: str, access: Access) -> list[str]:
    """Truncate event files to their recorded lengths. Returns the folders where that fails, for example because a file
    is missing.

    Later files of the same run, whose points will be written again, are removed.
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
    """Whether a run wrote an event file. Anybody can choose its name, so its seal is checked."""
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
    """The mark of an event file that a run wrote, given its name."""
    return f"tfdsl 1 sha256 {hashlib.sha256(name.encode()).hexdigest()}"


def _cut(folder: Folder, name: str, size: int) -> bool:
    """Truncate a file to its recorded length. Returns False if it is shorter."""
    with folder.reading(name):  # a regular file without other names
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
    """The tag, step and value of every scalar in event files, as far as they exist."""
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
    """The records of a file. Each is between its length and its checksum."""
    size = os.fstat(file.fileno()).st_size
    while len(head := file.read(12)) == 12:
        (length,) = struct.unpack("<Q4x", head)
        if length > size:
            return
        record = file.read(length)
        if len(file.read(4)) == 4:
            yield record
