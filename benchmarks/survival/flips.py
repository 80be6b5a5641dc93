"""Damages files of checkpoints: flips single bits, zeroes parts or all, truncates, extends, swaps between checkpoints,
removes.

Conditions: no damaged file is taken as complete, and none for a fresh start. If there is an earlier checkpoint, it is
used, and the damaged file is named. Otherwise there is an error and nothing is touched. The same holds for a `save to`
and its manifest; if the manifest is removed, TensorFlow's own checksums must detect the damage. Most trials call only
the reading part of the package; a sample of them are whole runs.
"""

import argparse
import random
import shutil
from collections.abc import Callable
from pathlib import Path

from . import forks
from .common import Report, made, main, states_in, work_folder

_PROGRAM = """
seed 3
variable w = random_normal([20, 10])
variable b = 0.5
loss = reduce_mean(square(w - b))
optimize loss with adam(learning_rate=0.1) as training_op
session:
    train 14 steps:
        print "step", step, b
        checkpoint every 3 steps in "kept"
        run training_op
    save to "final.ckpt"
"""
_RESTORE = """
variable w = zeros([20, 10])
variable b = 0.0
session:
    restore w as "w", b as "b" from "final.ckpt" if exists
    print b
"""
_RUNS = 0.01  # the share of trials with whole runs


