"""Records are read as far as they are there, and found by their ids."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from functools import reduce
from operator import getitem

import forked
import pytest
from conftest import some

import tfdsl
from tfdsl.access import TRUSTED
from tfdsl.cli import main
from tfdsl.cli.again import repeated
from tfdsl.diagnostics import TfgError
from tfdsl.runs.reading import RunRecord, named, records
from tfdsl.runtime.files.durable_io import files_of, listed, manifest_bytes, read_manifest

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
    assert record.status == "damaged" and record.fault
    with pytest.raises(TfgError, match="TFG873"):
        named("last", records())


def test_a_text_that_the_manifest_lacks(here):
    path = recorded()
    os.unlink(os.path.join(path, "program.tfg"))
    with TRUSTED.folder(path) as folder:
        names = ["run.json", "result.json"]
        made = manifest_bytes({"version": 1, "files": listed(folder, names)})
    with open(os.path.join(path, "manifest"), "wb") as file:
        file.write(made)
    assert RunRecord(path).fault == "program.tfg is missing"


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


def changed(path, **contents):
    """Give a record other contents, with the checksums of these."""
    for name, content in contents.items():
        with open(os.path.join(path, name), "wb") as file:
            file.write(content)
    with TRUSTED.folder(path) as folder:
        names = {*files_of(read_manifest(folder, "manifest")), *contents}
        folder.remove("manifest")
        manifest = manifest_bytes({"version": 1, "files": listed(folder, sorted(names))})
        with folder.creating("manifest") as file:
            file.write(manifest)


def places(made, at=()):
    """All places in a value of JSON."""
    yield at
    for key, value in made.items() if isinstance(made, dict) else enumerate(made) if isinstance(made, list) else ():
        yield from places(value, (*at, key))


NOTHING = tfdsl.compile("x = 1")  # which has no session to run
STRANGE = (None, 5, "x", [], {}, [1], {"a": 1}, True, float("inf"), -1, "\ud800", [None], {"a": None}, "../../x\0")
COMMANDS = (["runs"], ["runs", "--where", "seconds>0", "--sort", "started"], ["runs", "show", "last"],
            ["runs", "diff", "last~1", "last"], ["runs", "diff", "last", "last~1"])  # fmt: skip


@pytest.mark.parametrize("first", some(range(1, 5), [1]))
@pytest.mark.parametrize("file", ["run.json", "result.json"])
def test_contents_that_no_run_has_written(file, first, here, capsys, monkeypatch):
    """Whatever a record has in place of a value, with the right checksums, commands show it or call it damaged."""
    monkeypatch.setattr("tfdsl.cli.again._compiled", lambda *_: NOTHING.run())  # when the files are in place
    (here / "d.csv").write_text("x,y\n1,2\n2,4\n")
    text = 'data d = csv("d.csv", target="y")\nparam k = 1\nm = reduce_mean(d.features) * k\nsession:\n    a = m\n    print a\n'
    options = tfdsl.Options(write=lambda line: None, record="runs")
    _, (path,) = (tfdsl.compile(text).run(options=options).records for _ in range(2))
    with open(os.path.join(path, file)) as opened:
        right = json.load(opened)
    rng = random.Random(first)
    for at in list(places(right))[first::4]:
        made = json.loads(json.dumps(right))
        of = reduce(getitem, at[:-1], made)
        of[at[-1]] = rng.choice(STRANGE)
        if rng.random() < 0.2:
            del of[at[-1]]
        changed(path, **{file: json.dumps(made).encode()})
        for words in COMMANDS:
            assert main(words) in (0, 1), (at, words)
        with suppress(TfgError), repeated(named("last", records())):
            pass
        said = capsys.readouterr()
        assert "TFG899" not in said.err and sorted(os.listdir()) == ["d.csv", "runs"], at


@pytest.mark.parametrize("line", [b"x", b"{}", b"[1]", b'{"step": 1}', b"\xff", b"[" * 100_000])
def test_curves_that_no_run_has_written(line, here):
    path = recorded()
    changed(path, **{"curves.jsonl": line + b"\n"})
    with pytest.raises(TfgError, match="TFG873"):
        list(RunRecord(path).curves())


@pytest.mark.parametrize("file", ["run.json", "result.json", "manifest"])
@pytest.mark.parametrize("kind", ["gone", "folder", "link", "loop", "pipe", "huge"])
def test_other_things_in_place_of_a_file(file, kind, here, capsys):
    path = os.path.join(recorded(), file)
    os.unlink(path)
    match kind:
        case "folder":
            os.mkdir(path)
        case "link":
            os.symlink("/etc/passwd", path)
        case "loop":
            os.symlink(file, path)
        case "pipe":
            os.mkfifo(path)
        case "huge":
            with open(path, "wb") as opened:
                opened.truncate(1 << 34)  # more than memory has
    assert main(["runs"]) == 0 and "damaged\n" in capsys.readouterr().out
    assert main(["runs", "show", "last"]) == 1 and "TFG873" in capsys.readouterr().err
