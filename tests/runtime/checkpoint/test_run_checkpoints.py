"""Interrupted trainings: the next run resumes where they stopped, and ends as if nothing had happened."""

import pytest
from conftest import some
from interrupted import DATA, FEATURES, TARGET, TEXT, first_program, program, stopped_after, stopping, variables
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import tfdsl
from tfdsl.runtime.options import Options


@pytest.mark.loops
@pytest.mark.parametrize(("optimizer", "order"), some(
    [(optimizer, order) for optimizer in ("adam", "momentum(0.9)", "rmsprop(centered=true)", "ftrl")
     for order in ("shuffled", "sampled", "ordered")],
    [("adam", "shuffled")],
))  # fmt: skip
def test_an_interrupted_training_ends_with_the_same_bits(undisturbed, optimizer, order):
    lines, wanted = undisturbed(optimizer=optimizer, order=order)
    first = stopped_after(first_program(optimizer, order), 7)
    notes = []
    second = program(optimizer, order).run(options=Options(write=lambda line: None, note=notes.append, engine="loop"))
    assert first.printed + second.printed == lines
    assert notes == ["resuming from step 7, saved in kept"]
    assert second.resumed == ["kept"]
    ours = variables()
    assert ours.keys() == wanted.keys()
    assert len(wanted) > 2
    assert all(ours[name].tobytes() == wanted[name].tobytes() for name in wanted)


@pytest.mark.parametrize("steps", some([1, 3, 19, 20], [3, 20]))
def test_interrupted_at_any_step(undisturbed, here, steps):
    """Also before the first checkpoint, right at one, and after the last step."""
    lines, wanted = undisturbed()
    first = stopped_after(first_program(), steps)
    second = program().run()
    assert first.printed + second.printed == lines
    assert variables()["w"].tobytes() == wanted["w"].tobytes()
    assert not (here / "kept").exists()


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_killed_between_checkpoints(undisturbed, engine):
    """Nothing is saved at the end: the run resumes from the last checkpoint that was due."""
    lines, wanted = undisturbed()

    class Killed(BaseException):
        pass

    def write(line):
        if line.startswith("1 7"):
            raise Killed

    with pytest.raises(Killed):
        program().run(options=Options(write=write, engine=engine))
    second = program().run()
    # In `step` the checkpoint of step 6 is saved after "print step", in `loop` before it; both resume from there.
    at = lines.index("6")
    assert second.printed == lines[at + (engine == "step") :]
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_interrupted_twice(undisturbed):
    lines, wanted = undisturbed()
    printed = stopped_after(first_program(), 4).printed
    printed += stopped_after(first_program(), 11).printed
    printed += program().run().printed
    assert printed == lines
    assert variables()["w"].tobytes() == wanted["w"].tobytes()


def test_logs_continue(here):
    stopped_after(first_program(), 7)
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


def test_a_failure_after_a_training_does_not_lose_it(undisturbed, here):
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


def test_a_training_with_a_failing_expectation_is_finished(here):
    """A user then changes the program."""
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step").replace(
        "    save to", "    expect seen == 1\n    save to"
    )
    with pytest.raises(tfdsl.TfgError, match="TFG703"):
        tfdsl.compile(text, data=DATA).run()
    assert not (here / "kept").exists()
    assert program().run().resumed == []


def test_a_stopped_training_is_finished(here):
    program(first="stop when step == 5").run()
    assert not (here / "kept").exists()


def test_other_files_in_the_folder_stay(here):
    (here / "kept").mkdir()
    (here / "kept" / "mine.txt").write_text("mine")
    program().run()
    assert [path.name for path in (here / "kept").iterdir()] == ["mine.txt"]


CHANGED = [
    ({"params": {"rate": 0.1}}, "param 'rate' was 0.05 and is 0.1"),
    ({"params": {"epochs": 5}}, "param 'epochs' was 4 and is 5"),
    ({"optimizer": "adam(beta1=0.8)"}, "the text of its graph changed"),
    ({"order": "ordered"}, "the text of its sessions changed"),
]


def test_a_changed_program_is_refused(here):
    stopped_after(first_program(), 7)
    kept = sorted(path.name for path in (here / "kept").iterdir())
    for changed, what in CHANGED:
        with pytest.raises(tfdsl.TfgError) as caught:
            program(**changed).run()
        (diagnostic,) = caught.value.diagnostics
        assert diagnostic.code == "TFG710"
        assert diagnostic.headline.endswith(f": {what}")
        assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
        assert sorted(path.name for path in (here / "kept").iterdir()) == kept
    assert program().run().resumed == ["kept"], "the refused checkpoint is as good as before"


def test_other_data_is_refused(here):
    stopped_after(first_program(), 7)
    shorter = {"rows": (FEATURES[:20], TARGET[:20])}
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError, match="data 'rows' changed"):
        tfdsl.compile(text, data=shorter).run()


def test_a_comment_changes_nothing(here):
    stopped_after(first_program(), 7)
    text = "# a comment\n" + TEXT.format(optimizer="adam", order="shuffled", first="print step")
    assert tfdsl.compile(text, data=DATA).run().resumed == ["kept"]


