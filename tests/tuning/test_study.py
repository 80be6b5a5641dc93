"""Studies: the same trials with and without interruptions, and with any number of processes."""

import pytest

from tfdsl.diagnostics import TfgError
from tfdsl.tuning.space import axis
from tfdsl.tuning.study import Study, StudyPlan

SPACE = {"rate": axis("log(1e-4, 1)"), "units": axis("int(1, 64)"), "kind": axis("choice(a, b, c)")}


def plan(sampler="tpe", maximize=False, seed=3, prune=False, space=SPACE, **common):
    return StudyPlan("cost", maximize, space, sampler, seed, prune, common)


def cost(values):
    return (values["rate"] - 0.1) ** 2 + abs(values["units"] - 20) / 64 + "abc".index(values["kind"])


def tried(study, count):
    for _ in range(count):
        number, values = study.begin()
        study.end(number, cost(values), f"record-{number}")


def found(study):
    return [(one.number, one.status, one.value, one.params) for one in study.ended()]


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_an_interrupted_study_goes_on_with_the_same_trials(tmp_path, sampler):
    whole = Study(str(tmp_path / "whole"), plan(sampler))
    tried(whole, 20)
    parts = Study(str(tmp_path / "parts"), plan(sampler))
    tried(parts, 8)
    parts.begin()  # the process is killed while this trial runs
    parts = Study(str(tmp_path / "parts"), plan(sampler))
    parts.begin()  # and once more
    parts = Study(str(tmp_path / "parts"), plan(sampler))
    tried(parts, 12)
    assert found(parts) == found(whole)
    assert [one.number for one in parts.ended()] == list(range(20))
    assert parts.best == whole.best and parts.best.value == min(one.value for one in whole.ended())
    again = Study(str(tmp_path / "parts"), plan(sampler))
    assert found(again) == found(whole)


def test_random_trials_do_not_depend_on_their_order(tmp_path):
    one, two = (Study(str(tmp_path / name), plan("random")) for name in "ab")
    tried(one, 6)
    begun = [two.begin() for _ in range(6)]
    for number, values in reversed(begun):
        two.end(number, cost(values), f"record-{number}")
    assert found(one) == found(two)


def test_trials_of_several_processes_that_were_interrupted_are_tried_again(tmp_path):
    first = Study(str(tmp_path), plan("random"))
    begun = [first.begin() for _ in range(4)]
    first.end(3, 0.5, "")
    second = Study(str(tmp_path), plan("random"))
    assert [second.begin() for _ in range(4)] == [*begun[:3], second_of(tmp_path / "other", 4)]


def second_of(folder, number):
    study = Study(str(folder), plan("random"))
    return [study.begin() for _ in range(number + 1)][number]


def test_a_grid_ends(tmp_path):
    space = {"a": axis("int(1, 2)"), "b": axis("choice(x, y)")}
    study = Study(str(tmp_path), plan("grid", space=space))
    begun = [study.begin() for _ in range(5)]
    assert begun == [
        (0, {"a": 1, "b": "x"}), (1, {"a": 1, "b": "y"}), (2, {"a": 2, "b": "x"}), (3, {"a": 2, "b": "y"}), None,
    ]  # fmt: skip


def test_failed_and_pruned_trials(tmp_path):
    study = Study(str(tmp_path), plan("random", maximize=True, prune=True))
    for _ in range(6):
        number, _ = study.begin()
        assert not study.report(number, 1.0 + number, 1)
        study.end(number, 1.0 + number, "")
    number, _ = study.begin()
    assert study.report(number, 0.0, 1)  # worse than the median
    study.end(number, None, "")
    number, _ = study.begin()
    study.end(number, None, "", "TFG704: it failed")
    assert [one.status for one in study.ended()] == ["done"] * 6 + ["pruned", "failed"]
    assert study.best.number == 5 and study.ended()[-1].error == "TFG704: it failed"
    assert Study(str(tmp_path), plan("random", maximize=True, prune=True)).begin()[0] == 8


