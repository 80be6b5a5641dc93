"""Measures the memory that a training on a large data set takes beyond TensorFlow itself.

    python benchmarks/memory.py [--gigabytes 4] [--folder DIR] [--steps 2000]

Writes an .npz of float32 to the folder once. Then trains on it, in a new process each time, and prints a line for each
engine and transform. `peak` is the maximum memory of the process. `beyond` is that minus what it was after a program
without data, relative to the size of the data.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np

COLUMNS = 125
BLOCK = 1 << 16  # rows
TRANSFORMS = ("", "| standardize", "| standardize | add_bias | split(test=0.2)")
ENGINES = ("loop", "step", "xla")
TINY = "variable x = 1.0\nsession:\n    train 10 steps:\n        run assign(x, x + 1.0)\n"
PROGRAM = """
data big = npz("{file}") {transforms}
placeholder X: float32[n, big.columns]
placeholder y: float32[n, 1]
variable w: float32[big.columns, 1] = zeros
mse = reduce_mean(square(X @ w - y))
optimize mse with gradient_descent(learning_rate=0.001)
session:
    train {steps} steps on big{part} in batches of 100 as batch:
        feed X = batch.features, y = batch.target
        every 1000 steps: print step, mse
"""
RUN = """
import resource, sys
from tfdsl.cli import main
engine, *paths = sys.argv[1:]
for path in paths:
    code = main(["run", "-q", path, "--engine", engine])
    print(code, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, file=sys.stderr)
"""


def write(path: Path, rows: int) -> None:
    """An uncompressed .npz of `features` and `target`, written block by block."""
    random = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w") as archive:
        for name, columns in (("features", COLUMNS), ("target", 1)):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                header = {"descr": "<f4", "fortran_order": False, "shape": (rows, columns)}
                np.lib.format.write_array_header_2_0(file, header)
                for start in range(0, rows, BLOCK):
                    file.write(random.random((min(BLOCK, rows - start), columns), np.float32).tobytes())


def peaks(program: str, engine: str, folder: Path) -> tuple[int, int]:
    """The maximum memory of a process that runs a program without data, and then of the same that runs this one, in
    bytes."""
    paths = folder / "tiny.tfg", folder / "program.tfg"
    for path, text in zip(paths, (TINY, program), strict=True):
        path.write_text(text)
    done = subprocess.run([sys.executable, "-c", RUN, engine, *paths], capture_output=True, text=True)
    *_, first, tiny, second, whole = ["1"] * 4 + done.stderr.split()
    if (first, second) != ("0", "0"):
        raise SystemExit(done.stderr)
    return int(tiny), int(whole)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--gigabytes", type=float, default=4.0)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    rows = int(arguments.gigabytes * 1e9 / (4 * COLUMNS))
    size = 4 * rows * (COLUMNS + 1)
    file = arguments.folder / f"memory-{rows}.npz"
    if not file.exists():
        write(file, rows)
    print(f"data: {rows} x {COLUMNS} float32 and a target, {size / 1e9:.2f} GB")
    print(f"{'engine':8}{'transforms':44}{'peak MB':>9}{'tiny MB':>9}{'beyond':>8}{'seconds':>9}")
    for engine in ENGINES:
        for transforms in TRANSFORMS:
            part = ".train" if "split" in transforms else ""
            text = PROGRAM.format(file=file.name, transforms=transforms, steps=arguments.steps, part=part)
            started = time.perf_counter()
            tiny, whole = peaks(text, engine, arguments.folder)
            seconds = time.perf_counter() - started
            beyond = (whole - tiny) / size
            print(
                f"{engine:8}{transforms or '(none)':44}{whole / 1e6:9.0f}{tiny / 1e6:9.0f}{beyond:8.2f}{seconds:9.1f}"
            )


if __name__ == "__main__":
    main()
