"""Interrupted trainings: the next run goes on where they stopped, and ends as if nothing had happened."""


import contextlib
import json
import os
import shutil
import tempfile
import time

import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.runtime.session import Options

_random = np.random.RandomState(3)
FEATURES = _random.randn(23, 2).astype(np.float32)
TARGET = FEATURES @ np.float32([[1], [-2]])
DATA = {"rows": (FEATURES, TARGET)}
TEXT = """
seed 7
param rate = 0.05
param epochs = 4
data rows = npz("rows.npz")
placeholder X: float32[n, 2]
placeholder y: float32[n, 1]
variable w = random_normal([2, 1])
variable seen = 0
mse = reduce_mean(square(X @ w - y))
saw = assign_add(seen, 1)
optimize mse with {optimizer} as step_op
summary scalar mse as "MSE"

session before:
    print "before"

session:
    log to "logs"
    print "start"
    train epochs epochs on rows in batches of 5 {order} as batch:
        feed X = batch.features, y = batch.target
        {first}
        checkpoint every 3 steps in "kept"
        every 2 steps: log
        run step_op
        run saw
        print epoch, step, batch.rows, w, seen
    print "end", seen
    save to "final.ckpt"
"""


def program(optimizer="adam", order="shuffled", first="print step", params=None):
    return tfdsl.compile(TEXT.format(optimizer=optimizer, order=order, first=first), params, DATA)


def variables(path="final.ckpt"):
    """All that a checkpoint holds, slots too."""
    from tensorflow import train

    reader = train.load_checkpoint(path)
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


class Stopping(Options):
    """Options of a run that is asked to stop after so many steps."""

    def __init__(self, steps, **others):
        super().__init__(write=lambda line: None, **{"engine": "step", **others})
        self.interrupted = lambda: self.asked > steps
        self.asked = 0
        self.progress = lambda total, done, unit: self

    def step(self, done):
        self.asked = done + 1

    def close(self):
        pass


def stopped_after(compiled, steps, **options):
    result = compiled.run(options=Stopping(steps, **options))
    assert result.interrupted
    return result


@pytest.fixture
def undisturbed(here, tmp_path_factory, monkeypatch):
    def run(**options):
        with monkeypatch.context() as elsewhere:
            elsewhere.chdir(tmp_path_factory.mktemp("undisturbed"))
            return program(**options).run().printed, variables()

    return run


@pytest.mark.parametrize("optimizer", ["adam", "momentum(0.9)", "rmsprop(centered=true)", "ftrl"])
@pytest.mark.parametrize("order", ["shuffled", "sampled", "ordered"])
def test_an_interrupted_training_ends_with_the_same_bits(undisturbed, optimizer, order):
    lines, wanted = undisturbed(optimizer=optimizer, order=order)
    first = stopped_after(program(optimizer, order), 7)
    notes = []
    second = program(optimizer, order).run(options=Options(lambda line: None, notes.append))
    assert first.printed + second.printed == lines
    assert notes == ["going on from step 7, kept in kept"]
    assert second.resumed == ["kept"]
    ours = variables()
    assert ours.keys() == wanted.keys()
    assert len(wanted) > 2
    assert all(ours[name].tobytes() == wanted[name].tobytes() for name in wanted)


@pytest.mark.parametrize("steps", [1, 3, 19, 20])
def test_interrupted_at_any_step(undisturbed, here, steps):
    """Also before the first checkpoint is due, right at one, and after the last step."""
    lines, wanted = undisturbed()
    first = stopped_after(program(), steps)
    second = program().run()
    assert first.printed + second.printed == lines
    assert variables()["w"].tobytes() == wanted["w"].tobytes()
    assert not (here / "kept").exists()


@pytest.mark.parametrize("engine", ["step", "loop"])
def test_killed_between_checkpoints(undisturbed, engine):
    """Nothing is kept at the end: the run goes on from the last checkpoint that was due."""
    lines, wanted = undisturbed()

    class Killed(BaseException):
        pass

    def write(line):
        if line.startswith("1 7"):
            raise Killed

    with pytest.raises(Killed):
        program().run(options=Options(write, engine=engine))
    second = program().run()
    # In `step` the checkpoint of step 6 is made after "print step", in `loop` before it; both go on from there.
    at = lines.index("6")
    assert second.printed == lines[at + (engine == "step") :]
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_interrupted_twice(undisturbed):
    lines, wanted = undisturbed()
    printed = stopped_after(program(), 4).printed
    printed += stopped_after(program(), 11).printed
    printed += program().run().printed
    assert printed == lines
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_logs_go_on_too(here):
    stopped_after(program(), 7)
    program().run()
    events = EventAccumulator("logs")
    events.Reload()
    assert [event.step for event in events.Scalars("MSE")] == list(range(0, 20, 2))


