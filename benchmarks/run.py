"""Ratios that matter before any training: start-up, and the front end's throughput.

    python benchmarks/run.py [--repeats 11] [--json FILE]

Contenders are run in turn, so that what else the machine does falls on all of them; the table shows
medians and their ratio to the first of each group.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PLAIN = """
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
x = tf.Variable(3, name="x")
y = tf.Variable(4, name="y")
f = x*x*y + y + 2
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    print(sess.run(f))
"""
TFDSL = [sys.executable, "-m", "tfdsl"]
GROUPS = {
    "check": {
        "import lark": [sys.executable, "-c", "import lark"],
        "tfdsl check models/housing.tfg": [*TFDSL, "check", "-q", "models/housing.tfg"],
    },
    "run": {
        "plain tf.compat.v1 script": [sys.executable, "-c", PLAIN],
        "tfdsl run models/basics.tfg": [*TFDSL, "run", "models/basics.tfg"],
    },
}


def seconds(command: list[str]) -> float:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started


def measure(group: dict[str, list[str]], repeats: int) -> dict[str, float]:
    for command in group.values():
        seconds(command)  # files into memory, caches made
    times: dict[str, list[float]] = {name: [] for name in group}
    for _ in range(repeats):
        for name, command in group.items():
            times[name].append(seconds(command))
    return {name: statistics.median(values) for name, values in times.items()}


def program(size: int) -> str:
    """A program of about `size` bytes: layers of a network, one like the other."""
    lines = ["placeholder X: float32[batch, 8]", "h0 = X"]
    length, at = sum(map(len, lines)), 0
    while length < size:
        at += 1
        layer = [
            f"scope layer{at}:",
            f"    variable w{at} = random_normal([8, 8], stddev=0.1, seed={at})",
            f"    variable b{at}: float32[8] = zeros",
            f"    h{at} = maximum(h{at - 1} @ w{at} + b{at}, 0.0)  # layer {at}",
        ]
        lines += layer
        length += sum(len(line) + 1 for line in layer)
    return "\n".join([*lines, f"output = reduce_mean(h{at})"]) + "\n"


def throughput(size: int = 1_000_000) -> dict[str, float]:
    """Megabytes a second of the parser and of the whole front end, on one program."""
    from tfdsl.driver import check
    from tfdsl.source import Source
    from tfdsl.syntax.parse import parse

    check(Source("warm-up", program(1000)))
    text = program(size)
    source = Source("generated", text)
    started = time.perf_counter()
    tree = parse(source)
    parsed = time.perf_counter()
    checked, diagnostics = check(tree)
    done = time.perf_counter()
    assert checked is not None, diagnostics[0].headline
    megabytes = len(text) / 1e6
    nodes = len(checked.graph().nodes)
    return {
        "nodes": nodes,
        "parse MB/s": megabytes / (parsed - started),
        "parse and check MB/s": megabytes / (done - started),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=11)
    parser.add_argument("--json", metavar="FILE")
    arguments = parser.parse_args()
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    results: dict[str, object] = {"machine": machine}
    print(results["machine"])
    for name, group in GROUPS.items():
        medians = measure(group, arguments.repeats)
        baseline = next(iter(medians.values()))
        results[name] = {k: {"seconds": v, "ratio": v / baseline} for k, v in medians.items()}
        for contender, value in medians.items():
            print(f"{contender:36} {value:8.3f} s {value / baseline:6.2f}")
    results["front end"] = throughput()
    for name, value in results["front end"].items():
        print(f"{name:36} {value:8.2f}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
