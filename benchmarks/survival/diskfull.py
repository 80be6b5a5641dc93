"""Disks that are full after each 4 KiB of a save, and other faults of folders.

On a small disk (a file system in memory, or ext4; both need root), or without root with a limit on the size of files,
the free space is 0, 4, 8 ... KiB, so that a checkpoint, a `save to` or a log cannot be written, until it can.
Conditions: there is an error with its code, the folder and the reason, and no traceback. The state before is intact,
and once there is space, the next run resumes from it and ends with the same bits.
"""

import argparse
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from . import forks
from .common import Report, Skipped, made, main, names_in, states_in, work_folder
from .events import slow
from .powercuts import can_mount, mounted, new_image

_TRAINING = """
seed 3
variable w = random_normal([60, 40])
variable b = 0.5
loss = reduce_mean(square(w - b))
optimize loss with momentum(0.9, learning_rate=0.1) as training_op
summary scalar loss as "MSE"
summary histogram w as "weights"
session:
    {log}
    train 14 steps:
        print "step", step, b
        checkpoint every 3 steps in "kept"
        {each}
        run training_op
    print "saving"
    save to "final.ckpt"
    print "saved"
"""
_STEP = 4096
_NOBODY = 65534


@dataclass(frozen=True)
class Kind:
    """What the run is writing when the disk fills up: from which printed line on, and the path that the error names."""

    name: str
    line: str
    path: str
    resumed: int  # the step that the next run resumes from, or a later one
    log: bool = False


KINDS = (
    Kind("checkpoint", "step 9 ", "kept", 6),
    Kind("save to", "saving", "final.ckpt", 12),
    Kind("log", "step 8 ", "logs", 6, log=True),
)


DISKS = ("limit", "tmpfs", "ext4")


@dataclass
class Disk:
    """Where a program runs: `fill` leaves some bytes for the files of the process, `free` undoes this."""

    name: str
    folder: Path
    reason: str
    fill: Callable[[int], None]
    free: Callable[[], None]


@contextmanager
def small(kind: str, work: Path) -> Iterator[Disk]:
    """A disk of a few MiB."""
    place = work / f"{kind}-mounted"
    with ExitStack() as stack:
        if kind == "ext4":
            stack.enter_context(mounted(new_image(work / "image"), place))
        else:
            place.mkdir(exist_ok=True)
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(place)], capture_output=True)
            if done.returncode:
                raise Skipped(f"a disk in memory is refused: {done.stderr.decode().strip()}")
            stack.callback(subprocess.run, ["umount", "-l", str(place)], check=True)
        filler = place / "filler"

        def fill(room: int) -> None:
            with filler.open("wb", buffering=0) as file:
                for size in (1 << 16, 1 << 10, 1 << 10):
                    with suppress(OSError):
                        while file.write(bytes(size)) == size:
                            pass
                    os.fsync(file.fileno())  # the space reserved by ext4 is free again
                os.ftruncate(file.fileno(), max(0, file.tell() - room))
                os.fsync(file.fileno())

        yield Disk(kind, place, "no space left on device", fill, lambda: filler.unlink(missing_ok=True))