def test_fresh_starts_over(undisturbed):
    lines, _ = undisturbed()
    stopped_after(first_program(), 7)
    result = program().run(options=Options(write=lambda line: None, fresh=True))
    assert result.resumed == []
    assert result.printed == lines
    stopped_after(first_program(), 7)
    changed = program(params={"rate": 0.5}).run(options=Options(write=lambda line: None, fresh=True))
    assert changed.printed[0] == "before"


def test_a_single_session_resumes(undisturbed):
    text = TEXT.replace("session:", "session main:").format(optimizer="adam", order="shuffled", first="print step")
    compiled = tfdsl.compile(text, data=DATA)
    lines = compiled.run().printed[1:]
    first = compiled.run("main", stopping(7))
    assert compiled.run("before").printed == ["before"], "another session takes no notice"
    second = compiled.run("main")
    assert first.printed + second.printed == lines
    assert second.resumed == ["kept"]


def test_an_interruption_without_checkpoints(here):
    text = "variable x = 0\nmore = assign_add(x, 1)\nsession:\n    train 9 steps:\n        run more\n    print x\n"
    result = stopped_after(tfdsl.compile(text), 4)
    assert result.steps == 4
    assert result.printed == []


def test_a_checkpoint_needs_all_variables():
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

    seen = []
    at_line = Options(write=seen.append, engine="step", interrupted=lambda: "3 2" in seen)
    first = tfdsl.compile(text).run(options=at_line)
    assert sorted(path.name for path in here.iterdir()) == ["two"]
    second = tfdsl.compile(text).run()
    assert first.printed + second.printed == lines


# --- identity of a checkpoint -----------------------------------------------------------------


def test_all_differences_are_reported(here):
    stopped_after(first_program(), 7)
    shorter = {"rows": (FEATURES[:20], TARGET[:20])}
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError) as caught:
        tfdsl.compile(text.replace("[2, 1])", "[2, 1])\nvariable more = 0"), {"rate": 0.5}, shorter).run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.headline.endswith(
        ": param 'rate' was 0.05 and is 0.5; data 'rows' changed; variable 'more' is new"
    )


def test_data_with_one_different_number_is_different(here):
    stopped_after(first_program(), 7)
    other = FEATURES.copy()
    other[-1, -1] += 1
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    with pytest.raises(tfdsl.TfgError, match="data 'rows' changed"):
        tfdsl.compile(text, data={"rows": (other, TARGET)}).run()
    assert program().run().resumed == ["kept"]


def test_resume_anyway_uses_matching_variables(here):
    """More epochs, and one more variable: the rest resumes."""
    stopped_after(first_program(), 7)
    notes = []
    text = TEXT.format(optimizer="adam", order="shuffled", first="print step")
    changed = tfdsl.compile(text.replace("[2, 1])", "[2, 1])\nvariable more = 4"), {"epochs": 5}, DATA)
    result = changed.run(options=Options(write=lambda line: None, note=notes.append, resume_anyway=True))
    assert notes == [
        "resuming from step 7, saved in kept",
        "although the checkpoint differs: param 'epochs' was 4 and is 5",
        "although the checkpoint differs: variable 'more' is new",
        "variable 'more' starts from its initial value: it is not in the checkpoint",
    ]
    assert result.printed[0] == "7"
    assert result.printed[-1] == "end 25"
    assert result.variables["more"] == 4


def test_resume_anyway_after_the_end(here):
    stopped_after(first_program(), 13)
    result = program(params={"epochs": 2}).run(options=Options(write=lambda line: None, resume_anyway=True))
    assert result.printed == ["end 13"]


def test_a_checkpoint_of_another_machine_is_refused(here, monkeypatch):
    stopped_after(first_program(), 7)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    with pytest.raises(tfdsl.TfgError) as caught:
        program().run()
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG737"
    assert "intra_op_threads was " in diagnostic.headline
    assert diagnostic.span.text == 'checkpoint every 3 steps in "kept"'
    notes = []
    anyway = program().run(options=Options(write=lambda line: None, note=notes.append, resume_anyway=True))
    assert anyway.resumed == ["kept"]
    assert notes[1].startswith("although the checkpoint differs: intra_op_threads")


@pytest.mark.loops
def test_xla_does_not_resume_other_engines(here):
    stopped_after(first_program(), 7)
    with pytest.raises(tfdsl.TfgError, match="its engine was step and is xla"):
        program().run(options=Options(write=lambda line: None, engine="xla"))
    assert program().run(options=Options(write=lambda line: None, engine="loop")).resumed == ["kept"]


def test_two_sessions_with_checkpoints_in_one_folder(here):
    """Running one of them does not discard the checkpoint of the other."""
    body = """
    train 20 steps:
        checkpoint every 3 steps in "kept"
        run more
    print x
"""
    compiled = tfdsl.compile(f"variable x = 0\nmore = assign_add(x, 1)\nsession one:{body}session two:{body}")
    assert compiled.run("two", stopping(7)).interrupted
    with pytest.raises(tfdsl.TfgError) as caught:
        compiled.run("one")
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == "TFG710"
    assert diagnostic.headline.endswith(": it belongs to session 'two', which is not selected")
    assert compiled.run("two").resumed == ["kept"]
    assert compiled.run("one").printed == ["20"]