def test_a_finished_training_leaves_no_checkpoint(here):
    assert program().run().steps == 20
    assert not (here / "kept").exists()
    again = program().run()
    assert again.steps == 20
    assert again.resumed == []


def test_what_fails_after_a_training_does_not_lose_it(undisturbed, here):
    lines, wanted = undisturbed()
    (here / "final.ckpt.index").write_text("mine")
    with pytest.raises(tfdsl.TfgError) as caught:
        program().run()
    assert caught.value.diagnostics[0].code == "TFG735"
    (here / "final.ckpt.index").unlink()
    result = program().run()
    assert result.resumed == ["kept"]
    assert 0 < len(result.printed) < 8
    assert result.printed == lines[-len(result.printed) :]
    assert variables()["w"].tobytes() == wanted["w"].tobytes()
    assert not (here / "kept").exists()


def test_a_training_that_is_judged_is_a_finished_one(here):
    """What a user does then is to change the program."""
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step").replace("    save to", "    expect seen == 1\n    save to")
    with pytest.raises(tfdsl.TfgError, match="TFG703"):
        tfdsl.compile(text, data=DATA).run()
    assert not (here / "kept").exists()
    assert program().run().resumed == []


def test_a_stopped_training_is_a_finished_one(here):
    program(first="stop when step == 5").run()
    assert not (here / "kept").exists()


def test_other_files_of_the_folder_are_left_alone(here):
    (here / "kept").mkdir()
    (here / "kept" / "mine.txt").write_text("mine")
    program().run()
    assert [path.name for path in (here / "kept").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"params": {"rate": 0.1}}, "param 'rate' was 0.05 and is 0.1"),
        ({"params": {"epochs": 5}}, "param 'epochs' was 4 and is 5"),
        ({"optimizer": "adam(beta1=0.8)"}, "the text of its graph changed"),
        ({"order": "ordered"}, "the text of its sessions changed"),
    ],
)
def test_a_changed_program_is_refused(here, changed, what):
    stopped_after(program(), 7)
    kept = sorted(path.name for path in (here / "kept").iterdir())
    with pytest.raises(tfdsl.TfgError) as caught:
        program(**changed).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG710"
    assert diagnostic.headline.endswith(f": {what}")
    assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
    assert sorted(path.name for path in (here / "kept").iterdir()) == kept
    assert program().run().resumed == ["kept"], "the refused checkpoint is as good as before"


def test_other_data_is_refused(here):
    stopped_after(program(), 7)
    shorter = {"rows": (FEATURES[:20], TARGET[:20])}
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError, match="data 'rows' changed"):
        tfdsl.compile(text, data=shorter).run()


def test_a_comment_changes_nothing(here):
    stopped_after(program(), 7)
    text = "# a comment\n" + TEXT.format(optimizer="adam", order="shuffled", first="print step")
    assert tfdsl.compile(text, data=DATA).run().resumed == ["kept"]


def test_fresh_starts_over(undisturbed):
    lines, _ = undisturbed()
    stopped_after(program(), 7)
    result = program().run(options=Options(lambda line: None, fresh=True))
    assert result.resumed == []
    assert result.printed == lines
    stopped_after(program(), 7)
    changed = program(params={"rate": 0.5}).run(options=Options(lambda line: None, fresh=True))
    assert changed.printed[0] == "before"


def damage(folder):
    """Change one bit of a file of a checkpoint."""
    (data,) = folder.glob("variables.data-*")
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)


def states(here):
    return sorted((here / "kept").iterdir())


def test_a_damaged_checkpoint_and_none_before_it(here):
    """It is named, refused and left alone: never taken for none."""
    stopped_after(program(), 1)
    damage(*states(here))
    before = states(here)
    with pytest.raises(tfdsl.TfgError) as caught:
        program().run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG711"
    assert "in 00000001-step-1, variables.data-00000-of-00001 is not what was written" in diagnostic.headline
    assert states(here) == before


