"""What the README shows is what happens: its programs, its commands, their output."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import tfdsl
from tfdsl.cli import main

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
CONSOLE = re.findall(r"```console\n\$ tfdsl (.*?)\n(.*?)```", TEXT, re.S)
NUMBER = re.compile(r"-?\d+\.\d+")


@pytest.mark.parametrize(("command", "output"), [
    pytest.param(*one, id=one[0], marks=[pytest.mark.long] if "--verify-resume" in one[0] else []) for one in CONSOLE
])  # fmt: skip
def test_console_output(command, output, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    main(shlex.split(command))
    found = capsys.readouterr().out
    assert NUMBER.sub("#", found) == NUMBER.sub("#", output)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (found, output)]
    np.testing.assert_allclose(*numbers, atol=0.02)


def test_programs_pass_the_check():
    for text in re.findall(r"```tfg\n(.*?)```", TEXT, re.S):
        assert tfdsl.check(text) == []


def test_program_at_the_top_is_the_model():
    first = re.search(r"```tfg\n(.*?)```", TEXT, re.S)[1]
    assert first == (ROOT / "models" / "moons.tfg").read_text(encoding="utf-8")


def test_python_example(capsys):
    names: dict = {}
    exec(re.search(r"```python\n(.*?)```", TEXT, re.S)[1], names)
    assert names["result"].printed == ["0 1.0", "1 0.25", "2 0.0625"]
    assert names["mse"] == 9.0


def test_function_of_python_as_an_op():
    names: dict = {}
    (example,) = (text for text in re.findall(r"```python\n(.*?)```", TEXT, re.S) if "ops={" in text)
    exec(example, names)
    assert names["program"].run().printed == ["[[1.5 2.5 3.5 4. ]]"]


def test_every_command_is_described():
    from tfdsl.cli import COMMANDS

    for name in COMMANDS:
        assert f"`tfdsl {name} " in TEXT


def test_what_the_readme_names_is_public_and_documented():
    names = set(re.findall(r"\btfdsl\.([A-Za-z]\w*)(?=\()", TEXT)) | {"TfgError", "Options"}
    assert names <= set(tfdsl.__all__)
    for name in tfdsl.__all__:
        assert getattr(tfdsl, name).__doc__, name


def test_no_message_says_to_install_the_package_from_an_index():
    from tfdsl.diagnostics import CATALOGUE

    hints = [line for message in CATALOGUE.values() for line in (message.headline, message.help)]
    assert not [hint for hint in hints if "pip install" in hint and "tfdsl" in hint]
    for path in (ROOT / "tfdsl").rglob("*.py"):
        assert not re.search(r"pip install \S*tfdsl", path.read_text(encoding="utf-8")), path
