"""`tfdsl new`: programs to begin with."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tfdsl.cli import main, new

MODELS = Path(__file__).resolve().parents[2] / "models"


def files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if not p.is_dir()}


def test_a_program_with_its_data(here, capsys):
    assert main(["new", "shop"]) == 0
    out, err = capsys.readouterr()
    copied, given = files(here / "shop"), files(MODELS / "ferries")
    assert copied.keys() == given.keys() and err == ""
    for name, content in given.items():
        if not name.endswith(".tfg"):
            assert copied[name] == content
    assert out.splitlines()[: len(copied)] == [f"shop/{name}" for name in sorted(copied)]
    after = out.partition("\nNext:\n\n")[2].splitlines()
    predict = "    tfdsl predict ferries.tfg --from checkpoints/ferries.ckpt --data new.csv -o out.csv"
    assert after[:3] == ["    cd shop", "    tfdsl run ferries.tfg", predict]


@pytest.mark.parametrize("name", new.examples())
def test_each_program_is_copied_and_its_commands_name_its_files(name, here, capsys):
    assert main(["new", "my own/first", "--from", name]) == 0
    enter, *commands = re.findall("^    (.*)$", capsys.readouterr().out, re.M)
    assert enter == "cd 'my own/first'" and f"{name}.tfg" in commands[0]
    place = here / "my own" / "first"
    for command in commands:
        for word in shlex.split(command.partition(" -o ")[0]):
            if word.endswith((".tfg", ".yaml", ".csv", ".py")):
                assert (place / word).is_file(), command


def test_the_list(capsys):
    assert main(["new", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = {path.stem for path in MODELS.glob("*.tfg")} | {path.parent.name for path in MODELS.glob("*/*.tfg")}
    assert {line.split()[0] for line in lines} == names and len(lines) == len(names)
    summary = "Linear regression on California housing, by mini-batch gradient descent with momentum."
    assert next(line for line in lines if line.startswith("housing ")).endswith(f"  {summary}")
    assert all(line.rstrip()[-1] in ".?" for line in lines)


def test_nothing_is_replaced(here, capsys):
    (here / "bookings.csv").symlink_to("nowhere")
    (here / "predict.tfg").mkdir()
    before = sorted(here.iterdir())
    assert main(["new", "."]) == 2
    assert capsys.readouterr() == (
        "",
        "tfdsl: 'bookings.csv' and 'predict.tfg' exist already: nothing was copied; name another folder\n",
    )
    assert sorted(here.iterdir()) == before
    assert main(["new", ".", "--from", "moons"]) == 0  # other names
    assert main(["new", "./", "--from", "moons"]) == 2
    assert "'moons.tfg' exists already" in capsys.readouterr().err


def test_the_working_folder_needs_no_cd(here, capsys):
    assert main(["new", ".", "--from", "moons"]) == 0
    assert capsys.readouterr().out == "moons.tfg\n\nNext:\n\n    tfdsl run moons.tfg\n"
    assert main(["check", "moons.tfg"]) == 0


def test_a_failed_copy_leaves_nothing(here, capsys, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device", "ferries.tfg")

    (here / "old").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(new.Example, "copied", full)
        assert main(["new", "shop"]) == main(["new", "old"]) == 1
    assert "no space left on device" in capsys.readouterr().err
    assert [path.name for path in here.rglob("*")] == ["old"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "needs the name of a folder, as in: tfdsl new shop"),
        (["shop", "--from", "moon"], "there is no program 'moon': did you mean 'moons'?"),
        (["shop", "--from", "xyzzy"], "there is no program 'xyzzy': tfdsl new --list shows all"),
        (["shop", "--list"], "--list copies nothing"),
        (["taken"], "'taken' cannot be a folder: a file is in its way"),
        (["taken/shop"], "'taken/shop' cannot be a folder: a file is in its way"),
        (["a\0b"], "cannot be the name of a folder"),
    ],
    ids=str,
)
def test_wrong_use(words, says, here, capsys):
    (here / "taken").write_text("")
    assert main(["new", *words]) == 2
    out, err = capsys.readouterr()
    assert out == "" and says in err and [path.name for path in here.iterdir()] == ["taken"]


def test_data_that_are_read_only_can_be_changed(here, monkeypatch):
    """A package may be installed read-only."""
    shutil.copytree(MODELS / "ferries", here / "models" / "ferries")
    (here / "models" / "ferries" / "bookings.csv").chmod(0o444)
    monkeypatch.setattr(new, "bundled", lambda name: str(here / name))
    assert main(["new", "shop"]) == 0
    assert (here / "shop" / "bookings.csv").stat().st_mode & 0o200


def test_a_folder_with_the_name_of_another_program(here, capsys):
    assert main(["new", "messages"]) == 0
    assert capsys.readouterr().out.endswith("For the program messages: tfdsl new DIR --from messages\n")
