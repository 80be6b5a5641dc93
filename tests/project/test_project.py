"""The files of a public project besides its code: metadata, license, citation, hooks for other repositories, and what
is distributed."""

import os
import re
import shlex
import sys
import tomllib
from contextlib import chdir
from pathlib import Path
from zipfile import ZipFile

import forked
import pytest
import yaml
from hatchling.build import build_wheel
from hatchling.builders.sdist import SdistBuilder

import tfdsl
from tfdsl.cli import main

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


def test_the_version_is_in_one_place():
    assert "version" in PROJECT["project"]["dynamic"] and "version" not in PROJECT["project"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "tfdsl/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", tfdsl.__version__)
    named = [ROOT / "pyproject.toml", ROOT / "README.md", ROOT / "CITATION.cff"]
    assert not [path.name for path in named if tfdsl.__version__ in path.read_text(encoding="utf-8")]


def test_distributed_files_exist():
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["sdist"]["include"]
    assert not [name for name in included if not (ROOT / name).exists()]
    assert {path.name for path in ROOT.glob("*.md")} <= set(included)
    inside = {Path(file.path) for file in SdistBuilder(str(ROOT)).recurse_included_files()}
    kinds = (".tfg", ".csv", ".png", ".txt", ".py")
    assert {path for path in (ROOT / "models").rglob("*") if path.suffix in kinds} <= inside


_BEGIN = """
import sys
for name in [name for name in sys.modules if name.partition(".")[0] == "tfdsl"]:  # that of the project
    del sys.modules[name]
import tfdsl
from tfdsl.cli import main
assert tfdsl.__file__.startswith(sys.argv[1]), tfdsl.__file__
sys.exit(main(["new", "."]) or main(["run", "ferries.tfg"]))
"""


@pytest.mark.long
def test_the_wheel_has_every_file_and_its_programs_run(tmp_path):
    with chdir(ROOT):
        wheel = ZipFile(tmp_path / build_wheel(str(tmp_path)))
    inside = {name.removeprefix("tfdsl/") for name in wheel.namelist()}
    files = {path.relative_to(base).as_posix() for base, folder in ((ROOT, "models"), (ROOT, "grammars"),
                                                                    (ROOT / "tfdsl", "."))
             for path in (base / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts}  # fmt: skip
    assert len(files) > 200 and files <= inside | {"bin/tfdsl"}
    wheel.extractall(tmp_path / "site")
    (tmp_path / "shop").mkdir()
    done = forked.run([sys.executable, "-c", _BEGIN, str(tmp_path / "site")], cwd=tmp_path / "shop", text=True,
                      capture_output=True, env={**os.environ, "PYTHONPATH": str(tmp_path / "site")})  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_the_wheel_has_the_pages_that_commands_read():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tfdsl").rglob("*.py")]
    read = {f"docs/{name}" for text in texts for name in re.findall(r'"(\w+\.md)"', text)}
    included = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert read and read <= set(included)


def test_the_license_is_the_same_everywhere():
    license = PROJECT["project"]["license"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert license == citation["license"] == "Apache-2.0" and PROJECT["project"]["license-files"] == ["LICENSE"]
    assert "Version 2.0, January 2004" in (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert citation["title"].startswith("tfdsl") and citation["authors"] and citation["message"]


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_work(hook, here, capsys):
    program, *words = shlex.split(hook["entry"])
    assert program in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["shared-scripts"].values()
    assert re.search(hook["files"], "models/line.tfg") and not re.search(hook["files"], "models/line.py")
    (here / "line.tfg").write_text("x   = constant(1.0)\nsession: print x\n", encoding="utf-8")
    assert main([*words, "line.tfg"]) == 0
    if hook["id"] == "fmt":  # a hook that changes a file stops the commit
        assert (here / "line.tfg").read_text(encoding="utf-8").startswith("x = constant(1.0)")
    (here / "line.tfg").write_text("x = = 1\n", encoding="utf-8")
    assert main([*words, "line.tfg"]) == 1
    assert "error[TFG" in "".join(capsys.readouterr())


def test_this_repository_uses_its_own_hooks_and_ruff():
    own = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"]
    entries = {hook["id"]: hook["entry"] for repo in own for hook in repo["hooks"]}
    assert {hook["id"]: hook["entry"] for hook in HOOKS}.items() <= entries.items()
    assert [repo["repo"] for repo in own] == ["local"]
