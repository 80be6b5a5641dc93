"""Measures how fast `tfdsl check` goes through text, for several kinds of programs.

    python benchmarks/checking.py [--repeats 7] [--statements 10000] [--kinds NAME ...] [--files FILE ...]
                                  [--against FOLDER]

Each kind is checked in a process of its own that has started already, in turns with the other kinds, so that load on
the machine affects all of them. The table has the least processor time of the repeats: for parsing alone and for the
whole check, and the text checked per second. With `--against`, a folder with another version of the project, each
repeat also checks the same text with that version, and the last columns say how many times as fast this one is.
`--files` are programs that are one more kind, such as graphs that `tfdsl lift` wrote. On a busy machine, many repeats
of few statements give the steadiest ratios.
"""

import argparse
import gc
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

Texts = list[tuple[str, str]]  # programs: the path and the text of each


def models(statements: int) -> Texts:
    """The programs in `models/`."""
    return [(str(path), path.read_text(encoding="utf-8")) for path in sorted((ROOT / "models").glob("*.tfg"))]


def plain(statements: int) -> Texts:
    """Statements with an operator or two, and calls of ops."""
    lines = ["placeholder x0: float32[batch, 4]\nplaceholder k: float32[4]\n"]
    for at in range(statements // 4):
        lines.append(
            f"a{at} = x{at} * 0.5 + 1.0\nb{at} = maximum(a{at}, k)\n"
            f"c{at} = reduce_mean(b{at}, axis=1, keepdims=true)\nx{at + 1} = b{at} - c{at}\n"
        )
    return [("plain.tfg", "".join(lines))]


def blocks(statements: int) -> Texts:
    """Scopes with variables and ten ops each, as in the load `building`."""
    from benchmarks.loads.building import texts

    return [("blocks.tfg", texts(2 * statements)[0])]


def functions(statements: int) -> Texts:
    """Functions of five lines, each called once."""
    from benchmarks.editor import functions

    return [("functions.tfg", functions(statements))]


def layers(statements: int) -> Texts:
    """Scopes with layers by hand, and layers of `nn`."""
    from benchmarks.editor import network

    return [("layers.tfg", network(statements))]


def raw(statements: int) -> Texts:
    """Calls of raw TensorFlow ops."""
    lines = ["placeholder x0: float32[8, 4]\n"]
    for at in range(statements // 3):
        lines.append(
            f"a{at} = raw.Relu(features=x{at})\nb{at} = raw.AddV2(x=a{at}, y=x{at})\n"
            f"x{at + 1} = raw.Roll(input=b{at}, shift=1, axis=0)\n"
        )
    return [("raw.tfg", "".join(lines))]


KINDS: dict[str, Callable[[int], Texts]] = {
    one.__name__: one for one in (models, plain, blocks, functions, layers, raw)
}  # fmt: skip


class Checker:
    """A process that checks texts with the project in a folder."""

    def __init__(self, folder: Path, texts: Texts):
        command = [sys.executable, __file__, "--serve", str(folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._say(texts)
        self.check()

    def _say(self, message: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()

    def check(self) -> tuple[float, float]:
        """Seconds of the processor for parsing all texts, and for checking them."""
        self._say("check")
        assert self._process.stdout is not None
        parse, check = json.loads(self._process.stdout.readline())
        return parse, check

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()


def serve(folder: str) -> None:
    """Check the texts of the first line of standard input, once for each further line."""
    sys.path.insert(0, folder)
    from tfdsl.driver import check
    from tfdsl.source import Source
    from tfdsl.syntax.parse import parse_anyway

    texts: Texts = json.loads(sys.stdin.readline())
    for _ in sys.stdin:
        parse = _seconds(lambda: [parse_anyway(Source(path, text)) for path, text in texts])
        print(json.dumps((parse, _seconds(lambda: [check(Source(path, text)) for path, text in texts]))), flush=True)


def _seconds(action: Callable[[], object]) -> float:
    gc.collect()
    begun = time.process_time()
    action()
    return time.process_time() - begun


def main() -> None:
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2])
        return
    sys.path.insert(0, str(ROOT))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--statements", type=int, default=10_000, help="of each generated program (default: 10000)")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS), metavar="NAME")
    parser.add_argument("--files", nargs="+", type=Path, default=[], metavar="FILE")
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    kinds = {name: KINDS[name](options.statements) for name in options.kinds}
    if options.files:
        kinds["files"] = [(str(path), path.read_text(encoding="utf-8")) for path in options.files]
    folders = [ROOT, *([options.against] if options.against else [])]
    checkers = {name: [Checker(folder, texts) for folder in folders] for name, texts in kinds.items()}
    least: dict[str, list[tuple[float, float]]] = {}
    for _ in range(options.repeats):
        for name, ones in checkers.items():
            found = [one.check() for one in ones]
            before = least.get(name, found)
            least[name] = [(min(p, q), min(c, d)) for (p, c), (q, d) in zip(before, found, strict=True)]
    for ones in checkers.values():
        for one in ones:
            one.close()
    print(
        "| kind | kB | parse, ms | check, ms | MB/s |" + (" parse, times | check, times |" if options.against else "")
    )
    print("| --- | --- | --- | --- | --- |" + (" --- | --- |" if options.against else ""))
    for name, (here, *there) in least.items():
        size = sum(len(text) for _, text in kinds[name])
        row = f"| {name} | {size / 1e3:.0f} | {1e3 * here[0]:.0f} | {1e3 * here[1]:.0f} | {size / 1e6 / here[1]:.2f} |"
        row += "".join(f" {parse / here[0]:.2f} | {check / here[1]:.2f} |" for parse, check in there)
        print(row)


if __name__ == "__main__":
    main()
