"""SIGKILL and SIGSTOP at random moments of trainings on clusters: servers, the client, or two of them at once.

Clusters are processes of `tfdsl server` on loopback, in their own network namespace if possible, and clients are `tfdsl
run`. A killed server or client restarts after a pause. A moment is a time, some output of the client, or a change in
its checkpoint folder, plus a short delay.

Conditions: the training ends. Each client prints what the undisturbed run on one machine (`--towers`) prints from the
step where it resumes, and no client resumes from before the newest acknowledged checkpoint. The variables saved at the
end have the same bits, and each step is once in the event files, with its value. While all servers are running, a
client is silent for at most twice the timeout.

A server that is frozen for longer than the timeout ends the run within twice the timeout, with an error that names what
the client waited for, and the next run resumes. A server that is frozen for less does not end the run.
"""

import argparse
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from .common import ROOT, Report, Skipped, made, main, orphans_in, states_in, work_folder
from .events import slow
from .forks import hashed
from .models import ON_CLUSTERS, Model
from .watch import MOVED_TO, Watch

sys.path.append(str(ROOT / "tests" / "support"))
import clusters
from clusters import Cluster, tfdsl

Task = tuple[str, int]
CLIENT = ("client", 0)
_KILLS = 5  # maximum per training
_PATIENCE = 40.0  # the timeout if servers are killed: they need some seconds to start
_FREEZE = 6.0  # the timeout if they are frozen
_START = 120.0  # seconds until a client prints something
_WORKERS = 2
_ERROR = re.compile(r"error\[(TFG740|TFG741)\]")
_FROM = re.compile(r"resuming from step (\d+), (?:saved in|in the memory)")
_KEPT = re.compile(r"resuming from step (\d+), with the client's snapshot")


@dataclass(frozen=True)
class Program:
    """A program, how it is run, and the names of its files. `step` finds the step in a printed line, and `each` is the
    number of steps per line."""

    name: str
    words: tuple[str, ...]
    step: re.Pattern[str] = re.compile(r"step (\d+) ")
    each: int = 1
    kept: str = "kept"
    final: str = "final.ckpt"
    keeps: bool = True


def of_model(model: Model, engine: str, folder: Path) -> Program:
    path = model.write(folder / f"{model.name}")
    return Program(f"{model.name} on {engine}", (str(path), "--engine", engine), keeps=model.every > 0)


def programs(folder: Path, only: list[str] | None) -> list[Program]:
    """Those of `models.py`, and some of the project's."""
    chosen = [model for model in ON_CLUSTERS if not only or model.name in only]
    result = [of_model(model, engine, folder) for model in chosen for engine in model.engines]
    housing, logistic, moons = (str(ROOT / "models" / f"{n}.tfg") for n in ("housing", "logistic_regression", "moons"))
    epoch = re.compile(r"Epoch (\d+) ")
    own = [
        Program("housing", (housing, "--set", "n_epochs=8", "--set", "batch_size=400"), epoch, 52,
                "checkpoints/housing", "checkpoints/housing_final.ckpt"),
        Program("logistic_regression", (logistic, "--engine", "step"), epoch, 16,
                "checkpoints/logistic_regression", "checkpoints/logistic_regression.ckpt"),
        Program("moons", (moons,), epoch, final="", keeps=False),
    ]  # fmt: skip
    return result + [program for program in own if not only or program.name in only]


@dataclass(frozen=True)
class Undisturbed:
    """The outcome of a program on one machine, in as many towers as clusters have workers."""

    lines: list[str]
    hash: str
    curve: list[tuple[int, float]]


def undisturbed(program: Program, folder: Path) -> Undisturbed:
    words = ["run", *program.words, "--logdir", "logs", "--towers", str(_WORKERS)]
    done = clusters.run(tfdsl(*words), cwd=folder)
    if done.returncode:
        raise RuntimeError(f"{program.name} fails undisturbed: {done.stderr}")
    return Undisturbed(done.stdout.splitlines(), final_hash(program, folder), curve(folder))


def final_hash(program: Program, folder: Path) -> str:
    """The hash of what is saved at the end."""
    if not program.final:
        return ""
    from tfdsl.lowering.tf import tf

    reader = tf.train.load_checkpoint(str(folder / program.final))
    return hashed({name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()})


def curve(folder: Path) -> list[tuple[int, float]]:
    return slow(folder / "logs") if (folder / "logs").exists() else []


