"""Measures how long an edit takes until its diagnostics are known, in `tfdsl lsp`.

    python benchmarks/editor.py [--edits 200] [--lines 500]

Types a line into programs of so many lines, character by character, each at another place, as the server gets it: the
new text, the tree, the analysis, the messages of the protocol. Prints a line for each program: the median and the worst
time of an edit in milliseconds of the processor, and how many times as fast the median is as a whole process
`tfdsl check FILE`, which is what an editor without a server would start. The last two programs import a file, which is
the one that is edited: in a comment, and in a function that the program calls in each of its layers.
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

from tfdsl.collector import paused
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


_LINE = 32  # edits between two pauses

LAYERS = "# Layers.\n\ndef half(x, factor=0.5):\n    variable w = 1.0\n    return x * factor * w\n"


def importing(lines: int) -> str:
    """The network with an imported function in each layer."""
    text = network(lines).replace("import nn\n", 'import nn\nimport "layers.tfg" as layers\n')
    return text.replace("x = relu(z) * 0.5 + x", "x = layers.half(relu(z)) + x")


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


def edits_of_layers(place: str, typed: str, count: int) -> list[str]:
    """The imported file while something is typed above a place of it."""
    before, after = LAYERS.split(place)
    made = [f"{before}{typed[:end]}\n{place}{after}" for end in range(len(typed) + 1)]
    return (made * (count // len(made) + 1))[:count]


def measured(path: str, text: str, edited: str, texts: list[str]) -> list[float]:
    """Milliseconds of the processor for each edit of a file until the diagnostics of the program are known."""
    workspace = Workspace()
    workspace.change(path, OpenText(text))
    workspace.document(path).diagnostics  # noqa: B018 the first analysis reads the libraries
    gc.collect()
    times: list[float] = []
    with paused():
        for at, one in enumerate(texts):
            # As the server does after each edit, and when nobody types.
            workspace.symbols(path)
            if at % _LINE == 0:
                gc.collect()
            begun = time.process_time()
            workspace.change(edited, OpenText(one))
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
        layers = Path(folder) / "layers.tfg"
        layers.write_text(LAYERS, encoding="utf-8")
        made = [(one.__name__, one(options.lines), "", "") for one in (functions, network)]
        made.append(("importing, comment", importing(options.lines), "def half", "# halves what it gets"))
        made.append(("importing, function", importing(options.lines), "    return", "    y = 2.0 * x"))
        for name, text, place, typed in made:
            path = Path(folder) / f"{name.partition(',')[0]}.tfg"
            path.write_text(text, encoding="utf-8")
            texts = edits_of_layers(place, typed, options.edits) if place else edits(text, options.edits)
            times = measured(str(path), text, str(layers if place else path), texts)
            median, whole = statistics.median(times), process(str(path))
            print(
                f"{name}: {text.count(chr(10))} lines, median {median:.0f} ms, worst {max(times):.0f} ms, "
                f"{whole / median:.1f} times as fast as a process of its own ({whole:.0f} ms)"
            )


if __name__ == "__main__":
    main()