def limited(work: Path) -> Disk:
    """A disk on which the size of files is limited."""

    def fill(room: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    def free() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

    place = work / "limited"
    place.mkdir(exist_ok=True)
    return Disk("limit", place, "file too large", fill, free)


@dataclass
class Undisturbed:
    """A program, with what it does where nothing disturbs it, in a folder of its own."""

    compiled: object
    folder: Path
    wanted: forks.Outcome


def undisturbed(work: Path, log: bool) -> Undisturbed:
    path, folder = work / f"program-{log}.tfg", made(work / f"undisturbed-{log}")
    path.write_text(_program(log))
    compiled = forks.program(path)
    wanted = forks.run(folder, forks.training(compiled, "step"))
    if not wanted.is_done:
        raise RuntimeError(wanted.error)
    return Undisturbed(compiled, folder, wanted)


def full(disk: Disk, kind: Kind, work: Path, of: Undisturbed, report: Report, step: int) -> None:
    """Increase the free space until a save succeeds."""
    compiled, wanted = of.compiled, of.wanted
    for room in range(0, 1 << 20, step):
        folder, reports = made(disk.folder / "run"), made(work / "reports")

        def line(text: str, room: int = room) -> None:
            if text.startswith(kind.line):
                disk.fill(room)

        hooks = {"line": line, "failed": disk.free}
        outcome = forks.run(folder, forks.training(compiled, "step", hooks=hooks), reports=reports)
        disk.free()
        if outcome.is_done or _line_after(outcome, kind):
            report.figures[f"KiB that a {kind.name} needs ({disk.name})"] = room // 1024
            return
        report.count("times full")
        label = f"{kind.name} on {disk.name} with {room} bytes"
        first = outcome.error.partition("\n")[0].lower()
        if outcome.code != 1 or "tfg707" not in first or kind.path not in first or disk.reason not in first:
            report.fault(f"{label}: it ends with {outcome.code}, {outcome.error}")
        if not states_in(folder / "kept"):
            report.fault(f"{label}: no state is left")
            continue
        left = [name for name in names_in(folder) + names_in(folder / "kept") if name.startswith((".new", ".final"))]
        if left:
            report.fault(f"{label}: {left} are left")
        newest = int(states_in(folder / "kept")[-1].rpartition("-")[2])
        again = forks.run(folder, forks.training(compiled, "step"), reports=reports)
        if not again.is_done or again.hash != wanted.hash or not kind.resumed <= again.resumed == newest:
            report.fault(f"{label}: the next run resumes from {again.resumed}, {again.error}")
        elif again.lines != wanted.lines[-len(again.lines) :]:
            report.fault(f"{label}: the next run prints {again.lines}")
        elif kind.log and slow(folder / "logs") != slow(of.folder / "logs"):
            report.fault(f"{label}: the log differs")
        else:
            report.count("resumed")
    report.fault(f"{kind.name} on {disk.name}: it never succeeds")


def _line_after(outcome, kind: Kind) -> bool:
    """Whether what should fail did not fail: another save followed it."""
    first = outcome.error.partition("\n")[0]
    return "TFG707" in first and any(f" {other.path}:" in first for other in KINDS if other != kind)


def _program(log: bool) -> str:
    text = _TRAINING.format(log='log to "logs"' if log else "", each="log" if log else "")
    return "\n".join(line for line in text.splitlines() if line.strip())


def faults(work: Path, of: Undisturbed, report: Report) -> None:
    """Folders that vanish while a program runs, or that cannot be written to."""
    compiled, wanted = of.compiled, of.wanted

    def run(hooks: dict, folder: Path | None = None):
        folder = folder or made(work / "faulty")
        return forks.run(folder, forks.training(compiled, "step", hooks=hooks), reports=made(work / "reports"))

    def check(name: str, is_right: bool, outcome) -> None:
        report.count("faults of folders")
        if not is_right:
            report.fault(f"{name}: it ends with {outcome}")

    def vanishing(*folders: str) -> dict:
        def line(text: str) -> None:
            if text.startswith("step 8 "):
                for folder in folders:
                    shutil.rmtree(folder)

        return {"line": line}

    for folders, codes in ((["kept"], ["TFG911"]), (["logs"], ["TFG912"]), (["kept", "logs"], ["TFG911", "TFG912"])):
        outcome = run(vanishing(*folders))
        told = sorted(code for note in outcome.notes for code in ("TFG911", "TFG912") if code in note)
        check(f"{folders} vanished", outcome.hash == wanted.hash and told == codes, outcome)

    folder = made(work / "faulty")
    (folder / "kept").mkdir()
    os.chmod(work, 0o755)
    for name in ("faulty", "faulty/kept"):
        os.chmod(work / name, 0o555)

    def user() -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)

    outcome = run({"before": user}, folder)
    is_named = "TFG707" in outcome.error and "permission denied" in outcome.error and "kept" in outcome.error
    check("not writable", outcome.code == 1 and is_named, outcome)
    for name in ("faulty/kept", "faulty"):
        os.chmod(work / name, 0o755)


def read_only(work: Path, of: Undisturbed, report: Report) -> None:
    """A disk that is read-only when a training should resume, and writable afterwards."""
    compiled, wanted = of.compiled, of.wanted
    with mounted(new_image(work / "image"), work / "mounted") as disk:
        folder, reports, lines = made(disk / "run"), made(work / "reports"), []
        stopping = forks.training(
            compiled, "step", hooks={"line": lines.append}, interrupted=lambda: lines[-1:] == [wanted.lines[8]]
        )
        forks.run(folder, stopping, reports=reports)
        for how, is_right in (
            ("ro", lambda o: o.code == 1 and "TFG707" in o.error and "read-only file system" in o.error),
            ("rw", lambda o: o.hash == wanted.hash and o.resumed == 9),
        ):
            subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True, capture_output=True)
            outcome = forks.run(folder, forks.training(compiled, "step"), reports=reports)
            report.count("faults of folders")
            if not is_right(outcome):
                report.fault(f"on a disk that is {how}, it ends with {outcome}")


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        by_log = {log: undisturbed(work, log) for log in (False, True)}
        faults(work, by_log[True], report)
        for kind in KINDS if "limit" in arguments.disks else ():
            full(limited(work), kind, work, by_log[kind.log], report, arguments.count)
        try:
            can_mount(work)
        except Skipped as reason:
            report.figures["without separate disks"] = str(reason)
            return
        read_only(work, by_log[False], report)
        for disk_kind in arguments.disks:
            if disk_kind == "limit":
                continue
            with small(disk_kind, work) as disk:
                for kind in KINDS:
                    full(disk, kind, work, by_log[kind.log], report, arguments.count)


if __name__ == "__main__":
    main("diskfull", _STEP, measure, lambda parser: parser.add_argument(
        "--disks", nargs="+", choices=DISKS, default=DISKS, help="the disks to fill (all of %(choices)s)"))  # fmt: skip
