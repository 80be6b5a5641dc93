"""Measures how long an edit takes until its diagnostics are known, in `tfdsl lsp`.

    python benchmarks/editor.py [--edits 200] [--lines 500]

Types a line into programs of so many lines, character by character, each at another place, as the server gets it: the
new text, the tree, the analysis, the messages of the protocol. Prints a line for each program: the median and the worst
time of an edit in milliseconds of the processor, and how many times as fast the median is as a whole process
`tfdsl check FILE`, which is what an editor without a server would start.
"""

import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tfdsl.editor.server import diagnostic_of
from tfdsl.editor.text import OpenText
from tfdsl.editor.workspace import Workspace


def functions(lines: int) -> str:
    """Functions of five lines, each called once, with a summary."""
    parts = [
        f"def f{i}(x):\n    variable w = 1.0\n    y = x * w + {i}.0\n    z = relu(y) * 2.0\n    return z + y\n\n"
        f"placeholder p{i}: float32[n{i}, 3]\nq{i} = reduce_mean(square(f{i}(p{i})))\nsummary scalar q{i}\n\n"
        for i in range(lines // 10)
    ]
    return "".join(parts)


def network(lines: int) -> str:
    """A network of more than a hundred layers with one loss, and a training."""
    head = (
        "import nn\ndata d = moons(1000, noise=0.1, seed=42) | standardize | split(test=0.2)\n"
        "placeholder X: float32[batch, 2]\nplaceholder y: float32[batch, 1]\nx = X\n"
    )
    layers = [
        f"scope layer{i}:\n    variable w: float32[2, 2] = random_normal(stddev=0.1)\n"
        f"    variable b: float32[2] = zeros\n    z = x @ w + b\n    x = relu(z) * 0.5 + x\n"
        f"h{i} = nn.dense(x, 4, activation=relu) as head{i}\nm{i} = reduce_mean(square(h{i}))\n\n"
        for i in range((lines - 20) // 8)
    ]
    total = " + ".join(f"m{i}" for i in range(len(layers)))
    tail = (
        f"cost = {total} + reduce_mean(sigmoid_cross_entropy_with_logits(labels=y, logits=nn.dense(x, 1)))\n"
        "optimize cost with adam(learning_rate=0.001)\n\n"
        "session:\n    train 3 epochs on d.train in batches of 50 as b:\n        feed X = b.features, y = b.target\n"
    )
    return head + "".join(layers) + tail


def edits(text: str, count: int) -> list[str]:
    """The texts while lines are typed, each at the beginning of another line of the top level."""
    chosen = random.Random(1)
    places = [at + 1 for at, c in enumerate(text) if c == "\n" and text[at + 1 : at + 2].isalpha()]
    typed = "fresh = reduce_mean([1.0, 2.0])\n"
    made: list[str] = []
    while len(made) < count:
        place = chosen.choice(places)
        made += [text[:place] + typed[:end] + text[place:] for end in range(1, len(typed) + 1)]
    return made[:count]


def measured(path: str, text: str, count: int) -> list[float]:
    """Milliseconds of the processor for each edit."""
    workspace = Workspace()
    workspace.change(path, OpenText(text))
    workspace.document(path).diagnostics  # noqa: B018 the first analysis reads the libraries
    gc.collect()
    times: list[float] = []
    for one in edits(text, count):
        begun = time.process_time()
        workspace.change(path, OpenText(one))
        document = workspace.document(path)
        for diagnostic in document.diagnostics:
            diagnostic_of(document, diagnostic)
        times.append(1000 * (time.process_time() - begun))
    return times


def process(path: str) -> float:
    """Milliseconds of the processor for a whole process `tfdsl check`, the least of several."""
    found: list[float] = []
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, "-m", "tfdsl", "check", "-q", path], stdout=subprocess.DEVNULL, check=False)
        after = os.times()
        used = after.children_user - before.children_user + after.children_system - before.children_system
        found.append(1000 * used)
    return min(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=200)
    parser.add_argument("--lines", type=int, default=500)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for program in (functions, network):
            text = program(options.lines)
            path = Path(folder) / f"{program.__name__}.tfg"
            path.write_text(text, encoding="utf-8")
            times = measured(str(path), text, options.edits)
            median, whole = statistics.median(times), process(str(path))
            print(
                f"{program.__name__}: {text.count(chr(10))} lines, median {median:.0f} ms, worst {max(times):.0f} ms, "
                f"{whole / median:.1f} times as fast as a process of its own ({whole:.0f} ms)"
            )


if __name__ == "__main__":
    main()
