"""Every program in `models/` passes the check without a warning and runs."""

import re
import shlex
import shutil
import sys
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from conftest import some
from PIL import Image
from programs import WITH_DATA

import tfdsl
from tfdsl.cli import main
from tfdsl.data.sources.california_housing import fetch

# Programs that need a cluster, with their errors without one. test_cluster_shared.py runs them.
ON_CLUSTERS = {
    "cluster_variables": ("TFG713", "    variable x = 3"),
    "cluster_shared": ("TFG713", "    variable x = 0"),
    "cluster_containers": ("TFG744", "    run descend, count"),
}
MODELS = sorted((Path(__file__).resolve().parents[2] / "models").glob("*.tfg"))


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder to write to, without a network: california_housing is its stand-in."""
    monkeypatch.chdir(tmp_path)

    def unreachable():
        raise OSError("no network in tests")

    monkeypatch.setattr(fetch, "fetched", unreachable)
    return tmp_path


# The loop of `autodiff_passes` is unrolled to thousands of nodes.
@pytest.mark.parametrize(
    "path", some(MODELS, [path for path in MODELS if path.stem != "autodiff_passes"]), ids=lambda path: path.stem
)
def test_model_passes_the_check(path):
    # One model has a deliberate mistake: tests/chapter/test_chapter_models.py.
    assert [d.code for d in tfdsl.check(path)] == ["TFG901"] * (path.stem == "relu_repeated")


# "housing" runs below. The others run in tests/chapter/test_chapter_models.py or tests/ports/, some for fewer epochs or
# only with `--long`.
HERE = {"graphs", "moons", *ON_CLUSTERS}


@pytest.mark.parametrize(
    "path", some(MODELS, [path for path in MODELS if path.stem in HERE]), ids=lambda path: path.stem
)
def test_model_runs(path, elsewhere):
    if path.stem in ON_CLUSTERS:
        with pytest.raises(tfdsl.TfgError) as error:
            tfdsl.compile(path).run()
        (diagnostic,) = error.value.diagnostics
        line = diagnostic.span.source.text.splitlines()[diagnostic.span.line - 1]
        assert (diagnostic.code, line) == ON_CLUSTERS[path.stem]
        return
    result = tfdsl.compile(path).run()
    assert result.printed
    assert not result.interrupted


def test_housing_trains_on_the_stand_in_with_a_note(elsewhere):
    from tfdsl.runtime.options import Options

    notes = []
    path = next(p for p in MODELS if p.stem == "housing")
    result = tfdsl.compile(path).run(options=Options(write=lambda line: None, note=notes.append))
    assert result.data["housing"].synthetic
    assert sum("TFG903" in note for note in notes) == 1
    assert 0.5 < result.history["MSE"][-1][1] < 1.0
    assert (elsewhere / "checkpoints" / "housing_final.ckpt.index").exists()
    assert not (elsewhere / "checkpoints" / "housing").exists()


@pytest.mark.parametrize(
    "path",
    some(WITH_DATA, [path for path in WITH_DATA if path.stem in ("ferries", "messages")]),
    ids=lambda path: path.stem,
)
def test_model_with_data(path, elsewhere, capsys):
    """A copy passes the check without a warning, and what `tfdsl new` says to type next works."""
    assert main(["new", ".", "--from", path.stem]) == 0
    assert main(["check", f"{path.stem}.tfg"]) == 0
    out, err = capsys.readouterr()
    assert err == "1 file: 0 errors, 0 warnings\n"
    for command in re.findall("^    tfdsl (.*)$", out, re.M):
        assert main(shlex.split(command)) == 0
    if path.stem == "ferries":  # with a program for new rows alone
        assert main(["run", "predict.tfg"]) == 0
        assert rows(Path("predictions/ferries.csv"))[1:] == rows(Path("out.csv"))[1:]
    assert "warning" not in capsys.readouterr().err
    written = list(Path().glob("*/*.csv"))
    assert written or path.stem == "dqn"  # which only prints
    assert all(len(rows(one)) > 5 for one in written)


def rows(path):
    return path.read_text(encoding="utf-8").splitlines()


def test_the_data_of_the_models_are_made_by_the_script(tmp_path):
    folder = Path(__file__).resolve().parents[2] / "models"
    shutil.copy(folder / "make_data.py", tmp_path)
    shutil.copytree(folder / "dqn", tmp_path / "dqn", ignore=shutil.ignore_patterns("*.csv"))
    run([sys.executable, tmp_path / "make_data.py"], check=True)
    kinds = (".csv", ".png", ".txt")
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.suffix in kinds}
    assert made == {path.relative_to(folder) for p in WITH_DATA for path in p.parent.rglob("*") if path.suffix in kinds}
    for path in made:
        if path.suffix == ".png":  # which may be packed otherwise
            np.testing.assert_array_equal(Image.open(tmp_path / path), Image.open(folder / path))
        else:
            assert (tmp_path / path).read_bytes() == (folder / path).read_bytes()