def test_the_checkpoint_before_a_damaged_one(undisturbed, here):
    lines, wanted = undisturbed()
    stopped_after(program(), 7)
    older, newer = states(here)
    assert (older.name, newer.name) == ("00000002-step-6", "00000003-step-7")
    damage(newer)
    notes = []
    second = program().run(options=Options(lambda line: None, notes.append))
    assert "warning[TFG910]: kept/00000003-step-7 is damaged" in notes[0]
    assert notes[1] == "going on from step 6, kept in kept"
    assert second.printed == lines[lines.index("6") + 1 :]
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_a_damaged_checkpoint_does_not_outlive_good_ones(here):
    """The good one is kept until there are two newer ones."""
    stopped_after(program(), 7)
    damage(states(here)[1])
    stopped_after(program(), 8)
    assert [path.name for path in states(here)] == ["00000002-step-6", "00000004-step-8"]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": {}}', "\x00"])
def test_a_damaged_manifest_is_refused(here, content):
    stopped_after(program(), 1)
    (manifest,) = (here / "kept").glob("*/manifest.json")
    manifest.write_text(content)
    with pytest.raises(tfdsl.TfgError, match="TFG711"):
        program().run()
    # What the help line says works.
    assert program().run(options=Options(lambda line: None, fresh=True)).steps == 20
    assert not (here / "kept").exists()


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
    from tfdsl.runtime.durable import sealed

    stopped_after(program(), 1)
    (here / "precious").write_text("precious")
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    FILES_CHANGES[change](about)
    manifest.write_bytes(sealed(about))
    with pytest.raises(tfdsl.TfgError, match="its manifest is none of ours"):
        program().run()


@pytest.mark.parametrize("change", CHANGES)
def test_a_manifest_that_no_run_writes(here, change):
    """With a checksum that is right: whoever can write a folder can make one."""
    from tfdsl.runtime.durable import sealed

    stopped_after(program(), 1)
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    files, version = about["files"], about["version"]
    CHANGES[change](about)
    manifest.write_bytes(sealed({**about, "files": files, "version": version}))
    with pytest.raises(tfdsl.TfgError, match="says what no run writes"):
        program().run()


def test_a_manifest_with_another_place_in_the_program(here):
    from tfdsl.runtime.durable import sealed

    stopped_after(program(), 1)
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    about["position"].update(session=9)
    manifest.write_bytes(sealed(about))
    assert program().run().printed[-1] == "end 20"


def test_a_manifest_cannot_reach_other_files(here):
    """Event files that it names are cut off only if they are event files of its run."""
    from tfdsl.runtime.durable import sealed

    stopped_after(program(), 1)
    (here / "precious").write_text("precious")
    (manifest,) = (here / "kept").glob("*/manifest.json")
    about = json.loads(manifest.read_bytes().partition(b"\n")[2])
    for folder, name in ((".", "precious"), ("logs", "../precious"), ("..", "x"), ("/etc", "passwd")):
        event = {"folder": folder, "name": name, "session": 1, "size": 0, "last": 0}
        about["record"]["events"].append(event)
    manifest.write_bytes(sealed(about))
    program().run()
    assert (here / "precious").read_text() == "precious"


def test_one_session_alone_goes_on_too(undisturbed):
    text = TEXT.replace("session:", "session main:").format(optimizer="adam", order="shuffled", first="print step")
    compiled = tfdsl.compile(text, data=DATA)
    lines = compiled.run().printed[1:]
    first = compiled.run("main", Stopping(7))
    assert compiled.run("before").printed == ["before"], "another session takes no notice"
    second = compiled.run("main")
    assert first.printed + second.printed == lines
    assert second.resumed == ["kept"]


def test_an_interruption_without_checkpoints(here):
    text = "variable x = 0\nmore = assign_add(x, 1)\nsession:\n    train 9 steps:\n        run more\n    print x\n"
    result = stopped_after(tfdsl.compile(text), 4)
    assert result.steps == 4
    assert result.printed == []


