"""A whole process that trains on a large CSV file: its time and its memory, against a script with pandas."""

import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..programs.large_csv_rows import write
from ..result import LoadResult, Row, Wanted
from .startup import PROGRAMS, measure

TFDSL, SCRIPT = "tfdsl run: a CSV file of 80 MB", "a script with pandas and TensorFlow 1"


class LargeCsv:
    name = "csv"

    def measure(self, settings):
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
