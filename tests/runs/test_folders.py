"""Searches for programs pass records and studies by, which are known by what is in them."""

import pytest

from tfdsl.cli import main
from tfdsl.editor.formatting import formatted
from tfdsl.editor.text import OpenText
from tfdsl.editor.workspace import Workspace
from tfdsl.runs.folders import is_recorded, project_folders
from tfdsl.runs.reading import records

UNFORMATTED = "a=b\n"  # an unknown name


@pytest.fixture
def project(here):
    """Programs of a user in folders with names of records, and records in folders with other names."""
    for path in (
        "a.tfg", "runs/b.tfg", "run-20261130-031722-9f3a2c/c.tfg", "studies/d.tfg", "run.json/e.tfg",
        "kept/run.json", "kept/manifest", "kept/program.tfg", "kept/more/import-1.tfg",
        "search/journal.log", "search/trials/0000/f.tfg",
        "node_modules/g.tfg", ".hidden/h.tfg", "env/pyvenv.cfg", "env/i.tfg",
    ):  # fmt: skip
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_text(UNFORMATTED)
    (here / "link").symlink_to("runs")
    return here


OWN = ["a.tfg", "run-20261130-031722-9f3a2c/c.tfg", "run.json/e.tfg", "runs/b.tfg", "studies/d.tfg"]


def test_check_and_fmt_of_a_folder(project, capsys):
    assert main(["check", "--format", "concise", "."]) == 1
    assert [line.partition(":")[0] for line in capsys.readouterr().out.splitlines()] == OWN
    assert main(["fmt", "-q", "."]) == 0
    kept = [str(path.relative_to(project)) for path in project.rglob("*.tfg") if path.read_text() == UNFORMATTED]
    assert not {*kept} & {*OWN} and {"kept/program.tfg", "search/trials/0000/f.tfg"} <= {*kept}


@pytest.mark.parametrize("folder", ["kept", "kept/..", "search"])
def test_a_folder_of_a_record_has_no_programs_of_its_own(project, folder, capsys):
    if folder == "kept/..":
        for name in OWN:
            (project / name).unlink()
    assert main(["check", folder]) == 1
    assert "there is no .tfg file in it, apart from records of runs" in capsys.readouterr().err


def test_a_program_of_a_record_is_checked_by_name_and_never_changed(project, capsys):
    assert main(["check", "kept/program.tfg"]) == 1
    assert "TFG301" in capsys.readouterr().out
    (project / "again.tfg").symlink_to("kept/program.tfg")
    for path in ("kept/program.tfg", "again.tfg"):
        for options in ([], ["--check"], ["--diff"]):
            assert main(["fmt", *options, path]) == 0
            said = capsys.readouterr()
            assert said.out == "" and f"tfdsl: {path} belongs to the record of a run" in said.err
    assert (project / "kept/program.tfg").read_text() == UNFORMATTED
    assert is_recorded("kept/manifest") and not is_recorded("a.tfg")


def test_the_editor_passes_records_by(project):
    workspace = Workspace()
    workspace.folders = [str(project)]
    assert sorted(workspace.files()) == [str(project / name) for name in OWN]
    for name, is_changed in (("a.tfg", True), ("kept/program.tfg", False)):
        workspace.change(str(project / name), OpenText(UNFORMATTED))
        assert bool(formatted(workspace.document(str(project / name)))) == is_changed


def test_folders_that_are_left_out(project):
    known = [folder for folder, _ in project_folders(".")]
    assert sorted(known) == [".", "./run-20261130-031722-9f3a2c", "./run.json", "./runs", "./studies"]


def test_a_link_to_a_record_is_not_listed(project):
    assert [one.path for one in records()] == ["run-20261130-031722-9f3a2c"]
    (project / "run-20261130-031722-000000").symlink_to("run-20261130-031722-9f3a2c")
    assert len(records()) == 1