def test_a_checkpoint_needs_every_variable():
    text = """
variable x = 0
variable y = 0
more = assign_add(x, 1)
session:
    init x
    train 3 steps:
        checkpoint every 1 step in "kept"
        run more
"""
    (diagnostic,) = tfdsl.check(text)
    assert diagnostic.code == "TFG507"
    assert diagnostic.headline == "y is not initialised in this session"
    assert diagnostic.span.text == 'checkpoint every 1 step in "kept"'


def test_the_second_of_two_trainings(here):
    text = """
variable x = 0
variable y = 0
more_x = assign_add(x, 1)
more_y = assign_add(y, 1)
session:
    train 3 steps:
        checkpoint every 1 step in "one"
        run more_x
    print "between", x
    train 5 steps:
        checkpoint every 1 step in "two"
        run more_y
        print x, y
    print "end", x, y
"""
    lines = tfdsl.compile(text).run().printed

    class AtLine(Options):
        def __init__(self, line):
            super().__init__(write=self.see, engine="step")
            self.seen = False
            self.line = line
            self.interrupted = lambda: self.seen

        def see(self, line):
            self.seen = self.seen or line == self.line

    first = tfdsl.compile(text).run(options=AtLine("3 2"))
    assert sorted(path.name for path in here.iterdir()) == ["two"]
    second = tfdsl.compile(text).run()
    assert first.printed + second.printed == lines


# --- what a checkpoint belongs to -------------------------------------------------------------


def test_all_that_differs_is_said(here):
    stopped_after(program(), 7)
    shorter = {"rows": (FEATURES[:20], TARGET[:20])}
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text.replace("[2, 1])", "[2, 1])\nvariable more = 0"), {"rate": 0.5}, shorter).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.headline.endswith(
        ": param 'rate' was 0.05 and is 0.5; data 'rows' changed; variable 'more' is new"
    )


def test_data_of_the_same_form_with_another_number_in_it_is_other_data(here):
    stopped_after(program(), 7)
    other = FEATURES.copy()
    other[-1, -1] += 1
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError, match="data 'rows' changed"):
        tfdsl.compile(text, data={"rows": (other, TARGET)}).run()
    assert program().run().resumed == ["kept"]


def test_resume_anyway_takes_what_fits(here):
    """More epochs, and a variable more: the rest goes on."""
    stopped_after(program(), 7)
    notes = []
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    changed = tfdsl.compile(text.replace("[2, 1])", "[2, 1])\nvariable more = 4"), {"epochs": 5}, DATA)
    result = changed.run(options=Options(lambda line: None, notes.append, resume_anyway=True))
    assert notes == [
        "going on from step 7, kept in kept",
        "although it is of something else: param 'epochs' was 4 and is 5",
        "although it is of something else: variable 'more' is new",
        "variable 'more' starts anew: it is not in the checkpoint",
    ]
    assert result.printed[0] == "7"
    assert result.printed[-1] == "end 25"
    assert result.variables["more"] == 4


def test_resume_anyway_after_the_end(here):
    stopped_after(program(), 13)
    result = program(params={"epochs": 2}).run(options=Options(lambda line: None, resume_anyway=True))
    assert result.printed == ["end 13"]


def test_a_checkpoint_of_another_machine_is_refused(here, monkeypatch):
    stopped_after(program(), 7)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    with pytest.raises(tfdsl.TfgError) as caught:
        program().run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG737"
    assert "intra_op_threads was " in diagnostic.headline
    assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
    notes = []
    anyway = program().run(options=Options(lambda line: None, notes.append, resume_anyway=True))
    assert anyway.resumed == ["kept"]
    assert notes[1].startswith("although it is of something else: intra_op_threads")


def test_xla_does_not_go_on_with_the_bits_of_the_others(here):
    stopped_after(program(), 7)
    with pytest.raises(tfdsl.TfgError, match="its engine was step and is xla"):
        program().run(options=Options(lambda line: None, engine="xla"))
    assert program().run(options=Options(lambda line: None, engine="loop")).resumed == ["kept"]


# --- one run at a time ------------------------------------------------------------------------


def test_the_second_run_is_refused_and_told_by_whom(here):
    outcome = []

    class Second(Stopping):
        def step(self, done):
            super().step(done)
            if not outcome:
                with pytest.raises(tfdsl.TfgError) as caught:
                    program().run()
                outcome.append(caught.value.diagnostics[0])

    program().run(options=Second(4))
    (diagnostic,) = outcome
    assert diagnostic.code == "TFG736"
    assert f"process {os.getpid()} on " in diagnostic.headline
    assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
    assert program().run().resumed == ["kept"], "the refused run has touched nothing"


