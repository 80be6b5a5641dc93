"""The files of checkpoints and logs: damaged, locked by another run, vanished, changed; and their data files."""

import contextlib
import json
import os
import shutil
import tempfile
import time
from itertools import product

import pytest
from conftest import some
from interrupted import (
    DATA,
    TEXT,
    disturbed,
    first_program,
    points,
    program,
    states,
    stopped_after,
    stopping,
    variables,
)

import tfdsl
from tfdsl.access import Access
from tfdsl.runtime.files.durable_io import manifest_bytes
from tfdsl.runtime.files.event_log import EventLog
from tfdsl.runtime.files.lock import FolderInUse, Lock
from tfdsl.runtime.options import Options

# --- damage -----------------------------------------------------------------------------------


def damage(folder):
    """Change one bit of a file of a checkpoint."""
    (data,) = folder.glob("variables.data-*")
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)


def test_a_damaged_checkpoint_without_an_earlier_one(here):
    """It is reported, refused and left alone; it never counts as missing."""
    stopped_after(first_program(), 1)
    damage(*states(here))
    before = states(here)
    with pytest.raises(tfdsl.TfgError) as caught:
        program().run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG711"
    assert "in 00000001-step-1, variables.data-00000-of-00001 is damaged" in diagnostic.headline
    assert states(here) == before


def test_the_checkpoint_before_a_damaged_one_is_used(undisturbed, here):
    lines, wanted = undisturbed()
    stopped_after(first_program(), 7)
    older, newer = states(here)
    assert (older.name, newer.name) == ("00000002-step-6", "00000003-step-7")
    damage(newer)
    notes = []
    second = program().run(options=Options(write=lambda line: None, note=notes.append))
    assert "warning[TFG910]: kept/00000003-step-7 is damaged" in notes[0]
    assert notes[1] == "resuming from step 6, saved in kept"
    assert second.printed == lines[lines.index("6") + 1 :]
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_a_damaged_checkpoint_does_not_outlive_good_ones(here):
    """The good one is kept until there are two newer ones."""
    stopped_after(first_program(), 7)
    damage(states(here)[1])
    stopped_after(first_program(), 8)
    assert [path.name for path in states(here)] == ["00000002-step-6", "00000004-step-8"]


@pytest.mark.parametrize(("content", "fresh"), some(
    product(("", "[]", "{}", '{"files": {}}', "\x00"), (False, True)),
    [("", False), ("{}", True)],
))  # fmt: skip
def test_folders_without_our_manifest_are_refused_and_stay(here, content, fresh):
    """It may belong to anybody, whatever its name is."""
    stopped_after(first_program(), 1)
    (state,) = states(here)
    (state / "manifest.json").write_text(content)
    before = sorted((path.name, path.read_bytes()) for path in state.iterdir())
    with pytest.raises(tfdsl.TfgError, match="TFG749") as caught:
        program().run(options=Options(write=lambda line: None, fresh=fresh))
    assert caught.value.diagnostics[0].span.text == 'checkpoint every 3 steps in "kept"'
    assert sorted((path.name, path.read_bytes()) for path in state.iterdir()) == before
    # The help line works.
    state.rename(here / "away")
    assert program().run(options=Options(write=lambda line: None, fresh=fresh)).steps == 20


def test_a_refused_fresh_start_touches_nothing(here):
    stopped_after(first_program(), 7)
    other = here / "kept" / "20240101-step-3"
    other.mkdir()
    (other / "variables.csv").write_text("a,b")
    before = states(here)
    with pytest.raises(tfdsl.TfgError, match="TFG749"):
        program().run(options=Options(write=lambda line: None, fresh=True))
    assert states(here) == before


def test_other_files_named_like_checkpoints_stay(here):
    """Checkpoints are removed, except the two newest, and all when the run is done. Other files stay."""
    stopped_after(first_program(), 1)
    other = here / "kept" / "00000000-step-3"
    other.mkdir()
    (other / "variables.index").write_text("mine")
    (other / "manifest.json").write_text("{}")
    program().run()
    assert states(here) == [other]
    assert (other / "variables.index").read_text() == "mine"