def flip(content: bytes, draw: random.Random, other: bytes) -> bytes:
    at = draw.randrange(8 * len(content))
    return content[: at // 8] + bytes([content[at // 8] ^ 1 << at % 8]) + content[at // 8 + 1 :]


def zero_part(content: bytes, draw: random.Random, other: bytes) -> bytes:
    first, last = sorted((draw.randrange(len(content)), draw.randrange(len(content))))
    return content[:first] + bytes(last + 1 - first) + content[last + 1 :]


DAMAGES: dict[str, Callable[[bytes, random.Random, bytes], bytes | None]] = {
    "bit flipped": flip,
    "cut off": lambda content, draw, other: content[: draw.randrange(len(content))],
    "emptied": lambda content, draw, other: b"",
    "part zeroed": zero_part,
    "zeroed": lambda content, draw, other: bytes(len(content)),
    "grown": lambda content, draw, other: content + draw.randbytes(draw.randrange(1, 100)),
    "of another state": lambda content, draw, other: other,
    "removed": lambda content, draw, other: None,
}
_WEIGHTS = (10, 4, 1, 4, 1, 1, 1, 1)


def damage(path: Path, kind: str, draw: random.Random, other: bytes) -> Callable[[], None] | None:
    """Damage a file. Returns a function that repairs it, or None if nothing changed."""
    content = path.read_bytes()
    changed = DAMAGES[kind](content, draw, other)
    if changed == content:
        return None
    if changed is None:
        path.unlink()
    else:
        path.write_bytes(changed)
    return lambda: path.write_bytes(content) and None


class Checkpoints:
    """A folder with two checkpoints, the newest of them damaged, and one with only that checkpoint."""

    def __init__(self, work: Path, compiled):
        self.runs = compiled
        self.wanted = forks.run(made(work / "undisturbed"), forks.training(compiled, "step"))
        lines: list[str] = []
        stopping = forks.training(
            compiled, "step", hooks={"line": lines.append}, interrupted=lambda: lines[-1:] == [self.wanted.lines[7]]
        )
        self.both, self.alone = made(work / "both"), work / "alone"
        forks.run(self.both, stopping)
        self.old, self.new = states_in(self.both / "kept")
        shutil.copytree(self.both, self.alone)
        shutil.rmtree(self.alone / "kept" / self.old)
        self.files = sorted(path.name for path in (self.both / "kept" / self.new).iterdir())

    def path(self, has_old: bool, file: str) -> Path:
        return (self.both if has_old else self.alone) / "kept" / self.new / file

    def other(self, file: str) -> bytes:
        return (self.both / "kept" / self.old / file).read_bytes()

    def fault(self, has_old: bool, file: str) -> str:
        """What is wrong with the handling of a damaged file. `file` is "" if any named file is right."""
        from tfdsl.access import TRUSTED
        from tfdsl.runtime.checkpoint.store import CheckpointStore

        states = CheckpointStore(str((self.both if has_old else self.alone) / "kept"), TRUSTED)
        try:
            found, damaged = states.newest()
        finally:
            states.close()
        if [name for name, _ in damaged] != [self.new] or file not in damaged[0][1]:
            return f"{damaged} are reported as damaged"
        if (found.name if found else None) != (self.old if has_old else None):
            return f"{found} is taken"
        return ""

    def fault_of_run(self, has_old: bool, file: str) -> str:
        """The same for a whole run."""
        before = self.both if has_old else self.alone
        folder = before.with_name("run")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(before, folder)
        outcome = forks.run(folder, forks.training(self.runs, "step"))
        if not has_old:
            is_same = states_in(folder / "kept") == [self.new]
            return "" if "TFG711" in outcome.error and file in outcome.error and is_same else f"it ends {outcome}"
        told = "TFG910" in outcome.notes[0] and file in outcome.notes[0] if outcome.notes else False
        is_right = outcome.resumed == int(self.old.rpartition("-")[2]) and outcome.hash == self.wanted.hash
        return "" if told and is_right else f"it ends {outcome}"


class Saves:
    """The `save to` of the undisturbed run, with a damaged file."""

    def __init__(self, work: Path):
        path = work / "restore.tfg"
        path.write_text(_RESTORE)
        self.runs = forks.program(path)
        self.folder = work / "undisturbed"
        self.files = sorted(path.name for path in self.folder.glob("final.ckpt.*"))
        outcome = forks.run(self.folder, forks.training(self.runs, "step"))
        self.right = outcome.lines
        if not outcome.is_done:
            raise RuntimeError(outcome.error)

    def fault(self, file: str, is_removed: bool) -> str:
        from tfdsl.access import TRUSTED
        from tfdsl.runtime.files.atomic_files import AtomicFileSet
        from tfdsl.runtime.files.durable_io import CorruptFile

        with AtomicFileSet(str(self.folder / "final.ckpt"), TRUSTED) as files:
            if not files.exists():
                return "it is treated as a fresh start"
            try:
                with files.reading():
                    is_left_to_tensorflow = file.endswith(".manifest") and is_removed
                    return "" if is_left_to_tensorflow else "it is treated as complete"
            except CorruptFile as reason:
                return "" if file in str(reason) else f"it says {reason}"

    def fault_of_run(self, file: str, is_removed: bool) -> str:
        outcome = forks.run(self.folder, forks.training(self.runs, "step"))
        if file.endswith(".manifest") and is_removed:
            return "" if outcome.lines == self.right else f"it ends {outcome}"
        return "" if "TFG709" in outcome.error and file in outcome.error else f"it ends {outcome}"

    def fault_without_manifest(self, draw: random.Random) -> str:
        """How TensorFlow handles a flipped bit without a manifest."""
        file = self.folder / next(name for name in self.files if ".data-" in name)
        manifest = self.folder / "final.ckpt.manifest"
        content = manifest.read_bytes()
        back = damage(file, "bit flipped", draw, b"")
        manifest.unlink()
        try:
            outcome = forks.run(self.folder, forks.training(self.runs, "step"))
        finally:
            back()
            manifest.write_bytes(content)
        # Optimizer slots, which it does not read, may be damaged.
        return "" if "TFG709" in outcome.error or outcome.lines == self.right else f"it ends {outcome}"


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        path = work / "model.tfg"
        path.write_text(_PROGRAM)
        checkpoints = Checkpoints(work, forks.program(path))
        saves = Saves(work)
        cases = [(True, file) for file in checkpoints.files] + [(False, file) for file in checkpoints.files]
        cases += [(None, file) for file in saves.files]
        report.figures |= {"trials": 0}
        while report.figures["trials"] < arguments.count:
            has_old, file = draw.choice(cases)
            (kind,) = draw.choices(list(DAMAGES), _WEIGHTS)
            is_saved = has_old is None
            if is_saved:
                target, other = saves.folder / file, draw.randbytes(200)
            else:
                target, other = checkpoints.path(has_old, file), checkpoints.other(file)
            back = damage(target, kind, draw, other)
            if back is None:
                continue
            is_run = draw.random() < _RUNS
            try:
                if is_saved:
                    fault = (saves.fault_of_run if is_run else saves.fault)(file, kind == "removed")
                else:
                    fault = (checkpoints.fault_of_run if is_run else checkpoints.fault)(
                        # With the manifest of another checkpoint, all files except the manifest are wrong.
                        has_old, "" if kind == "of another state" else file
                    )  # fmt: skip
            finally:
                back()
            report.count("trials")
            of = "a save to" if is_saved else "a checkpoint after another" if has_old else "the only checkpoint"
            report.count(f"of {of}")
            report.count("through whole runs", is_run)
            report.count(kind)
            if fault:
                report.fault(f"{file}, {kind}: {fault}")
        for _ in range(min(10, 1 + arguments.count // 100)):
            report.count("without the manifest")
            fault = saves.fault_without_manifest(draw)
            if fault:
                report.fault(f"without the manifest: {fault}")


if __name__ == "__main__":
    main("flips", 10_000, measure)
