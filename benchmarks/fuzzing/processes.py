"""Judges numbered calls in forks of a process that has imported TensorFlow but not run anything.

TensorFlow ends the process on some calls and never returns from others. A fork records its current call in shared
memory, and the next fork continues after it.
"""

import json
import mmap
import os
import select
import signal
import struct
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from .calls import Call
from .children import processor_time
from .judged import FINE, Outcome, Verdict, by_hand, by_us, judge

PATIENCE = 20.0  # processor seconds that a call may take
_LONGEST = 1800.0  # seconds, for a call that waits for something
_BATCH = 200  # calls per fork
_HAND, _OURS = 1, 2


@dataclass
class Campaign:
    """Verdicts of calls by number. `found` has the faults, with their texts."""

    call: Callable[[int], Call]
    counts: Counter = field(default_factory=Counter)
    found: list[dict] = field(default_factory=list)

    def run(self, start: int, stop: int, progress: Callable[[int], None] = lambda number: None) -> None:
        self._place = mmap.mmap(-1, 16)
        dead: dict[int, int] = {}  # numbers at which TensorFlow by hand ended a fork
        while start < stop:
            end = min(stop, start + _BATCH)
            self._place[:] = struct.pack("<qq", start, 0)
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    os.close(reader)
                    self._child(start, end, writer, dead)
                    code = 0
                finally:
                    os._exit(code)
            os.close(writer)
            hung = self._listen(child, reader)
            _, status = os.waitpid(child, 0)
            if status == 0:
                start = end
                progress(start)
                continue
            number, phase = struct.unpack("<qq", self._place[:])
            start = number
            if phase == _HAND and number not in dead:
                dead[number] = 1
                continue
            call = self.call(number)
            kind = "hang" if hung else "abort"
            self._add(number, call, Verdict(kind, "" if call.is_known else "unknown sizes"))
            start = number + 1

    def _listen(self, child: int, reader: int) -> bool:
        """Record the output of a fork until it ends. Returns whether it had to be killed."""
        data, hung, last, since, worked = b"", False, None, time.monotonic(), 0.0
        while True:
            if select.select([reader], [], [], 0.5)[0]:
                more = os.read(reader, 1 << 16)
                data += more
                if not more:
                    break
            now = self._place[:]
            if now != last:
                last, since, worked = now, time.monotonic(), processor_time(child)
            elif not hung and (processor_time(child) - worked > PATIENCE or time.monotonic() - since > _LONGEST):
                os.kill(child, signal.SIGKILL)
                hung = True
        os.close(reader)
        for line in data.decode().splitlines():
            said = json.loads(line)
            self.counts[said["kind"]] += 1
            if said["kind"] not in FINE:
                self.found.append(said)
        return hung

    def _child(self, start: int, end: int, writer: int, dead: dict[int, int]) -> None:
        for number in range(start, end):
            self._place[:] = struct.pack("<qq", number, 0)
            call = self.call(number)
            hand: Outcome | None = None
            if number not in dead:
                self._place[:] = struct.pack("<qq", number, _HAND)
                hand = by_hand(call)
            self._place[:] = struct.pack("<qq", number, _OURS)
            verdict = judge(call, hand, by_us(call))
            os.write(writer, json.dumps(self._record(number, call, verdict)).encode() + b"\n")

    def _record(self, number: int, call: Call, verdict: Verdict) -> dict:
        text = call.text if verdict.kind not in FINE else ""
        return {"number": number, "op": call.op.name, "kind": verdict.kind, "why": verdict.why, "text": text}

    def _add(self, number: int, call: Call, verdict: Verdict) -> None:
        self.counts[verdict.kind] += 1
        self.found.append(self._record(number, call, verdict))