def test_a_fresh_start_removes_damaged_checkpoints(here):
    stopped_after(first_program(), 1)
    damage(*states(here))
    assert program().run(options=Options(write=lambda line: None, fresh=True)).steps == 20
    assert not (here / "kept").exists()


def test_only_files_in_its_manifest_are_removed_with_a_checkpoint(here):
    stopped_after(first_program(), 1)
    (state,) = states(here)
    (state / "variables.csv").write_text("mine")
    program().run()
    (left,) = (here / "kept").iterdir()
    assert left == state
    assert [(path.name, path.read_text()) for path in left.iterdir()] == [("variables.csv", "mine")]


@pytest.mark.parametrize("fresh", some([False, True], [True]))
def test_other_files_in_a_checkpoint_stay(here, fresh):
    """The next run resumes without it: a folder without our files is not a checkpoint."""
    stopped_after(first_program(), 7)
    for state in states(here):
        (state / "notes.txt").write_text(state.name)
    mine = [state / "notes.txt" for state in states(here)]
    for _ in range(2):
        assert program().run(options=Options(write=lambda line: None, fresh=fresh)).steps > 0
        assert [path.read_text() for path in mine] == [path.parent.name for path in mine]
        assert sorted(path.name for path in (here / "kept").rglob("*")) == sorted(
            [*(path.parent.name for path in mine), "notes.txt", "notes.txt"]
        )


def test_an_existing_empty_folder_stays(here):
    (here / "kept").mkdir()
    program().run()
    assert states(here) == []


@pytest.mark.parametrize("content", some(["mine", "{}", '{"pid": 1}'], ["mine", '{"pid": 1}']))
def test_another_file_with_the_name_of_the_lock_is_left_alone(here, content):
    (here / "kept").mkdir()
    lock = here / "kept" / ".tfdsl.lock"
    lock.write_text(content)
    with pytest.raises(tfdsl.TfgError, match="TFG707"):
        program().run()
    assert lock.read_text() == content


def test_a_hard_link_with_the_name_of_the_lock_is_left_alone(here):
    (here / "kept").mkdir()
    (here / "precious").write_text("")
    os.link(here / "precious", here / "kept" / ".tfdsl.lock")
    with pytest.raises(tfdsl.TfgError, match="TFG707"):
        program().run()
    assert (here / "precious").read_text() == ""


CHANGES = {
    "no position": lambda about: about.pop("position"),
    "a step that is none": lambda about: about["position"].update(step="7"),
    "a step before the first": lambda about: about["position"].update(step=-1),
    "no engine": lambda about: about["record"].update(engines=[]),
    "a state of two numbers": lambda about: about["random"].update(op=[1, 2]),
    "an event file without a name": lambda about: about["record"]["events"][0].pop("name"),
    "nothing": dict.clear,
}
FILES_CHANGES = {
    "files outside": lambda about: about["files"].update({"../../precious": [8, "0"]}),
    "files that are a list": lambda about: about.update(files=[]),
    "a file without a checksum": lambda about: about["files"].update({"variables.more": [8]}),
}


@pytest.mark.parametrize("change", FILES_CHANGES)
def test_a_manifest_that_names_other_files(here, change):
    stopped_after(first_program(), 1)
    (here / "precious").write_text("precious")
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    FILES_CHANGES[change](about)
    manifest.write_bytes(manifest_bytes(about))
    with pytest.raises(tfdsl.TfgError, match=r"TFG749|its manifest was not written by tfdsl"):
        program().run()
    with contextlib.suppress(tfdsl.TfgError):
        program().run(options=Options(write=lambda line: None, fresh=True))
    assert (here / "precious").read_text() == "precious"


@pytest.mark.parametrize("change", CHANGES)
def test_a_manifest_of_another_form(here, change):
    """With a valid checksum: whoever can write to a folder can make one."""
    stopped_after(first_program(), 1)
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    files, version = about["files"], about["version"]
    CHANGES[change](about)
    manifest.write_bytes(manifest_bytes({**about, "files": files, "version": version}))
    with pytest.raises(tfdsl.TfgError, match="was not written by a run"):
        program().run()


def test_a_manifest_with_an_invalid_position(here):
    stopped_after(first_program(), 1)
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    about["position"].update(session=9)
    manifest.write_bytes(manifest_bytes(about))
    assert program().run().printed[-1] == "end 20"


