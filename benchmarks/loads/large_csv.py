"""A whole process that trains on a large CSV file: its time and its memory, against a script with pandas.

    python benchmarks/loads/large_csv.py FILE [ROWS]

writes the file alone: 20 columns of normal numbers with six decimals, and a linear target with noise. 400,000 rows are
80 MB.
"""

import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

COLUMNS = 20
ROWS = 400_000
_BLOCK = 10_000  # rows
TFDSL, SCRIPT = "tfdsl run: a CSV file of 80 MB", "a script with pandas and TensorFlow 1"


def write(path: Path, rows: int = ROWS) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=COLUMNS) / COLUMNS**0.5
    with path.open("w", encoding="ascii") as file:
        file.write(",".join([*(f"x{at}" for at in range(COLUMNS)), "y"]) + "\n")
        for start in range(0, rows, _BLOCK):
            X = random.normal(size=(min(_BLOCK, rows - start), COLUMNS))
            y = X @ weights + 0.1 * random.normal(size=len(X))
            np.savetxt(file, np.column_stack([X, y]), "%.6f", ",")


class LargeCsv:
    name = "csv"

    def measure(self, settings):
        from ..result import LoadResult, Row, Wanted
        from .startup import PROGRAMS, measure

        wanted = [Wanted(TFDSL, SCRIPT, 0.9, is_time=True), Wanted(TFDSL, SCRIPT, 0.8, is_memory=True)]
        if find_spec("pandas") is None:
            rows = [Row(SCRIPT, "", "pandas is not installed"), Row(TFDSL, SCRIPT, "pandas is not installed")]
            return LoadResult(self.name, "a CSV file of 80 MB, whole processes", "run", rows, wanted)
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            write(folder / "rows.csv")
            shutil.copy(PROGRAMS / "large_csv.tfg", folder)
            commands = {
                SCRIPT: [sys.executable, str(PROGRAMS / "large_csv.py"), str(folder / "rows.csv")],
                TFDSL: [sys.executable, "-m", "tfdsl", "run", str(folder / "large_csv.tfg")],
            }
            rows = measure([commands], settings, self.name)
        return LoadResult(self.name, "a CSV file of 80 MB, whole processes", "run", rows, wanted)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
