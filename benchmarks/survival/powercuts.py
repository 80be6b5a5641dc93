"""Power cuts: the device under a file system is copied while a training writes, and the copy is mounted.

The copy has only what had reached the device: data in memory is lost, as after a power cut. Mounting it replays its
journal. Conditions: the newest checkpoint that was acknowledged before the copy began, or a newer one, is complete, and
the training resumes from it and ends with the same bits. The same holds for the last `save to`. With `--no-fsync` the
runs only believe that they flush their files. Then checkpoints are lost, which shows that the experiment detects this.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from . import forks
from .common import Report, Skipped, main, states_in, work_folder
from .forks import Fork, Outcome

_MEBIBYTES = 8
_SAVED = 20  # steps between two `save to`
_GOES_ON = 8  # lines of a run after a cut
_OF_ONE_RUN = 20  # cuts
_STEPS = 300, 1500  # of a training for one cut, and for many
_PROGRAM = """
seed 3
variable w = random_normal([100, 50])
variable b = 0.5
loss = reduce_mean(square(w - b))
optimize loss with momentum(0.9, learning_rate=0.001) as training_op
session:
    train {steps} steps:
        print "step", step, b
        checkpoint every 5 steps in "kept"
        every 20 steps: save to "every.ckpt"
        run training_op
    print "end", b
