"""Measures the speed of a cluster and the cost of its updates: steps per second on 1 and 2 workers and one process.

    python benchmarks/clusters.py [--json FILE] [--quick] [--repeats 3]

Every process, whether a server or a single training, has one compute thread, as if it were a machine with one core. So
two cores show the gain of a second machine, except for its network. Prints three tables:

- `gain`: a network with long enough steps, on one process, in two towers of one process, and on clusters of 1 ps with 1
and 2 workers, synchronous and asynchronous; - `number`: the cost of a step by the number of variables, each of 10
elements; - `size`: the cost of a step by the size of one variable.

`busiest` is the processor time of the process that needs most of it. It says how long a step takes if each process has
a core, and other work on the machine hardly changes it.

From these it calculates the gain of more machines.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

THREADS = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "OMP_NUM_THREADS": "1",
           "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}  # fmt: skip
GAIN = """
import nn
seed 1
data d = npz("digits.npz")
placeholder X: float32[batch, 784]
placeholder y: float32[batch, 1]
hidden = nn.dense(X, {units}, activation=relu)
hidden2 = nn.dense(hidden, {units}, activation=relu)
loss nn.sparse_softmax_cross_entropy(y, nn.dense(hidden2, 10))
optimize with gradient_descent(learning_rate=0.001)
session:
    train {steps} steps on d in batches of {batch} as batch:
        feed X = batch.features, y = batch.target
"""
UPDATE = """
variables = []
for i in range({number}):
    variable v: float32[{size}] = ones
    variables = variables + [v]
optimize add_n([reduce_sum(v) for v in variables]) with gradient_descent(learning_rate=0.0001)
session:
    train {steps} steps:
        every 1_000_000 steps: print step
"""
# Trains, and prints the seconds per step between the first and the last progress report: those of the clock, and the
# processor time of this process and of the $SERVERS.
RUN = """
import os, sys, time
from tfdsl.cli import main
from tfdsl.runtime import options
times, processes = [], ["self", *os.environ["SERVERS"].split()]
class Watch(options.Progress):
    def step(self, done): times.append((done, time.monotonic(), *map(processor, processes)))
def processor(process):
    with open(f"/proc/{process}/stat") as file:
        user, system = file.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
before = options.Options.__init__
def __init__(self, *given, **named):
    before(self, *given, **named)
    object.__setattr__(self, "progress", lambda total, done, unit: Watch())
