"""An installation without TensorFlow: `check`, `fmt`, `explain` and `lsp` work, and other commands say what is missing.

The processes have only the packages of editors/requirements.txt.
"""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from language_client import Client

from tfdsl.cli import main

ROOT = Path(__file__).resolve().parents[1]
# Finds no package but those of some distributions, and of these also what they need themselves.
SMALL = """
import sys
from importlib.metadata import distribution, packages_distributions, requires
import re

allowed = set()
def allow(name):
    name = re.match(r"[\\w.-]+", name)[0].lower().replace("_", "-")
    if name not in allowed:
        allowed.add(name)
        try:
            needed = requires(name) or ()
        except Exception:
            needed = ()
        for one in needed:
            if "extra ==" not in one:
                allow(one)

for name in sys.argv.pop(1).split():
    allow(name)
others = {
    module for module, packages in packages_distributions().items()
    if not allowed.intersection(one.lower().replace("_", "-") for one in packages)
}

class OnlyThese:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in others - {"tfdsl"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

assert "tensorflow" in others
sys.meta_path.insert(0, OnlyThese())
"""
RUN = """
import shlex
from tfdsl.cli import main
for line in sys.argv[1:]:
    print("$", line, flush=True)
    try:
        code = main(shlex.split(line))
    except SystemExit as ended:
        code = ended.code
    print("=", code, flush=True)
"""
SERVE = """
from tfdsl.cli import process
sys.argv = ["tfdsl", "lsp"]
process()
"""
PROGRAM = """data d = csv("d.csv", target="y") | standardize

placeholder X: float32[n, d.columns]
variable w: float32[d.columns, 1] = zeros
p = X @ w

session: print p with X = d.features
"""


def requirements(text):
    return {re.match(r"[\w.-]+", line)[0]: line for line in text.splitlines() if line and not line.startswith("#")}


WANTED = requirements((ROOT / "editors/requirements.txt").read_text())


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "d.csv").write_text("a,b,y\n1,2,3\n4,5,6\n")
    (tmp_path / "program.tfg").write_text(PROGRAM)
    (tmp_path / "wrong.tfg").write_text(PROGRAM.replace("X @ w", "X @ v"))
    return tmp_path


def small(text):
    return [sys.executable, "-c", SMALL + text, " ".join(WANTED)]


def outputs(folder, *commands):
    """The exit code and the output of each command."""
    done = subprocess.run(
        [*small(RUN), *commands], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    parts = re.findall(r"^\$ .*\n((?:.*\n)*?)= (\d+)$", done.stdout, re.M)
    assert len(parts) == len(commands), done.stdout
    return [(int(code), text) for text, code in parts]


def test_the_requirements_are_those_of_the_package():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    known = requirements("\n".join([*project["dependencies"], *extras["lsp"]]))
    assert {name: known[name] for name in WANTED} == WANTED


def test_commands_work_without_tensorflow(folder):
    found = outputs(
        folder, "check program.tfg", "check wrong.tfg", "fmt --check program.tfg", "explain TFG301", "explain matmul",
        "summary program.tfg", "ops standardize", "data d.csv", "data program.tfg",
    )  # fmt: skip
    assert [code for code, _ in found] == [0, 1, 0, 0, 0, 0, 0, 0, 0]
    texts = [text for _, text in found]
    assert "1 file: 0 errors, 0 warnings" in texts[0] and "error[TFG301]: there is no name 'v'" in texts[1]
    assert "matmul(a: T, b: T" in texts[4] and "Total params: 2" in texts[5]
    assert "To begin with" in texts[7] and ".features: float32[2, 2]" in texts[8]


def test_data_shows_nothing_by_halves(folder, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich.box", None)
    monkeypatch.chdir(folder)
    assert main(["data", "d.csv"]) == main(["data", "program.tfg"]) == 1
    said = capsys.readouterr()
    assert "TFG895" in said.err and not said.out


def test_other_commands_say_what_is_missing(folder):
    found = outputs(folder, "run program.tfg", "eval program.tfg w", "export program.tfg -o model --values p")
    for code, text in found:
        assert code == 1
        assert "error[TFG895]: this needs the package tensorflow, which is not installed" in text
        assert "pip install" in text and "'tensorflow" in text and "TFG899" not in text


def test_the_language_server_works_without_tensorflow(folder):
    client = Client(folder, small(SERVE))
    try:
        client.start()
        client.open("wrong.tfg", (folder / "wrong.tfg").read_text())
        found = client.diagnostics("wrong.tfg")
        assert [one["code"] for one in found] == ["TFG301"]
    finally:
        client.process.kill()
        client.process.wait()
