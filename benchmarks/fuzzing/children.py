"""Runs programs in child processes with limited memory. The parent finds and keeps a program that kills its child."""

import ctypes
import gc
import hashlib
import json
import mmap
import os
import resource
import select
import signal
import struct
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

SLOW = 1.0  # seconds of processor time that a program may take
MEMORY = 512 << 20  # bytes that a child may grow
HUNG = 20.0  # seconds of processor time after which a child is killed
_BATCH = 20_000  # programs per child
_ROOM = 1 << 20
_HEAD = struct.Struct("<qd")  # the length of the current text, and the child's processor time when it began


@dataclass
class Found:
    """A text that the front end failed on."""

    what: str
    text: str
    detail: str = ""


@dataclass
class Tally:
    """The outcome of programs, over all children."""

    programs: int = 0
    distinct: int = 0
    characters: int = 0
    slowest: float = 0.0
    memory: int = 0  # KiB, the maximum growth of a child
    largest: str = ""  # the program with that growth
    kinds: Counter = field(default_factory=Counter)
    found: list[Found] = field(default_factory=list)

    def add(self, one: dict) -> None:
        self.programs += one["programs"]
        self.characters += one["characters"]
        self.slowest = max(self.slowest, one["slowest"])
        if one["memory"] > self.memory:
            self.memory, self.largest = one["memory"], one["largest"]
        self.kinds.update(one["kinds"])


class Seen:
    """Counts distinct texts by a bit table of their hashes. It never counts a text twice, and rarely misses one."""

    def __init__(self, bits: int = 32):
        self._table = mmap.mmap(-1, 1 << (bits - 3))
        self._mask = (1 << bits) - 1

    def is_new(self, text: str) -> bool:
        key = int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        byte, bit = divmod(key & self._mask, 8)
        if self._table[byte] >> bit & 1:
            return False
        self._table[byte] |= 1 << bit
        return True


class Children:
    """`run(start, stop)` judges the programs with those numbers, and adds to the tally."""

    def __init__(self, program: Callable[[int], str], judge: Callable[[str], str], keep: Path | None = None):
        self.program, self.judge, self.keep = program, judge, keep
        self.tally = Tally()
        self._seen = Seen()
        self._slot = mmap.mmap(-1, _HEAD.size + _ROOM)
        self._count = mmap.mmap(-1, 16)  # number of programs done in this batch, and distinct ones overall
        ctypes.CDLL(None).mallopt(-8, 1)  # one arena: a thread's own would take 64 MiB of the child's address space

    def run(self, start: int, stop: int, progress: Callable[[Tally], None] = lambda tally: None) -> Tally:
        gc.disable()
        try:
            while start < stop:
                gc.collect()
                gc.freeze()  # child processes need not scan this
                start = self._batch(start, min(stop, start + _BATCH))
                progress(self.tally)
        finally:
            gc.unfreeze()
            gc.enable()
        return self.tally

    def _batch(self, start: int, end: int) -> int:
        """Judge programs in one child until it ends. Returns the number to continue from."""
        self._count[:8] = struct.pack("<q", start)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.close(reader)
                self._child(start, end, writer)
                code = 0
            finally:
                os._exit(code)
        os.close(writer)
        said, hung = self._heard(child, reader)
        _, status = os.waitpid(child, 0)
        done, self.tally.distinct = struct.unpack("<qq", self._count[:])
        self.tally.found += [Found(**one["found"]) for one in said if "found" in one]
        if said and "programs" in said[-1]:
            self.tally.add(said[-1])
        else:
            length, _ = _HEAD.unpack(self._slot[: _HEAD.size])
            text = self._slot[_HEAD.size : _HEAD.size + length].decode("utf-8", "surrogatepass")
            signalled = f"crash: signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else "lost child"
            self.tally.programs += done - start + 1
            self.tally.found.append(Found("hang" if hung else signalled, text))
            end = done + 1
        self._keep()
        return end

    def _heard(self, child: int, reader: int) -> tuple[list[dict], bool]:
        """The output of a child until it ends, and whether it had to be killed."""
        data, hung = b"", False
        while True:
            if select.select([reader], [], [], 1.0)[0]:
                more = os.read(reader, 1 << 16)
                data += more
                if not more:
                    break
            _, began = _HEAD.unpack(self._slot[: _HEAD.size])
            if began and not hung and processor_time(child) - began > HUNG:
                os.kill(child, signal.SIGKILL)
                hung = True
        os.close(reader)
        return [json.loads(line) for line in data.decode().splitlines()], hung

    def _child(self, start: int, end: int, writer: int) -> None:
        def say(what: dict) -> None:
            os.write(writer, json.dumps(what).encode() + b"\n")

        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, size + MEMORY))
        held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        memory, largest = 0, ""
        kinds: Counter = Counter()
        slowest, characters = 0.0, 0
        distinct = struct.unpack("<q", self._count[8:])[0]
        for number in range(start, end):
            text = self.program(number)
            characters += len(text)
            distinct += self._seen.is_new(text)
            data = text.encode("utf-8", "surrogatepass")[:_ROOM]
            began = time.process_time()
            self._slot[: _HEAD.size + len(data)] = _HEAD.pack(len(data), began) + data
            self._count[:] = struct.pack("<qq", number, distinct)
            try:
                kinds[self.judge(text)] += 1
            except BaseException as error:
                what = f"{type(error).__name__} at {_place(error)}"
                say({"found": {"what": what, "text": text, "detail": traceback.format_exc()[-3000:]}})
            took = time.process_time() - began
            slowest = max(slowest, took)
            now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            if now - held > memory:
                memory, largest = now - held, text
            held = now
            if took > SLOW:
                say({"found": {"what": "slow", "text": text, "detail": f"{took:.2f} s"}})
            if number % 500 == 0:
                gc.collect()
        say({"programs": end - start, "characters": characters, "slowest": slowest, "memory": memory,
             "largest": largest, "kinds": kinds})  # fmt: skip

    def _keep(self) -> None:
        """Write the findings: each kind of failure once, with its count."""
        if self.keep is None:
            return
        self.keep.mkdir(parents=True, exist_ok=True)
        (self.keep / "largest.tfg").write_bytes(self.tally.largest.encode("utf-8", "surrogatepass"))
        shortest: dict[str, Found] = {}
        for one in self.tally.found:
            if one.what not in shortest or len(one.text) < len(shortest[one.what].text):
                shortest[one.what] = one
        for one in shortest.values():
            name = hashlib.sha256(one.what.encode()).hexdigest()[:12]
            often = sum(other.what == one.what for other in self.tally.found)
            data = one.text.encode("utf-8", "surrogatepass")
            (self.keep / f"{name}.tfg").write_bytes(data)
            (self.keep / f"{name}.txt").write_text(f"{one.what}\n{often} times\n{one.detail}\n", encoding="utf-8")


def _place(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{Path(last[0].filename).name}:{last[0].lineno}" if last else "?"


def processor_time(process: int) -> float:
    """The processor seconds of a process, as its own `time.process_time` counts them."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