def test_a_manifest_cannot_reach_other_files(here):
    """Event files in the manifest are truncated only if they are event files of the run."""
    stopped_after(first_program(), 1)
    (here / "precious").write_text("precious")
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    for folder, name in ((".", "precious"), ("logs", "../precious"), ("..", "x"), ("/etc", "passwd")):
        event = {"folder": folder, "name": name, "session": 1, "size": 0, "last": 0}
        about["record"]["events"].append(event)
    manifest.write_bytes(manifest_bytes(about))
    program().run()
    assert (here / "precious").read_text() == "precious"


# --- one run at a time ------------------------------------------------------------------------


def test_the_second_run_is_refused_and_the_error_names_the_first(here):
    outcome = []

    def second():
        with pytest.raises(tfdsl.TfgError) as caught:
            program().run()
        outcome.append(caught.value.diagnostics[0])

    program().run(options=stopping(4, second))
    (diagnostic,) = outcome
    assert diagnostic.code == "TFG736"
    assert f"process {os.getpid()} on " in diagnostic.headline
    assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
    assert program().run().resumed == ["kept"], "the refused run has touched nothing"


def test_the_rest_of_a_lock_does_not_block_a_run(here):
    (here / "kept").mkdir()
    (here / "kept" / ".tfdsl.lock").write_text('{"pid": 1, "host": "gone", "since": "long ago"}')
    assert program().run().steps == 20
    assert not (here / "kept").exists()


def test_only_the_rest_of_an_interrupted_save_is_removed(here):
    left = here / "kept" / ".new-0123456789abcdef"
    left.mkdir(parents=True)
    (left / "variables.index").write_text("half")
    (left / "manifest.json").write_bytes(manifest_bytes({"version": 1, "planned": ["variables.index"]}))
    other = here / "kept" / ".old-0123456789abcdef"
    other.mkdir()
    (other / "variables.index").write_text("mine")
    program().run()
    assert sorted(path.name for path in (here / "kept").rglob("*")) == [other.name, "variables.index"]


@pytest.mark.parametrize("files", [(), ("manifest.json",)])
def test_the_rest_of_an_empty_save_is_removed(here, files):
    left = here / "kept" / ".new-0123456789abcdef"
    left.mkdir(parents=True)
    for name in files:
        (left / name).touch()
    program().run()
    assert not (here / "kept").exists()


# --- folders that vanish ----------------------------------------------------------------------


def test_the_folder_of_checkpoints_vanishes(undisturbed, here):
    _, wanted = undisturbed()
    options, notes = disturbed(8, lambda: shutil.rmtree(here / "kept"))
    program().run(options=options)
    (note,) = notes
    assert "warning[TFG911]: kept was deleted" in note
    assert variables()["w"].tobytes() == wanted["w"].tobytes()
    assert not (here / "kept").exists()


def test_the_folder_of_the_log_vanishes(here):
    options, notes = disturbed(9, lambda: shutil.rmtree(here / "logs"))
    program().run(options=options)
    note, lost = notes
    assert "warning[TFG912]: the event file in logs was deleted" in note
    assert "warning[TFG913]: the record of this run" in lost
    assert [step for step, _ in points()][-3:] == [14, 16, 18]


def test_the_file_of_the_log_vanishes_as_it_is_closed(here, monkeypatch):
    flush = EventLog.flush

    def flush_and_remove(log):
        flush(log)
        (here / "logs" / log.file.name).unlink()

    monkeypatch.setattr(EventLog, "flush", flush_and_remove)
    program = tfdsl.compile('loss = constant(1.0)\nsummary scalar loss\nsession:\n    log to "logs"\n    log loss\n')
    with pytest.raises(tfdsl.TfgError) as caught:
        program.run()
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line) == ("TFG707", 4)


def test_a_log_that_is_missing_when_a_run_resumes(here):
    stopped_after(first_program(), 7)
    shutil.rmtree(here / "logs")
    notes = []
    program().run(options=Options(write=lambda line: None, note=notes.append))
    assert notes[1].startswith("the log in logs lacks records from before the checkpoint")
    assert [step for step, _ in points()] == list(range(8, 20, 2))


# --- event files ------------------------------------------------------------------------------


class Killed(BaseException):
    pass