"""
_STEP = re.compile(r"step (\d+) ")


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """An image of a file system, mounted inside the `with` block."""
    folder.mkdir(exist_ok=True)
    _command("mount", "-o", "loop", str(image), str(folder))
    try:
        yield folder
    finally:
        for _ in range(50):  # a killed process may still be exiting
            if subprocess.run(["umount", str(folder)], capture_output=True).returncode == 0:
                break
            time.sleep(0.1)
        else:
            _command("umount", "-l", str(folder))


def new_image(path: Path) -> Path:
    """An image with an empty file system."""
    with path.open("wb") as file:
        file.truncate(_MEBIBYTES << 20)
    whole = ("-E", "lazy_itable_init=0,lazy_journal_init=0")  # write everything now
    _command("mkfs.ext4", "-q", "-F", "-m", "0", "-b", "1024", "-J", "size=1", *whole, str(path))
    return path


def _command(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Skipped(f"{' '.join(command[:2])} is refused: {done.stderr.strip()}")


def can_mount(work: Path) -> None:
    """Raise `Skipped` if images cannot be mounted."""
    if os.geteuid() != 0:
        raise Skipped("only root can mount a file system")
    if shutil.which("mkfs.ext4") is None:
        raise Skipped("mkfs.ext4 is missing")
    with mounted(new_image(work / "try"), work / "try-mounted"):
        pass


def without_fsync() -> None:
    """Let this process believe that its files are flushed."""
    os.fsync = lambda handle: None


def cut(image: Path) -> bytes:
    """The current content of the device. The file system is not asked to write anything. The image is read until two
    copies are equal, so that the copy has one point in time."""
    before = image.read_bytes()
    while (now := image.read_bytes()) != before:
        before = now
    return now


def _acknowledged(fork: Fork) -> tuple[int, list[str]]:
    """The step that the training has reached, and its checkpoints of earlier steps. A checkpoint gets its name shortly
    before it is durable. It is durable once the training has begun the next step."""
    lines = fork.outcome(0).lines
    last = _STEP.match(lines[-1]) if lines else None
    if last is None:
        return 0, []
    step = int(last[1])
    return step, [name for name in states_in(fork.folder / "kept") if _step_of(name) < step]


def _step_of(state: str) -> int:
    return int(state.rpartition("-")[2])


@dataclass
class Cuts:
    """One training on a disk with repeated power cuts."""

    compiled: object
    wanted: Outcome  # of an undisturbed run
    work: Path
    report: Report
    draw: random.Random
    options: argparse.Namespace

    def go(self, most: int) -> None:
        """Make at most this many cuts while the training runs."""
        image = new_image(self.work / "image")
        hooks = {"before": without_fsync} if self.options.no_fsync else {}
        with mounted(image, self.work / "mounted") as disk:
            folder = disk / "run"
            folder.mkdir()
            os.sync()
            fork = Fork(folder, forks.training(self.compiled, "step", hooks=hooks))
            try:
                for _ in range(most):
                    end = time.monotonic() + self.draw.uniform(0.02, 0.3)
                    while fork.poll() is None and (time.monotonic() < end or not _acknowledged(fork)[1]):
                        time.sleep(0.002)
                    if fork.ended or not self._cut(fork, image):
                        break
            finally:
                if not fork.ended:
                    fork.kill()

    def _cut(self, fork: Fork, image: Path) -> bool:
        """Make one cut. Returns False if the training is over."""
        step, states = _acknowledged(fork)
        if not states:
            return False
        (self.work / "cut").write_bytes(cut(image))
        saved = (step - 1) // _SAVED * _SAVED  # the newest completed `save to`
        self.report.count("power cuts")
        with mounted(self.work / "cut", self.work / "after") as disk:
            fault = self._fault(disk / "run", states, saved)
        if fault:
            self.report.count("lost")
            self.report.fault(f"at step {step}, {fault}")
        return True

    def _fault(self, folder: Path, states: list[str], saved: int) -> str:
        """What is wrong on the disk after a cut, given the checkpoints before it."""
        found = states_in(folder / "kept")
        outcome = forks.run(folder, self._resumed())
        value = outcome.others.get("saved")
        newer = [line.split()[2] for line in self.wanted.lines[saved:-1:_SAVED]]
        if outcome.error or outcome.resumed is None:
            return f"with {found} after {states}, it does not resume: {outcome.error or outcome.notes}"
        if outcome.resumed < _step_of(states[-1]) or outcome.notes[0].startswith("warning"):
            return f"with {found} after {states}, {outcome.notes}"
        # The line of its step was printed before the checkpoint.
        if outcome.lines != self.wanted.lines[outcome.resumed + 1 :][: len(outcome.lines)]:
            return f"resuming from {outcome.resumed}, it prints {outcome.lines}"
        if saved > 0 and value not in newer:
            return f"what was saved at step {saved} or later is {value}: {outcome.others.get('reason')}"
        self.report.count("resumed from the newest acknowledged checkpoint or a newer one")
        self.report.count("a newer one", outcome.resumed > _step_of(states[-1]))
        self.report.count("complete saves", saved > 0)
        return ""

    def _resumed(self):
        """The work of the run after a cut: it checks the saved variables, and continues for some steps."""
        seen = []
        work = forks.training(
            self.compiled, "step", hooks={"line": seen.append}, interrupted=lambda: len(seen) >= _GOES_ON
        )

        def resumed(say) -> None:
            from tfdsl.access import Access
            from tfdsl.lowering.tf import tf
            from tfdsl.runtime.files.atomic_files import AtomicFileSet
            from tfdsl.runtime.files.durable_io import CorruptFile

            try:
                with AtomicFileSet("every.ckpt", Access()) as files, files.reading() as prefix:
                    say(saved=str(tf.train.load_checkpoint(prefix).get_tensor("b")))
            except (OSError, CorruptFile, tf.errors.OpError, ValueError, RuntimeError) as error:
                say(reason=str(error))
            work(say)

        return resumed


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    with work_folder() as work:
        can_mount(work)
        path = work / "model.tfg"
        path.write_text(_PROGRAM.format(steps=_STEPS[arguments.count > 1]))
        compiled = forks.program(path)
        (work / "undisturbed").mkdir()
        wanted = forks.run(work / "undisturbed", forks.training(compiled, "step"))
        if not wanted.is_done:
            raise RuntimeError(wanted.error)
        cuts = Cuts(compiled, wanted, work, report, draw, arguments)
        report.figures |= {"power cuts": 0, "lost": 0}
        while report.figures["power cuts"] < arguments.count:
            cuts.go(min(_OF_ONE_RUN, arguments.count - report.figures["power cuts"]))
    if arguments.no_fsync:
        # This is the expected result.
        report.faults.clear()
        if not report.figures["lost"]:
            report.fault("without fsync nothing was lost, so this shows nothing")


if __name__ == "__main__":
    main("powercuts", 100, measure, lambda parser: parser.add_argument(
        "--no-fsync", action="store_true", help="without flushing: checkpoints must be lost"))  # fmt: skip