@pytest.mark.parametrize("other, what", [
    (plan(seed=4, d="a"), "--seed was 3, and is 4 now"), (plan("random", d="a"), "--sampler was tpe, and is random now"),
    (plan(d="b"), "d was a, and is b now"), (plan(), "d was a, and is not given now"),
    (plan(d="a", e="1"), "e was not given, and is 1 now"),
    (plan(d="a", space={"rate": axis("log(1e-4, 1)")}), "kind=choice(a, b, c), and is rate=log(0.0001, 1.0) now"),
    (plan(d="a", space=dict(reversed(SPACE.items()))), "--over was rate=log("), (plan(d="a", prune=True), "--prune was not given"),
])  # fmt: skip
def test_a_study_keeps_its_plan(tmp_path, other, what):
    Study(str(tmp_path), plan(d="a"))
    Study(str(tmp_path), plan(d="a"))
    with pytest.raises(TfgError) as error:
        Study(str(tmp_path), other)
    assert error.value.diagnostics[0].code == "TFG876" and what in error.value.diagnostics[0].headline


@pytest.mark.parametrize("cut", [1, 30])
def test_an_incomplete_line_is_cut_off(tmp_path, cut):
    whole, parts = (Study(str(tmp_path / name), plan("random")) for name in ("whole", "parts"))
    tried(whole, 4)
    tried(parts, 3)
    journal = tmp_path / "parts" / "journal.log"
    journal.write_bytes(journal.read_bytes()[:-cut])
    parts = Study(str(tmp_path / "parts"), plan("random"))
    tried(parts, 4 - len(parts.ended()))
    assert found(parts) == found(whole)
    assert found(Study(str(tmp_path / "parts"), plan("random"))) == found(whole)


@pytest.mark.parametrize("damage", [
    lambda text: text.replace(b'"op_code"', b'"op_c\xff\xfe"', 1), lambda text: b"\x00" * 40 + b"\n" + text,
    lambda text: text.replace(b'"op_code":0', b'"op_code":77', 1), lambda text: b"[]\n" + text, lambda text: b"{}\n" + text,
    lambda text: text.replace(b"tfdsl", b"other", 1), lambda text: b"".join(text.splitlines(True)[1:]),
    lambda text: text.replace(b'"values":[', b'"values":[1', 1), lambda text: b"a text of somebody else",
])  # fmt: skip
def test_a_damaged_journal(tmp_path, damage):
    tried(Study(str(tmp_path), plan("random")), 1)
    journal = tmp_path / "journal.log"
    journal.write_bytes(damage(journal.read_bytes()))
    refused(tmp_path)


def refused(folder, *said):
    journal = folder / "journal.log"
    before = journal.read_bytes() if journal.exists() else None
    with pytest.raises(TfgError) as error:
        Study(str(folder), plan("random"))
    (found,) = error.value.diagnostics
    assert found.code == "TFG864" and all(one in found.headline for one in said)
    assert (journal.read_bytes() if journal.exists() else None) == before


def test_a_missing_line(tmp_path):
    """Without its last lines, a journal is that of a study that was killed."""
    study, journal = Study(str(tmp_path), plan("random")), tmp_path / "journal.log"
    tried(study, 2)
    whole = found(study)
    lines = journal.read_bytes().splitlines(True)
    for at in range(len(lines) - 1):
        journal.write_bytes(b"".join(lines[:at] + lines[at + 1 :]))
        refused(tmp_path, f"line {at + 1} of journal.log has changed, or one before it is missing")
    journal.write_bytes(b"".join(lines[:-1]))
    again = Study(str(tmp_path), plan("random"))
    tried(again, 1)
    assert found(again) == whole


def test_a_trial_that_the_journal_lacks(tmp_path):
    tried(Study(str(tmp_path), plan("random")), 1)
    for name in ("0000", "notes"):
        (tmp_path / "trials" / name).mkdir(parents=True)
    Study(str(tmp_path), plan("random"))
    (tmp_path / "trials" / "0001").mkdir()
    refused(tmp_path, "trials/0001 is there, but journal.log has no such trial")
    (tmp_path / "journal.log").unlink()
    refused(tmp_path, "trials/0000 is there")