def killed_at(line, **changes):
    def write(printed):
        if printed.startswith(line):
            raise Killed

    with pytest.raises(Killed):
        program(**changes).run(options=Options(write=write, engine="step"))


def test_each_point_occurs_once_after_kills(undisturbed, here):
    """The log is before and after the checkpoint in the body; runs are killed before they save another one."""
    with_two = {"first": "every 2 steps: log\n        print step"}
    wanted = dict(logged_by(with_two))
    killed_at("1 8", **with_two)
    killed_at("1 8", **with_two)
    result = program(**with_two).run()
    # Every second step is logged before the checkpoint of the step and after it.
    assert points() == [(step, wanted[step]) for step in range(0, 20, 2) for _ in range(2)]
    assert result.history["MSE"] == points()


def logged_by(changes):
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        program(**changes).run()
        return points()


def test_now_does_not_change(here):
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step").replace('"logs"', '"logs-{now}"')
    compiled = tfdsl.compile(text, data=DATA)
    first = stopped_after(compiled, 7)
    time.sleep(1.1)
    second = compiled.run()
    assert second.logdirs == first.logdirs
    assert [step for step, _ in points(first.logdirs[0])] == list(range(0, 20, 2))
    assert second.steps == 20
    assert second.started == first.started


def test_event_files_of_other_programs_are_left_alone(here):
    stopped_after(first_program(), 7)
    (ours,) = (here / "logs").glob("*.tfevents.*")
    run = ours.name.rpartition(".")[2]
    for name in ("events.out.tfevents.1.host.0001.ffffffff", f"events.out.tfevents.1.host.0009.{run}"):
        (here / "logs" / name).write_bytes(b"other")
    copy = here / "logs" / f"events.out.tfevents.2.host.0009.{run}"
    copy.write_bytes(ours.read_bytes())
    program().run()
    assert [path.read_bytes() for path in sorted((here / "logs").glob("*.tfevents.1.*"))] == [b"other", b"other"]
    assert copy.exists()


# --- data files between runs ------------------------------------------------------------------

WITH_FILE = """
data rows = csv("rows.csv", target="y"{stream})
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w: float32[2, 1] = zeros
optimize reduce_mean(square(X @ w - y)) with momentum(0.9)
session:
    train 4 epochs on rows in batches of 5 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 3 steps in "kept"
    print w
"""


@pytest.mark.parametrize("stream", some(["", ", stream=true"], [", stream=true"]))
def test_a_data_file_changes_or_vanishes_and_returns(here, stream):
    lines = ["a,b,y", *(f"{k},{k % 3},{k * 0.5}" for k in range(23))]
    path = here / "rows.csv"
    path.write_text("\n".join(lines) + "\n")
    text = WITH_FILE.format(stream=stream)
    wanted = tfdsl.compile(text).run().printed
    stopped_after(tfdsl.compile(text), 7)

    path.write_text("\n".join([*lines[:-1], "22,1,11.5"]) + "\n")
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG710"
    assert diagnostic.headline.endswith(": data 'rows' changed")

    path.rename(here / "elsewhere.csv")
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text).run()
    assert caught.value.diagnostics[0].code == "TFG603"
    assert [path.name for path in states(here)] == ["00000002-step-6", "00000003-step-7"]

    path.write_text("\n".join(lines) + "\n")  # another file with the same content
    assert tfdsl.compile(text).run().printed == wanted


def test_the_run_that_locks_a_folder_removes_it_for_its_creator(here):
    os.mkdir("kept")
    with Access().folder("kept") as folder:
        quicker = Lock(folder)
        with pytest.raises(FolderInUse, match=f"process {os.getpid()} on "):
            Lock(folder)
        assert not quicker.release(), "whoever was refused had found the folder"
        quicker = Lock(folder)
        with pytest.raises(FolderInUse):
            Lock(folder, is_new=True)
        assert quicker.release()
        assert folder.names() == []


def test_a_mark_written_before_the_holder_is_known(here):
    """The run that created the folder is refused between the lock of another one and that one's description."""
    os.mkdir("kept")
    (here / "kept" / ".tfdsl.lock").write_bytes(bytes(1000) + b"made")
    assert program().run().steps == 20
    assert not (here / "kept").exists()
