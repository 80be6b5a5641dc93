"""Records are read as far as they are there, and found by their ids."""

import json
import os
import shutil
import signal
import subprocess
import sys

import forked
import pytest

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.runs.reading import RunRecord, named, records

PROGRAM = "variable w = 1.0\nsession: print w\n"


def recorded(folder="runs"):
    options = tfdsl.Options(write=lambda line: None, record=folder)
    (path,) = tfdsl.compile(PROGRAM).run(options=options).records
    return path


def test_ids(here):
    one, two = recorded(), recorded("deep/er")
    found = records()
    assert [record.path for record in found] == [one, two]
    ids = [record.id for record in found]
    assert all(named(word, found).id == ids[1] for word in (ids[1], "last", ids[1][-6:], f"run-{ids[1]}", two))
    assert named("last~1", found).id == ids[0] and named(one, []).id == ids[0]
    for word, code in (("x", "TFG870"), ("last~2", "TFG870"), (ids[0][:8], "TFG871"), ("", "TFG871")):
        with pytest.raises(TfgError) as caught:
            named(word, found)
        assert [one.code for one in caught.value.diagnostics] == [code], word
    with pytest.raises(TfgError) as caught:
        named("last", [])
    assert "--record" in str(caught.value)


def test_copies_of_a_record_are_one_run(here):
    path = recorded()
    shutil.copytree(path, here / "copy" / os.path.basename(path))
    assert (
        len(records()) == 2
        and named("last", records()).id == named(path, []).id == named(records()[0].id, records()).id
    )


@pytest.mark.parametrize("file", ["run.json", "result.json", "manifest", "program.tfg"])
def test_damage(here, file):
    path = recorded()
    with open(os.path.join(path, file), "r+b") as opened:
        opened.seek(90)
        opened.write(b"#") if file != "program.tfg" else opened.truncate(3)
    record = RunRecord(path)
    if file == "program.tfg":
        assert record.status == "done"
        with pytest.raises(TfgError, match="TFG873"):
            record.texts  # noqa: B018
    else:
        assert record.status == "damaged" and record.fault
        with pytest.raises(TfgError, match="TFG873"):
            named("last", records())


@pytest.mark.parametrize("content", ["[]", "{}", '{"id": 3}', "{"])
def test_files_of_another_form(here, content):
    from tfdsl.access import TRUSTED
    from tfdsl.runtime.files.durable_io import finish

    path = recorded()
    with open(os.path.join(path, "run.json"), "w", encoding="utf-8") as file:
        file.write(content)
    with TRUSTED.folder(path) as folder:
        finish(folder, "manifest", {"version": 1})
    assert RunRecord(path).fault == "run.json was not written by a run"


def test_a_killed_run(here):
    """The kill comes while the run lasts. Its record has the beginning."""
    (here / "p.tfg").write_text(
        'variable w = 1.0\nmore = assign_add(w, 1.0)\nsession:\n    log to "logs"\n    print w\n    train 1_000_000_000 steps: run more\n'
    )
    command = [sys.executable, "-m", "tfdsl", "run", "p.tfg"]
    with forked.Popen(command, cwd=here, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        process.stdout.readline()
        assert records()[0].status == "running"
        process.send_signal(signal.SIGKILL)
    (record,) = records()
    assert record.status == "killed" and record.end is None and record.begin["program"] == "p.tfg"
    assert list(record.curves()) == [] and "train" in next(iter(record.texts.values()))


def test_hidden_folders_and_environments_are_left_out(here):
    recorded(".hidden/runs")
    recorded("venv/runs")
    (here / "venv" / "pyvenv.cfg").write_text("")
    assert records() == [] and len(records([".hidden"])) == 1


def test_the_files_are_plain(here):
    path = recorded()
    assert sorted(os.listdir(path)) == ["manifest", "program.tfg", "result.json", "run.json"]
    for name in ("run.json", "result.json"):
        with open(os.path.join(path, name), encoding="utf-8") as file:
            assert json.load(file)
    with open(os.path.join(path, "program.tfg"), encoding="utf-8") as file:
        assert file.read() == PROGRAM