def test_what_is_left_of_a_lock_holds_nobody_up(here):
    (here / "kept").mkdir()
    (here / "kept" / ".tfdsl.lock").write_text('{"pid": 1, "host": "gone", "since": "long ago"}')
    assert program().run().steps == 20
    assert not (here / "kept").exists()


def test_what_is_left_of_a_save_is_removed_and_nothing_else(here):
    left = here / "kept" / ".new-0123456789abcdef"
    left.mkdir(parents=True)
    (left / "variables.index").write_text("half")
    other = here / "kept" / ".old-0123456789abcdef"
    other.mkdir()
    (other / "mine.txt").write_text("mine")
    program().run()
    assert sorted(path.name for path in (here / "kept").rglob("*")) == [other.name, "mine.txt"]


# --- folders that vanish ----------------------------------------------------------------------


class Disturbing(Options):
    """Options of a run in which something happens after some steps."""

    def __init__(self, steps, what, **others):
        super().__init__(write=lambda line: None, note=lambda line: self.notes.append(line), engine="step", **others)
        self.notes = []
        self.progress = lambda total, done, unit: self
        self._steps, self._what = steps, what

    def step(self, done):
        if done == self._steps:
            self._what()

    def close(self):
        pass


def test_the_folder_of_checkpoints_vanishes(undisturbed, here):
    _, wanted = undisturbed()
    options = Disturbing(8, lambda: shutil.rmtree(here / "kept"))
    program().run(options=options)
    (note,) = options.notes
    assert "warning[TFG911]: kept had vanished" in note
    assert variables()["w"].tobytes() == wanted["w"].tobytes()
    assert not (here / "kept").exists()


def test_the_folder_of_the_log_vanishes(here):
    options = Disturbing(9, lambda: shutil.rmtree(here / "logs"))
    program().run(options=options)
    (note,) = options.notes
    assert "warning[TFG912]: the event file in logs has vanished" in note
    assert [step for step, _ in points()][-3:] == [14, 16, 18]


def test_a_log_that_is_gone_when_a_run_goes_on(here):
    stopped_after(program(), 7)
    shutil.rmtree(here / "logs")
    notes = []
    program().run(options=Options(lambda line: None, notes.append))
    assert notes[1].startswith("what was logged to logs before the checkpoint is not there any more")
    assert [step for step, _ in points()] == list(range(8, 20, 2))


# --- event files ------------------------------------------------------------------------------


def points(folder="logs", tag="MSE"):
    events = EventAccumulator(folder, {"scalars": 0})
    events.Reload()
    return [(event.step, event.value) for event in events.Scalars(tag)]


class Killed(BaseException):
    pass


def killed_at(line, **changes):
    def write(printed):
        if printed.startswith(line):
            raise Killed

    with pytest.raises(Killed):
        program(**changes).run(options=Options(write, engine="step"))


def test_each_point_is_there_once_after_kills(undisturbed, here):
    """The log comes before and after the checkpoint in the body; runs are killed before they keep another one."""
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


def test_now_stays_what_it_was(here):
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step").replace('"logs"', '"logs-{now}"')
    compiled = tfdsl.compile(text, data=DATA)
    first = stopped_after(compiled, 7)
    time.sleep(1.1)
    second = compiled.run()
    assert second.logdirs == first.logdirs
    assert [step for step, _ in points(first.logdirs[0])] == list(range(0, 20, 2))
    assert second.steps == 20
    assert second.started == first.started


def test_event_files_of_others_are_left_alone(here):
    stopped_after(program(), 7)
    other = here / "logs" / "events.out.tfevents.1.host.0001.ffffffff"
    other.write_bytes(b"other")
    program().run()
    assert other.read_bytes() == b"other"


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


@pytest.mark.parametrize("stream", ["", ", stream=true"])
def test_a_data_file_changes_or_vanishes_and_comes_back(here, stream):
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

    path.write_text("\n".join(lines) + "\n")  # another file, of the same content
    assert tfdsl.compile(text).run().printed == wanted