options.Options.__init__ = __init__
code = main(["run", "-q", *sys.argv[1:]])
first = times[min((len(times) - 1) // 2, 6)]
steps, *seconds = [last - begin for last, begin in zip(times[-1], first)]
print(*[each / steps for each in seconds], file=sys.stderr)
sys.exit(code)
"""


@contextmanager
def cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[int]]]:
    """The config file of a cluster of 1 ps whose servers are running, and their processes."""
    from tfdsl.cli.child import child, environment
    from tfdsl.cli.launch import _free_ports

    ports = _free_ports(1 + workers)
    jobs = {"ps": [f"127.0.0.1:{ports[0]}"], "worker": [f"127.0.0.1:{port}" for port in ports[1:]]}
    config = folder / "cluster.yaml"
    config.write_text(json.dumps({"cluster": jobs}))
    processes = []
    try:
        for job, task in [("ps", 0), *(("worker", task) for task in range(workers))]:
            words = ["server", "--config", str(config), "--job", job, "--task", str(task)]
            processes.append(subprocess.Popen(child(*words), env={**environment(), **THREADS}, stderr=subprocess.PIPE,
                                              text=True))  # fmt: skip
        for process in processes:
            while "listens" not in (line := process.stderr.readline()):
                assert line, "a server has ended"
        yield str(config), [process.pid for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()


def seconds(
    folder: Path, text: str, *words: str, servers: Sequence[int] = (), threads: bool = True
) -> tuple[float, float]:
    """The seconds per step of a program's training, and those of the processor for the busiest process."""
    (folder / "t.tfg").write_text(text)
    environment = {**os.environ, **THREADS} if threads else {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment["SERVERS"] = " ".join(map(str, servers))
    done = subprocess.run([sys.executable, "-c", RUN, "t.tfg", *words], cwd=folder, env=environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    clock, *processor = map(float, done.stderr.splitlines()[-1].split())
    return clock, max(processor)


def median(repeats: int, measure: Callable[[], tuple[float, float]]) -> list[float]:
    return [statistics.median(each) for each in zip(*[measure() for _ in range(repeats)], strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", metavar="FILE", help="write the measurements")
    parser.add_argument("--quick", action="store_true", help="small: only test that it works")
    parser.add_argument("--repeats", metavar="N", type=int, default=3)
    arguments = parser.parse_args()
    units, batch, steps = (32, 64, 3000) if arguments.quick else (1000, 1000, 160)
    result: dict[str, dict] = {"gain": {}, "number": {}, "size": {}}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _digits(folder / "digits.npz")
        text = GAIN.format(units=units, batch=batch, steps=steps)

        def note(row: str, *words: str, **options) -> None:
            result["gain"][row] = median(arguments.repeats, lambda: seconds(folder, text, *words, **options))

        note("one process, 1 thread")
        note("one process, 2 towers, 1 thread", "--towers", "2")
        note("one process, all threads", threads=False)
        for workers in (1, 2):
            with cluster(folder, workers) as (config, servers):
                row, words = f"1 ps, {workers} worker{'s' * (workers > 1)}", ("--config", config)
                note(row, *words, servers=servers)
                if workers > 1:
                    note(f"{row}, --placement workers", *words, "--placement", "workers", servers=servers)
                    note(f"{row}, --async", *words, "--async", servers=servers)
                else:
                    _updates(arguments, folder, config, result)
    _show(result)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(result, indent=1))
    return 0


def _updates(arguments: argparse.Namespace, folder: Path, config: str, result: dict) -> None:
    numbers, sizes = ((1, 10), (10, 1000)) if arguments.quick else ((1, 10, 50, 100), (10, 10**4, 10**5, 10**6, 10**7))
    for kind, pairs in (("number", [(n, 10) for n in numbers]), ("size", [(1, size) for size in sizes])):
        for number, size in pairs:
            steps = 200 if arguments.quick else max(60, min(2000, 100_000_000 // (number * size), 40_000 // number))
            text = UPDATE.format(number=number, size=size, steps=steps)
            result[kind][number if kind == "number" else size] = median(
                arguments.repeats, lambda text=text: seconds(folder, text, "--config", config)
            )[0]


def _digits(path: Path) -> None:
    import numpy as np

    random = np.random.RandomState(0)
    np.savez(path, features=random.rand(10_000, 784).astype(np.float32), target=random.randint(10, size=10_000))


def _show(result: dict) -> None:
    alone, alone_busiest = result["gain"]["one process, 1 thread"]
    print(
        f"{'gain':36} {'ms a step':>10} {'steps/s':>8} {'times as fast':>14} {'busiest ms':>11} {'times as fast':>14}"
    )
    for row, (one, busiest) in result["gain"].items():
        print(f"{row:36} {1000 * one:10.1f} {1 / one:8.1f} {alone / one:14.2f} "
              f"{1000 * busiest:11.1f} {alone_busiest / busiest:14.2f}")  # fmt: skip
    for kind, unit in (("number", "variables"), ("size", "elements")):
        print(f"\n{unit:36} {'ms a step':>10}")
        for of, one in result[kind].items():
            print(f"{of:<36,} {1000 * one:10.2f}")
    small, large = min(result["size"]), max(result["size"])
    byte = (result["size"][large] - result["size"][small]) / (4 * (large - small))
    few, many = min(result["number"]), max(result["number"])
    each = (result["number"][many] - result["number"][few]) / (many - few)
    print(f"\na step costs {1000 * result['number'][few]:.1f} ms, {1e6 * each:.0f} us more for each further variable, "
          f"and {1e9 * byte:.1f} ns for each byte of the variables")  # fmt: skip
    one, two = (result["gain"][f"1 ps, {n} worker{'s' * (n > 1)}"][0] for n in (1, 2))
    # one = compute + rest, two = compute / 2 + rest
    compute = 2 * (one - two)
    rest = one - compute
    print(f"of the {1000 * one:.0f} ms that 1 worker takes, {1000 * compute:.0f} are divided between the workers, "
          f"{1000 * rest:.0f} are not: N workers take {1000 * rest:.0f} + {1000 * compute:.0f} / N ms")  # fmt: skip
    for workers in (2, 4, 8, 16):
        print(f"  {workers:2} workers: {alone / (rest + compute / workers):5.2f} times as fast as one process")


if __name__ == "__main__":
    started = time.monotonic()
    code = main()
    print(f"({time.monotonic() - started:.0f} s)", file=sys.stderr)
    sys.exit(code)
