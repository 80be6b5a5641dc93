"""Whole processes of other work: the chapter's programs, short and many trainings, predictions, a lifted graph, a
search, a record."""

import shlex
import shutil
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from ..programs.large_csv_rows import write
from ..result import LoadResult, Row, Wanted
from ..workers import Worker
from .startup import PROGRAMS, ROOT, RawHousing, measure, run

CHAPTER_SCRIPTS, CHAPTER = "the chapter's programs as scripts, one after the other", "tfdsl run: the same programs"
SHORT_STEP, SHORT = "tfdsl run --engine step: 1,000 full-batch steps", "tfdsl run: 1,000 full-batch steps"
MANY_SCRIPT, MANY = "a script with eight trainings of an epoch", "tfdsl run: eight trainings of an epoch"
PREDICT_SCRIPT, PREDICT = "a script that predicts 20,000 rows", "tfdsl predict: 20,000 rows"
LIFTED_SCRIPT, LIFTED = "a script that trains a .meta further", "tfdsl run: the lifted .meta trained further"
SEARCH_SCRIPT, SEARCH = "an Optuna script with six trainings of moons", "tfdsl tune: six trainings of moons"
UNRECORDED, RECORDED = "tfdsl run models/basics.tfg", "tfdsl run --record models/basics.tfg"
_TFDSL = [sys.executable, "-m", "tfdsl"]
_ROWS = 20_000
_CHAPTER = (
    "basics", "lifecycle", "placeholders", "relu", "normal_equation", "gradient_descent_by_hand",
    "gradient_descent_autodiff", "gradient_descent_optimizer", "momentum", "save_and_restore", "name_scopes",
)  # fmt: skip
_TRAINING = """    train 10 epochs on digits in batches of 50 ordered as batch:
        feed X = batch.features, y = batch.target[:, 0]
    print "loss", loss with X = digits.features, y = digits.target[:, 0]
"""


class Commands:
    name = "commands"

    def measure(self, settings) -> LoadResult:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            rows = measure([chapter(folder), short(), many(), lifted(folder), recorded(folder)], settings, self.name)
            if find_spec("optuna") is None:
                rows += [Row(name, "", "Optuna is not installed") for name in (SEARCH_SCRIPT, SEARCH)]
            else:
                rows += measure([search(folder)], settings, self.name)
            if find_spec("pandas") is None:
                rows += [Row(name, "", "pandas is not installed") for name in (PREDICT_SCRIPT, PREDICT)]
            else:
                rows += measure([predictions(folder)], settings, self.name)
        wanted = [
            Wanted(CHAPTER, CHAPTER_SCRIPTS, 0.5, is_time=True),
            Wanted(SHORT, SHORT_STEP, 1.05, is_time=True), Wanted(MANY, MANY_SCRIPT, 0.5, is_time=True),
            Wanted(LIFTED, LIFTED_SCRIPT, 0.5, is_time=True), Wanted(PREDICT, PREDICT_SCRIPT, 0.6, is_time=True),
            Wanted(SEARCH, SEARCH_SCRIPT, 0.33, is_time=True), Wanted(RECORDED, UNRECORDED, 1.03, is_time=True),
        ]  # fmt: skip
        return LoadResult(self.name, "whole processes of other work", "run", rows, wanted)


def chapter(folder: Path) -> dict[str, list[str]]:
    """Programs of `models/`, each in its own process. The housing data of both are in a file, without a network."""
    with Worker(RawHousing) as worker:
        features, target, _ = worker.call("load")
    data = folder / "housing.npz"
    np.savez(data, features=features, target=target.reshape(-1))
    scripts = [[sys.executable, str(PROGRAMS / "chapter.py"), name, str(data)] for name in _CHAPTER]
    programs = []
    for path in [ROOT / "models" / f"{name}.tfg" for name in _CHAPTER]:
        given = [f"--data=housing={data}"] if "data housing" in path.read_text(encoding="utf-8") else []
        programs.append([*_TFDSL, "run", "-q", str(path), *given])
    return {CHAPTER_SCRIPTS: in_turn(folder / "scripts", scripts), CHAPTER: in_turn(folder / "programs", programs)}


def in_turn(folder: Path, commands: list[list[str]]) -> list[str]:
    """A command that runs commands in a new folder, one after the other."""
    folder.mkdir()
    return ["sh", "-c", " && ".join([f"cd {shlex.quote(str(folder))}", *map(shlex.join, commands)])]


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


def recorded(folder: Path) -> dict[str, list[str]]:
    command = [*_TFDSL, "run", "models/basics.tfg"]
    return {UNRECORDED: command, RECORDED: [*command, "--record", str(folder / "records")]}


def search(folder: Path) -> dict[str, list[str]]:
    """A grid of rates and sizes of batches. Each command of tfdsl is a shell's, which begins a study anew."""
    chosen = [
        "--over", "rate=choice(0.01, 0.1, 1.0)", "--over", "size=choice(50, 100)", "--sampler", "grid", "--minimize",
        "test", "--engine", "xla", "-q", "--study", str(folder / "study"), "-o", str(folder / "best.tfg"),
    ]  # fmt: skip
    tune = shlex.join([*_TFDSL, "tune", str(PROGRAMS / "search.tfg"), *chosen])
    return {
        SEARCH_SCRIPT: [sys.executable, str(PROGRAMS / "search.py")],
        SEARCH: ["sh", "-c", f"rm -rf {shlex.quote(str(folder / 'study'))} && exec {tune}"],
    }