class Client:
    """A `tfdsl run` on a cluster."""

    def __init__(self, cluster: Cluster, program: Program, folder: Path, timeout: float):
        self._out, self._err = folder / "stdout", folder / "stderr"
        words = ["run", *program.words, "--logdir", "logs", "--config", cluster.config, "--timeout", str(timeout)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                tfdsl(*words), cwd=folder, env=clusters.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def lines(self) -> list[str]:
        """The printed lines, without an incomplete one."""
        return self._out.read_text().split("\n")[:-1]

    @property
    def notes(self) -> str:
        return self._err.read_text()

    def said(self) -> tuple[int, int]:
        """The number of bytes printed and noted."""
        return self._out.stat().st_size, self._err.stat().st_size

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


def _step_of(state: str) -> int:
    return int(state.rpartition("-")[2])


@dataclass
class Training:
    """One training on a cluster, from its first client to its end."""

    cluster: Cluster
    program: Program
    wanted: Undisturbed
    folder: Path
    report: Report
    timeout: float
    newest: str | None = None  # the newest acknowledged checkpoint
    clients: int = 0
    kills: int = 0
    changes: int = 0  # in the checkpoint folder, since this client started
    recoveries: int = 0  # of this client
    seen: int = 0  # lines seen, of all clients
    client: Client = field(init=False)
    _watch: Watch = field(init=False)
    _said: tuple[int, int] = (0, 0)
    _last: float = 0.0  # time of the last event
    _acknowledged: str | None = None  # the acknowledged checkpoint when this client started
    _is_faulty: bool = False

    def start(self) -> None:
        """Start a client."""
        kept = self.folder / self.program.kept
        kept.mkdir(parents=True, exist_ok=True)
        self._watch = Watch(kept, kept.parent)
        self._acknowledged, self.changes, self.recoveries, self.clients = self.newest, 0, 0, self.clients + 1
        self.client = Client(self.cluster, self.program, self.folder, self.timeout)
        self._said, self._last = (0, 0), time.monotonic()

    def look(self, seconds: float = 0.01) -> bool:
        """Watch the client for at most this long. Returns whether it still runs."""
        going_on = _KEPT.findall(self.client.notes)
        if len(going_on) > self.recoveries:
            self.recoveries = len(going_on)
            if self.newest is not None and int(going_on[-1]) < _step_of(self.newest):
                self.fault(f"resumes from step {going_on[-1]} after a loss, although {self.newest} was acknowledged")
            self.report.count("recoveries")
        self._notice(seconds)
        said, now = self.client.said(), time.monotonic()
        if said != self._said:
            self._said, self._last = said, now
        self.report.most("longest silence, s", round(now - self._last, 1))
        if now - self._last > (2 * self.timeout if any(said) else _START):
            self.fault(f"is silent for {now - self._last:.0f} s")
            self.client.kill()
        return not self.client.has_ended

    def _notice(self, seconds: float = 0) -> None:
        for event in self._watch.events(seconds):
            self.changes, self._last = self.changes + 1, time.monotonic()
            if event.folder == self.folder / self.program.kept and event.kind == MOVED_TO and "-step-" in event.name:
                self.newest = event.name
                self.report.count("states acknowledged")

    def servers_are_back(self) -> None:
        """Restart the clock for its silence."""
        self._last = time.monotonic()

    def end(self) -> int:
        """Check the output of a client that has ended or was killed. Returns its exit code."""
        code = self.client.process.wait()
        self._notice()
        self._watch.__exit__()
        found, lines = _FROM.search(self.client.notes), self.client.lines
        step = int(found[1]) if found else None
        acknowledged = None if self._acknowledged is None else _step_of(self._acknowledged)
        if found:
            self.report.count("clients that resumed" + (" from the servers" if "servers" in found[0] else ""))
        if acknowledged is not None and (lines or code >= 0) and (step is None or step < acknowledged):
            self.fault(f"resumes from {step}, although {self._acknowledged} was acknowledged")
        start = self._start(step)
        if start > self.seen:
            self.fault(f"resumes from {step}, but only {self.seen} lines were printed before")
        wanted = self.wanted.lines[start:]
        if lines != wanted[: len(lines)]:
            first = next((a, b) for a, b in zip(lines, [*wanted, None]) if a != b)
            self.fault(f"resuming from {step}, prints {first[0]!r} instead of {first[1]!r}")
        if code == 0 and len(lines) < len(wanted):
            self.fault(f"resuming from {step}, ends after {len(lines)} lines of {len(wanted)}")
        self.seen = max(self.seen, start + len(lines))
        if "Traceback" in self.client.notes:
            self.fault("says " + self.client.notes)
        if (self.folder / f"{self.program.final}.manifest").exists() and not states_in(self.folder / self.program.kept):
            self.newest = None  # everything is done and saved
        return code

    def _start(self, step: int | None) -> int:
        """The first line that a client prints when it resumes from a step."""
        if step is None:
            return 0
        for at, line in enumerate(self.wanted.lines):
            found = self.program.step.match(line)
            if (found and int(found[1]) * self.program.each >= step) or (at and not found):
                return at
        raise AssertionError("no end")

    def finish(self, code: int) -> None:
        """Check the files of the last client."""
        if code:
            self.fault(f"ends with {code}: {self.client.notes}")
            return
        kept = self.folder / self.program.kept
        found, left = final_hash(self.program, self.folder), states_in(kept) + orphans_in(kept)
        if found != self.wanted.hash:
            self.fault(f"ends with {found} instead of {self.wanted.hash}")
        if left:
            self.fault(f"leaves {left}")
        logged = curve(self.folder)
        if logged != self.wanted.curve:
            odd = [pair for pair in logged if pair not in self.wanted.curve][:3]
            self.fault(f"logs {len(logged)} points instead of {len(self.wanted.curve)}, and wrong ones: {odd}")
        if not self._is_faulty:
            self.report.count("trainings that ended right")

    def fault(self, text: str) -> None:
        self._is_faulty = True
        (self.folder / f"stderr-{self.clients}").write_text(self.client.notes)
        shape = f"{len(self.cluster.addresses) - _WORKERS} ps"
        self.report.fault(f"{self.folder.name}, {self.program.name} with {shape}, after {self.kills} kills, {text}")

    def close(self, keep: Path | None) -> None:
        """Remove the folder. One with faults is kept in another folder if wanted."""
        if keep and self._is_faulty:
            shutil.copytree(self.folder, keep / self.folder.name, dirs_exist_ok=True)
            for log in self.cluster.folder.glob("*.log"):
                shutil.copy(log, keep / self.folder.name)
        shutil.rmtree(self.folder)


@dataclass
class Moment:
    """When a blow falls: after some seconds, after the client has printed some bytes, or after some changes in its
    checkpoint folder, plus a delay. The clock waits until a client prints something, unless the blow `is_early`."""

    kind: str
    after: float
    pause: float
    is_early: bool

    @classmethod
    def drawn(cls, draw: random.Random, keeps: bool) -> "Moment":
        kind = draw.choice(("time", "word", "change") if keeps else ("time", "time", "word"))
        most = {"time": 6, "word": 3000, "change": 25}[kind]
        after = draw.choice((draw.uniform(0, most), draw.uniform(0, most), 0.1))
        pause = draw.choice((0, draw.uniform(0, 0.01), draw.uniform(0, 0.5)))
        return cls(kind, after, pause, draw.random() < 0.2)

    def is_reached(self, begun: float, words: int, changes: int) -> bool:
        match self.kind:
            case "time":
                return time.monotonic() >= begun + self.after
            case "word":
                return words >= self.after
            case _:
                return changes >= self.after


def killed_together(draw: random.Random, servers: list[Task]) -> list[Task]:
    """The victims."""
    ps = [task for task in servers if task[0] == "ps"]
    workers = [task for task in servers if task[0] == "worker"]
    choices: list[Callable[[], list[Task]]] = [
        lambda: [draw.choice(ps)],
        lambda: [draw.choice(workers)],
        lambda: [CLIENT],
        lambda: [CLIENT, draw.choice(ps)],
        lambda: [draw.choice(ps), draw.choice(workers)],
    ]
    return draw.choices(choices, (6, 6, 6, 2, 2))[0]()


def kill(training: Training, draw: random.Random, most: int) -> None:
    """Run a training with at most this many kills."""
    cluster, report = training.cluster, training.report
    due: dict[Task, float] = {}  # those to restart, and when
    training.start()
    begun, moment, before, changes = time.monotonic(), Moment.drawn(draw, training.program.keeps), (0, 0), 0
    while True:
        is_running = CLIENT not in due and training.look()
        if CLIENT in due:
            time.sleep(0.01)
        if due or not cluster.is_up():
            training.servers_are_back()
        for task in [task for task, when in due.items() if time.monotonic() >= when]:
            del due[task]
            if task == CLIENT:
                training.start()
                changes, before = 0, (0, 0)
            else:
                cluster.start(*task)
        if not is_running and CLIENT not in due and training.client.has_ended:
            break
        if not is_running or training.kills >= most:
            continue
        if not moment.is_early and not any(training.client.said()):
            begun = time.monotonic()
        words = sum(training.client.said()) - sum(before)
        if not moment.is_reached(begun, words, training.changes - changes):
            continue
        time.sleep(moment.pause)
        if training.client.has_ended:
            continue
        tasks = [task for task in killed_together(draw, list(cluster.addresses)) if task not in due]
        if not tasks:
            continue
        for task in tasks:
            if task == CLIENT:
                training.client.kill()
                training.end()
            else:
                cluster.kill(*task)
            due[task] = time.monotonic() + draw.uniform(0, 3)
        training.kills += 1
        report.count("kills of " + " and ".join(job if job != "worker" else f"{job} {task}" for job, task in tasks))
        begun, moment = time.monotonic(), Moment.drawn(draw, training.program.keeps)
        before, changes = training.client.said(), training.changes
    training.finish(training.end())
    for task in due:
        cluster.start(*task)
    cluster.wait()


def freeze(training: Training, draw: random.Random, seconds: float) -> bool:
    """Run a training in which a server is frozen for some seconds. Returns False if it was over before that was
    noticed."""
    cluster, report, timeout = training.cluster, training.report, training.timeout
    task = draw.choice(list(cluster.addresses))
    training.start()
    begun, wait = None, draw.uniform(0, 1.5)
    while begun is None or time.monotonic() < begun + wait:
        if not training.look():
            break
        begun = begun or (time.monotonic() if training.client.lines else None)
    cluster.stop(*task)
    stopped = time.monotonic()
    try:
        while training.look() and time.monotonic() < stopped + min(seconds, 2 * timeout + 1):
            pass
        took = time.monotonic() - stopped
    finally:
        cluster.cont(*task)
    while seconds < 2 * timeout and training.look():
        pass
    if not training.client.has_ended:
        training.fault(f"still runs {took:.1f} s after {task} was frozen")
        training.client.kill()
    code = training.end()
    if code == 0 and seconds >= timeout:
        if took < timeout:
            return False
        report.count("resumed after a long freeze")
    if code == 1 and seconds >= timeout:
        report.most("longest until the error, s", round(took, 2))
        report.count("ended with an error")
        if not _ERROR.search(training.client.notes):
            training.fault(f"says {training.client.notes}")
        training.start()
        while training.look():
            pass
        code = training.end()
    elif code == 0:
        report.count("continued after a short freeze")
    report.count(f"freezes of {task[0]} {task[1]}")
    training.finish(code)
    return True


@dataclass
class Bench:
    """The clusters, one of each size, and the programs, in turn."""

    work: Path
    stack: ExitStack
    report: Report
    programs: Iterator[Program]
    _clusters: dict[int, Cluster] = field(default_factory=dict)
    _wanted: dict[str, Undisturbed] = field(default_factory=dict)
    _number: int = 0

    def training(self, ps: int, timeout: float, keeps: bool = False) -> Training:
        """The next training, on a cluster of this many parameter servers. With `keeps`, it saves checkpoints."""
        program = next(one for one in self.programs if one.keeps or not keeps)
        if ps not in self._clusters:
            self._clusters[ps] = self.stack.enter_context(Cluster(made(self.work / f"cluster-{ps}"), ps, _WORKERS))
        if program.name not in self._wanted:
            self._wanted[program.name] = undisturbed(program, made(self.work / "undisturbed"))
        self._number += 1
        folder = made(self.work / f"training-{self._number}")
        self.report.count("trainings")
        return Training(self._clusters[ps], program, self._wanted[program.name], folder, self.report, timeout)


def measure(arguments: argparse.Namespace, draw: random.Random, report: Report) -> None:
    if not clusters.is_apart() and not arguments.on_this_network:
        raise Skipped("no network namespace can be created here, so servers listen on every interface")
    with work_folder() as work, ExitStack() as stack:
        chosen = programs(work / "programs", arguments.models)
        draw.shuffle(chosen)
        bench = Bench(work, stack, report, cycle(chosen))
        report.figures["kills"] = 0
        while report.figures["kills"] < arguments.count:
            training = bench.training(draw.choice((1, 1, 2)) if not arguments.ps else arguments.ps, _PATIENCE)
            most = min(draw.randint(2, _KILLS), arguments.count - report.figures["kills"])
            kill(training, draw, most)
            report.count("kills", training.kills)
            training.close(arguments.keep)
        frozen = 0
        while frozen < arguments.freezes:
            training = bench.training(arguments.ps or 1, _FREEZE, keeps=True)
            # Every third one is shorter than the timeout, and one in six slightly longer.
            lengths = [draw.uniform(0.5, 0.8), 2, 2, draw.uniform(0.5, 0.8), draw.uniform(1.05, 1.6), 2]
            frozen += freeze(training, draw, _FREEZE * lengths[frozen % len(lengths)])
            training.close(arguments.keep)
        report.figures["freezes"] = frozen


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--freezes", type=int, default=0, help="and how often to freeze a server (%(default)s)")
    parser.add_argument("--models", nargs="+", help="only these programs")
    parser.add_argument("--ps", type=int, help="number of parameter servers (default: one, sometimes two)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep trainings with faults here")
    parser.add_argument("--on-this-network", action="store_true", help="if no network namespace can be created")


if __name__ == "__main__":
    main("clusters", 100, measure, configure)
