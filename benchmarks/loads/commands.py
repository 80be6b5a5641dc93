"""Whole processes of other work: short and many trainings, predictions for a file, a lifted graph."""

import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from ..programs.large_csv_rows import write
from ..result import LoadResult, Row, Wanted
from .startup import PROGRAMS, measure, run

SHORT_STEP, SHORT = "tfdsl run --engine step: 1,000 full-batch steps", "tfdsl run: 1,000 full-batch steps"
MANY_SCRIPT, MANY = "a script with eight trainings of an epoch", "tfdsl run: eight trainings of an epoch"
PREDICT_SCRIPT, PREDICT = "a script that predicts 20,000 rows", "tfdsl predict: 20,000 rows"
LIFTED_SCRIPT, LIFTED = "a script that trains a .meta further", "tfdsl run: the lifted .meta trained further"
_TFDSL = [sys.executable, "-m", "tfdsl"]
_ROWS = 20_000
_TRAINING = """    train 10 epochs on digits in batches of 50 ordered as batch:
        feed X = batch.features, y = batch.target[:, 0]
    print "loss", loss with X = digits.features, y = digits.target[:, 0]
"""


class Commands:
    name = "commands"

    def measure(self, settings) -> LoadResult:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            rows = measure([short(), many(), lifted(folder)], settings, self.name)
            if find_spec("pandas") is None:
                rows += [Row(name, "", "pandas is not installed") for name in (PREDICT_SCRIPT, PREDICT)]
            else:
                rows += measure([predictions(folder)], settings, self.name)
        wanted = [
            Wanted(SHORT, SHORT_STEP, 1.05, is_time=True), Wanted(MANY, MANY_SCRIPT, 0.5, is_time=True),
            Wanted(LIFTED, LIFTED_SCRIPT, 0.5, is_time=True), Wanted(PREDICT, PREDICT_SCRIPT, 0.6, is_time=True),
        ]  # fmt: skip
        return LoadResult(self.name, "whole processes of other work", "run", rows, wanted)


def short() -> dict[str, list[str]]:
    command = [*_TFDSL, "run", "-q", "models/gradient_descent_by_hand.tfg"]
    return {SHORT_STEP: [*command, "--engine", "step"], SHORT: command}


def many() -> dict[str, list[str]]:
    return {
        MANY_SCRIPT: [sys.executable, str(PROGRAMS / "many.py")],
        MANY: [*_TFDSL, "run", str(PROGRAMS / "many.tfg")],
    }


def predictions(folder: Path) -> dict[str, list[str]]:
    """Train and save the model, and return the commands that predict new rows."""
    shutil.copy(PROGRAMS / "predicted.tfg", folder)
    known, new, saved, program = (
        str(folder / one) for one in ("rows.csv", "new.csv", "kept/model.ckpt", "predicted.tfg")
    )
    write(Path(known), _ROWS)
    write(Path(new), _ROWS)
    run([*_TFDSL, "run", "-q", program, "--set", f"saved={saved}"])
    chosen = ["--from", saved, "--data", f"rows={new}", "--values", "score", "-q", "--overwrite"]
    return {
        PREDICT_SCRIPT: [sys.executable, str(PROGRAMS / "predicted.py"), known, saved, new, str(folder / "script.csv")],
        PREDICT: [*_TFDSL, "predict", program, *chosen, "-o", str(folder / "tfdsl.csv")],
    }


def lifted(folder: Path) -> dict[str, list[str]]:
    """Make a graph and its checkpoint, lift it, and return the commands that train it further."""
    script, program = [sys.executable, str(PROGRAMS / "lifted.py")], folder / "lifted.tfg"
    run([*script, "make", str(folder)])
    run([*_TFDSL, "lift", str(folder / "model.meta"), "-o", str(program)])
    program.write_text("data digits = digits()\n" + program.read_text(encoding="utf-8") + _TRAINING, encoding="utf-8")
    return {
        LIFTED_SCRIPT: [*script, "train", str(folder)],
        LIFTED: [*_TFDSL, "run", "-q", str(program)],
    }
