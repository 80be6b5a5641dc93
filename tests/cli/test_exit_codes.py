"""The exit codes of commands: 0 done, 1 the run or a check failed, 2 wrong use, as docs/commands.md says."""

import shlex
import sys

import pytest

from tfdsl.cli import main

PROGRAM = """param rate = 0.1
data d = csv("d.csv", target="y")
placeholder X: float32[n, d.columns]
variable w: float32[d.columns, 1] = zeros
p = X @ w
signature "both": p with X

session:
    print w
"""
CONFIGS = {
    "two": "data: {dd: d.csv}\nparams: {rate: fast}", "value": "params: {rate: fast}", "key": "parms: {}",
    "form": "params: {", "none": "", "name": "data: {dd: d.csv}", "jobs": "cluster: {ps: [a:1]}",
}  # fmt: skip
DONE = ["check good.tfg", "check good.tfg --config none.yaml", "data d.csv", "runs", "schema"]
FAILED = [
    "check bad.tfg", "check none.tfg", "run none.tfg", "data none.csv", "tensorboard none.tfg", "tensorboard none",
    "check good.tfg --config missing.yaml", "check bad.tfg --set rte=1", "export bad.tfg -o m",
]  # fmt: skip
WRONG = [
    "chek", "run", "check good.tfg --colour", "check good.tfg --set rte=1", "check good.tfg --set rate=fast",
    "check good.tfg --data dd=d.csv", "run good.tfg --session s",
    *(f"check good.tfg --config {name}.yaml" for name in ("two", "value", "key", "form", "name")),
    "reset --config none.yaml --container c", "launch good.tfg --config jobs.yaml", "runs show r", "runs show last",
    "export good.tfg -o m --signature bothh", "export good.tfg -o m --values q",
    "export good.tfg -o m --values p --with X=d.featuers", "export good.tfg -o m --values p --with X=d.",
    "tune good.tfg --over rate=log(1,2) --minimize tset", "tune good.tfg --over rte=log(1,2) --minimize p",
    "eval good.tfg q", "eval good.tfg 'p +'", "tensorboard good.tfg", "tensorboard --port 99999", "explain nothing",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("codes")
    (folder / "d.csv").write_text("a,y\n1,2\n3,4\n")
    (folder / "good.tfg").write_text(PROGRAM)
    (folder / "bad.tfg").write_text("param rate = 1\nx = nothing\n")
    for name, text in CONFIGS.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


def code_of(line):
    try:
        return main(shlex.split(line))
    except SystemExit as ended:
        return ended.code


@pytest.mark.parametrize(
    ("line", "code"), [(line, code) for code, lines in enumerate((DONE, FAILED, WRONG)) for line in lines]
)
def test_exit_codes(folder, monkeypatch, capsys, line, code):
    monkeypatch.chdir(folder)
    assert code_of(line) == code
    said = capsys.readouterr()
    assert "TFG899" not in said.err and bool(said.err) >= (code > 0 and not said.out)


def test_a_missing_package_is_a_failure(folder, monkeypatch, capsys):
    """Whichever command needs it: the command line is right."""
    monkeypatch.chdir(folder)
    for name in [one for one in sys.modules if one.partition(".")[0] in ("optuna", "tf2onnx", "onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("tfdsl.cli.onnx.find_spec", lambda name: None)
    for line in ("tensorboard .", "export good.tfg -o m.onnx"):
        assert code_of(line) == 1
        assert "error[TFG895]: this needs the package " in (said := capsys.readouterr().err) and "pip install" in said


@pytest.mark.parametrize("name", ["m.h5", "m.tflite", "M.KERAS"])
def test_forms_that_are_not_written(folder, monkeypatch, capsys, name):
    monkeypatch.chdir(folder)
    assert code_of(f"export good.tfg -o {name}") == 2
    assert "is not a form that tfdsl writes; write a folder, a .pb or an .onnx file" in capsys.readouterr().err
    assert not (folder / name).exists()
