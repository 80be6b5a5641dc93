"""Writes the file for `large_csv.tfg`: 20 columns of normal numbers with six decimals, and a linear target with noise.

    python benchmarks/programs/large_csv_rows.py FILE [ROWS]

400,000 rows are 80 MB.
"""

import sys
from pathlib import Path

import numpy as np

COLUMNS = 20
ROWS = 400_000
_BLOCK = 10_000  # rows


def write(path: Path, rows: int = ROWS) -> None:
    random = np.random.default_rng(0)
    weights = random.normal(size=COLUMNS) / COLUMNS**0.5
    with path.open("w", encoding="ascii") as file:
        file.write(",".join([*(f"x{at}" for at in range(COLUMNS)), "y"]) + "\n")
        for start in range(0, rows, _BLOCK):
            X = random.normal(size=(min(_BLOCK, rows - start), COLUMNS))
            y = X @ weights + 0.1 * random.normal(size=len(X))
            np.savetxt(file, np.column_stack([X, y]), "%.6f", ",")


if __name__ == "__main__":
    write(Path(sys.argv[1]), *map(int, sys.argv[2:]))
