"""`tfdsl tune` as a process."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest

import tfdsl
from tfdsl.cli import main
from tfdsl.cli.child import Fork
from tfdsl.cli.trials import Reporter, RunningTrial, TrialOutcome, Trials
from tfdsl.cli.tune import signed
from tfdsl.diagnostics import WRITE_FAILED, Diagnostic, TfgError
from tfdsl.runs.reading import records

PROGRAM = """
param rate = 0.1
param start = 3.0
param is_on = true
param steps: int8 = 12
param kind = "a"
param sizes = [1, 2]
variable w = start
variable count = 0.0
optimize square(w - 1.0) with gradient_descent(learning_rate=rate)
summary scalar square(w) as "logged"
session:
    log to "logs"
    train steps steps:
        every 1 step: log
    cost = square(w - 1.0)
    save to "kept/model.ckpt"
"""


def environment():
    return {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}


def command(*arguments):
    return [sys.executable, "-m", "tfdsl", "tune", "p.tfg", *arguments]


def tune(folder, *arguments):
    return forked.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True, timeout=300
    )  # fmt: skip


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p.tfg").write_text(PROGRAM)
    return tmp_path


OVER = ("--over", "rate=log(1e-3, 0.5)", "--minimize", "cost")


def test_a_search(folder):
    first = tune(folder, *OVER, "--trials", "3", "--seed", "4")
    assert first.returncode == 0, first.stderr
    lines = first.stdout.splitlines()
    assert lines[0].split() == ["trial", "status", "cost", "rate"] and len(lines) == 4
    assert first.stderr.count("\ntrial ") + first.stderr.startswith("trial ") == 3
    study = folder / "studies" / "p"
    assert {one.name for one in study.iterdir()} == {"journal.log", "search.svg", "trials"}
    assert (study / "trials" / "0002" / "kept" / "model.ckpt.index").exists()
    assert len(list((study / "trials").glob("*/run-*"))) == 3 and not (folder / "logs").exists()
    best = float(lines[1].split()[3])
    tuned = (folder / "p-tuned.tfg").read_text()
    assert tuned.startswith("# tuned by tfdsl tune: trial ") and f"param rate = {best:.3g}"[:17] in tuned
    more = tune(folder, *OVER, "--trials", "1", "--seed", "4", "--json", "-q")
    found = json.loads(more.stdout)
    assert [one["trial"] for one in found["trials"]] == [0, 1, 2, 3] and "trial" not in more.stderr
    assert found["best"] == min(found["trials"], key=lambda one: one["value"])
    assert all(one["record"] and one["status"] == "done" for one in found["trials"])


def test_the_tuned_program_gives_the_value_of_its_trial(folder):
    """Values have the types of their params, also in scopes, and what the command line gives is there, too."""
    (folder / "p.tfg").write_text(
        "param a = 1.0\nparam c = 2.0\nscope s:\n    param inner = 5\nm = reduce_mean(constant([a, 2])) + c * inner\n"
        "session:\n    v = m * 1\n    print v\n"
    )
    over = ("--over", "a=int(1, 3)", "--over", "inner=choice(1, 2)", "--sampler", "grid", "--maximize", "v")
    found = tune(folder, *over, "--trials", "6", "--set", "c=0.5", "--engine", "step", "--json")
    best = json.loads(found.stdout)["best"]
    assert best["value"] == 3.5 and best["params"] == {"a": 3, "inner": 2}
    text = (folder / "p-tuned.tfg").read_text()
    assert "param a = 3.0\nparam c = 0.5\n" in text and "    param inner = 2\n" in text
    assert tfdsl.compile(text).run().printed == ["3.5"]
    assert "the trials ran with --engine step, which is not in the file" in found.stderr


def test_what_is_not_of_the_program_ends_the_search(folder):
    """An import that has changed, and a file that cannot be written. The trial is tried again."""
    (folder / "lib.tfg").write_text("c = 1.0\n")
    text = 'import "lib.tfg" as lib\nparam a = 1\nvariable w = 1.0\nsession:\n    v = w * lib.c * a\n    save to "{}"\n'
    (folder / "p.tfg").write_text(text.format(folder / "there" / "model.ckpt"))
    (folder / "there").write_text("")
    over = ("--over", "a=choice(1, 2)", "--minimize", "v", "--sampler", "grid")
    failed = tune(folder, *over)
    assert failed.returncode == 1 and "error[TFG865]: trial 0 could not write a file" in failed.stderr
    (folder / "there").unlink()
    assert tune(folder, *over, "--trials", "1").stdout.split()[4:6] == ["0", "done"]
    (folder / "lib.tfg").write_text("c = 2.0\n")
    assert "error[TFG876]" in tune(folder, *over).stderr


def test_an_ended_fork_is_waited_for_once():
    pid = os.fork()
    if pid == 0:
        os._exit(3)
    ended = Fork(pid)
    assert ended.wait() == 3 and ended.poll() == 3
    ended.kill()


@pytest.mark.parametrize("arguments, code, said", [
    ((), 2, "--over"),
    (("--over", "rate=log(1,2)"), 2, "--minimize"),
    (("--over", "rat=log(1,2)", "--minimize", "cost"), 2, "did you mean 'rate'?"),
    (("--over", "rate=1", "--minimize", "cost"), 2, "write log(LOW, HIGH)"),
    ((*OVER, "--over", "rate=int(1,2)"), 2, "it is there twice"),
    ((*OVER, "--sampler", "grid"), 2, "has no number of values"),
    ((*OVER, "--set", "rate=1"), 2, "--set gives rate a value"),
    (("--over", "is_on=log(1,2)", "--minimize", "cost"), 2, "is_on is true or false: write choice(true, false)"),
    (("--over", "steps=uniform(1,4)", "--minimize", "cost"), 2, "steps is a whole number: write int(1, 4)"),
    ((*OVER, "--output", "p.tfg"), 2, "tfdsl tune has not written it"),
    ((*OVER, "--output", "/dev/full"), 2, "is not the name of a program"),
    (("--over", "start=choice(a, b)", "--minimize", "cost", "--trials", "1"), 2, "start is a number, and a is not"),
    (("--over", "rate=log(1,2)", "--minimize", "loss", "--trials", "1"), 2, "[TFG878]: the program has no value loss\n  = help: its values are cost, logged"),
    ((*OVER[:3], "lgged"), 2, "[TFG878]: the program has no value lgged\n  = help: did you mean 'logged'?"),
    ((*OVER[:3], "x/logged"), 2, "did you mean 'logged'?"),
    ((*OVER, "--prune"), 2, "no training gives cost: evaluate it there, in a block such as 'every 1 epoch', or log it; trainings give logged"),
    ((*OVER, "--output", "new/p.tfg"), 1, "new/p.tfg: No such file or directory"),
    (("--over", "steps=choice(1.5, 2)", "--minimize", "cost"), 2, "steps is a whole number, and 1.5 is not"),
    (("--over", "steps=int(1, 1000)", "--minimize", "cost"), 2, "param 'steps' is int8, but --over steps=int(1, 1000) gives 1000"),
    (("--over", "steps=choice(1, 300)", "--minimize", "cost"), 2, "help: int8 "),
    (("--over", "is_on=choice(0, 1)", "--minimize", "cost"), 2, "is_on is true or false, and 0 is not: write choice(true, false)"),
    (("--over", "kind=choice(a, 1)", "--minimize", "cost"), 2, 'kind is a text, and 1 is not: write choice("1", "2")'),
    (("--over", 'start=choice(1, "inf")', "--minimize", "cost"), 2, '"inf" is not a finite number, and a program cannot have it'),
    ((*OVER, "--set", "start=inf"), 2, "--set gives start the value inf, which the tuned program cannot have"),
    (("--over", "sizes=int(1, 2)", "--minimize", "cost"), 2, 'sizes is a list: write choice("[1, 2]", "[3]")'),
])  # fmt: skip
def test_mistakes(folder, arguments, code, said):
    found = tune(folder, *arguments)
    assert found.returncode == code and said in found.stderr and not found.stdout, found.stderr
    assert not (folder / "p-tuned.tfg").exists()


def test_a_value_that_only_a_run_lacks(folder):
    """Such a trial has failed, and the others go on."""
    (folder / "p.tfg").write_text(PROGRAM.replace("every 1 step: log", "after every 99 steps: log"))
    found = tune(folder, *OVER[:3], "logged", "--trials", "1")
    assert found.returncode == 1
    assert "[TFG879]: every trial has failed; the last one: it has no value logged; its values are cost" in found.stderr


def test_the_best_of_another_study_is_replaced_aloud(folder):
    other = "# tuned by tfdsl tune: trial 3 has cost 0.0"
    (folder / "p-tuned.tfg").write_text(signed(f"{other}\nvariable w = 1.0\n", other))
    over = ("--over", "start=choice(2.0, 3.0)", "--sampler", "grid", "--trials", "1", "-q", "--minimize", "cost")
    other = "trial 3 has cost 0.0"
    said = f"tfdsl: wrote p-tuned.tfg in place of the best of another study, {other}\n"
    assert tune(folder, *over).stderr == said
    assert tune(folder, *over).stderr == "tfdsl: wrote p-tuned.tfg\n"
    with open(folder / "p-tuned.tfg", "a") as file:
        file.write("# mine\n")
    kept, edited = (folder / "p-tuned.tfg").read_text(), tune(folder, *over)
    assert (
        edited.returncode == 2 and "p-tuned.tfg exists, and tfdsl tune has not written it, or it was" in edited.stderr
    )
    assert (folder / "p-tuned.tfg").read_text() == kept and not edited.stdout


DATA_PROGRAM = """data d = csv("d.csv", target="y")
param a = 1
param units = 2
m = reduce_sum(d.features) * a * units
session:
    v = m * 1.0
"""


@pytest.fixture
def with_data(folder):
    """A study of a program with data, and the options that began it."""
    (folder / "p.tfg").write_text(DATA_PROGRAM)
    (folder / "d.csv").write_text("x,y\n1,2\n2,4\n")
    over = ("--over", "a=int(1, 60)", "--sampler", "grid", "--minimize", "v")
    assert tune(folder, *over, "--trials", "1").returncode == 0
    return folder, over


def test_a_study_is_of_its_data_and_options(with_data):
    """The messages name what differs. All refuse before a trial."""
    folder, over = with_data
    (folder / "other.csv").write_text("x,y\n1,2\n2,5\n")
    (folder / "c.yaml").write_text("params:\n  units: 5\n")

    def refused(*options):
        found = tune(folder, *over, *options)
        assert found.returncode == 1 and "error[TFG876]" in found.stderr and not found.stdout
        return found.stderr

    assert "data d was d.csv (sha256 " in (said := refused("--data", "d=other.csv")) and "and is other.csv (sh" in said
    said = refused("--config", "c.yaml", "--engine", "loop")
    assert ": --set units was not given, and is 5 now; --engine was not given, and is loop now\n" in said
    (folder / "d.csv").write_text("x,y\n1,2\n2,5\n")
    assert "plan: data d was d.csv (sha256 " in refused() and len(list((folder / "studies/p/trials").iterdir())) == 1


def test_a_checkpoint_that_all_trials_restore_is_of_the_study(folder):
    """Another one at its place would give trials with other variables in one table."""
    saving = f'variable w = {{}}\nsession: save to "{folder}/w.ckpt"\n'
    text = f'param a = 1\nvariable w = 0.0\nsession:\n    restore from "{folder}/w.ckpt"\n    v = w * a\n'
    (folder / "p.tfg").write_text(text)
    over = ("--over", "a=int(1, 9)", "--sampler", "grid", "--minimize", "v", "--trials", "1", "--json")
    (folder / "s.tfg").write_text(saving.format("2.0"))
    tfdsl.compile(folder / "s.tfg").run()
    assert json.loads(tune(folder, *over).stdout)["best"]["value"] == 2.0
    (folder / "s.tfg").write_text(saving.format("3.0"))
    tfdsl.compile(folder / "s.tfg").run()
    found = tune(folder, *over)
    assert found.returncode == 1 and "error[TFG876]" in found.stderr and "w.ckpt was " in found.stderr, found.stderr


def test_data_that_change_while_the_trials_run(with_data):
    """No trial with other data is over, so the next search tries it again, once the data are as they were."""
    folder, over = with_data
    running = forked.Popen(
        command(*over, "--trials", "50"), cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    running.stderr.readline()
    before = (folder / "d.csv").read_text()
    (folder / "d.csv").write_text("x,y\n5,2\n2,5\n")
    _, said = running.communicate(timeout=120)
    assert running.returncode == 1 and "error[TFG876]" in said and "d.csv has changed while the trials ran" in said
    (folder / "d.csv").write_text(before)
    found = json.loads(tune(folder, *over, "--trials", "2", "--json").stdout)["trials"]
    assert len(found) >= 4 and all(one["value"] == 6 * one["params"]["a"] for one in found)


def test_data_of_a_config_file_are_found(with_data):
    folder, over = with_data
    (folder / "other.csv").write_text("x,y\n1,2\n4,5\n")
    (folder / "c.yaml").write_text("data:\n  d: other.csv\n")
    found = tune(folder, *over, "--trials", "1", "--config", "c.yaml", "--study", "other", "--json")
    assert json.loads(found.stdout)["best"]["value"] == 10.0, found.stderr


@pytest.mark.long
def test_two_at_a_time_try_what_one_alone_tries(folder):
    options = (*OVER, "--over", "is_on=choice(true, false)", "--trials", "4", "--sampler", "random", "--json")
    one = tune(folder, *options, "--study", "one")
    two = tune(folder, *options, "--study", "two", "--jobs", "2")
    trials = [
        [(trial["trial"], trial["value"], trial["params"]) for trial in json.loads(found.stdout)["trials"]]
        for found in (one, two)
    ]
    assert trials[0] == trials[1] and len(trials[0]) == 4


@pytest.mark.long
def test_pruned_trials(folder):
    found = tune(folder, "--over", "start=choice(1.5, 2.0, 90.0, 95.0, 99.0)", "--minimize", "logged", "--trials", "8",
                 "--prune", "--sampler", "random", "--json", "-q")  # fmt: skip
    trials = json.loads(found.stdout)["trials"]
    status = {one["status"] for one in trials}
    assert status == {"done", "pruned"}, found.stderr
    assert all(one["params"]["start"] > 2 for one in trials if one["status"] == "pruned")


def test_only_values_of_a_training_are_reported():
    """A trial that has trained is not pruned by what the statements after the training give."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        reporter = Reporter("test", theirs)
        ours.sendall(b"true\n" * 9)
        given = "evaluate cost on d as rows with X = rows.features"
        program = tfdsl.compile(f"""data d = moons(4, noise=0.1, seed=1)
placeholder X: float32[rows, 2]
variable w = 2.0
cost = 0.0 * reduce_mean(X) + square(w)
optimize square(w) with gradient_descent(learning_rate=0.1)
session:
    test = {given}
    train 2 steps:
        every 1 step: test = {given}
    test = {given}
""")
        program.run(options=tfdsl.Options(observer=reporter, write=lambda line: None))
        said = [json.loads(line) for line in ours.recv(1000).splitlines()]
    assert [(one["step"], round(one["value"], 4)) for one in said] == [(0, 4.0), (1, 2.56)]


def test_an_interrupted_search_goes_on(folder):
    running = forked.Popen(
        command(*OVER, "--trials", "50", "--study", "cut"), cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    for _ in range(2):
        running.stderr.readline()
    running.send_signal(signal.SIGINT)
    out, said = running.communicate(timeout=600)
    over = said.count("trial ") + 2
    assert running.returncode == 130 and len(out.splitlines()) == min(over, 10) + 1 + (over > 10)
    assert f"tfdsl: interrupted; the same command goes on with the study: --trials {50 - over} tries " in said
    cut = json.loads(tune(folder, *OVER, "--trials", "2", "--study", "cut", "--json").stdout)["trials"]
    whole = json.loads(tune(folder, *OVER, "--trials", str(len(cut)), "--study", "whole", "--json").stdout)["trials"]
    assert [(one["value"], one["params"]) for one in cut] == [(one["value"], one["params"]) for one in whole]


def test_interrupted_trials_end_their_records(folder):
    (folder / "p.tfg").write_text(PROGRAM.replace("steps steps", "1_000_000_000 steps"))
    running = forked.Popen(
        command(*OVER, "--jobs", "2", "--sampler", "random"), cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    while len(list(folder.glob("studies/p/trials/*/run-*"))) < 2:
        assert running.poll() is None  # no trial ends by itself
        time.sleep(0.05)  # the records are all that a trial shows while it runs
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=600)
    assert running.returncode == 130 and "--trials 20 tries 20 more" in said
    assert [one.status for one in records([str(folder)])] == ["interrupted"] * 2


def test_what_cannot_be_written_is_said_after_the_table(folder, monkeypatch, capsys):
    """The best program is still refused at the end if that became impossible while the trials ran."""
    monkeypatch.chdir(folder)
    checked = []

    def one(search, *_):
        """A trial without a fork, which this process, with TensorFlow's threads, could not have."""
        number, values = search._study.begin()
        search._study.end(number, 1.0, "")
        yield RunningTrial(number, values, Fork(0), None, None), TrialOutcome(value=1.0)

    def refuse(path, content):
        raise TfgError([Diagnostic(WRITE_FAILED, None, {"path": path, "reason": "No space left on device"})])

    monkeypatch.setattr(Trials, "run", one)
    monkeypatch.setattr("tfdsl.cli.tune.write_output", refuse)
    monkeypatch.setattr("tfdsl.cli.tune.check_output", checked.append)
    assert main(["tune", "p.tfg", *OVER, "--trials", "1"]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("trial  status") and "--output FILE" in said.err and len(checked) == 2


def test_a_study_has_one_process(folder):
    running = forked.Popen(
        command(*OVER, "--trials", "50"), cwd=folder, env=environment(), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    running.stderr.readline()
    second = tune(folder, *OVER)
    running.kill()
    running.communicate()
    assert second.returncode == 1 and "TFG877" in second.stderr
    assert f"process {running.pid} on" in second.stderr


@pytest.mark.long
@pytest.mark.parametrize("jobs, sampler", [(1, "tpe"), (2, "random")])
def test_kills_at_random(folder, jobs, sampler):
    """However often a search is killed, and wherever, it has the trials of one that was not."""
    count, kills, drawn = 24, 0, random.Random(jobs)
    options = (*OVER, "--sampler", sampler, "--jobs", str(jobs), "--json")
    whole = json.loads(tune(folder, *options, "--study", "whole", "--trials", str(count)).stdout)
    journal = folder / "cut" / "journal.log"
    while kills < 30:
        left = count - (journal.read_text().count('"record"') if journal.exists() else 0)
        running = forked.Popen(
            command(*options, "--study", "cut", "--trials", str(max(left, 1))), cwd=folder, env=environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        if kills % 2:
            running.stderr.readline()  # of its first trial
        time.sleep(drawn.uniform(0, 0.2 if kills % 2 else 3))
        running.kill()
        running.communicate()
        kills += 1
        if left <= 1:
            break
    cut = json.loads(tune(folder, *options, "--study", "cut", "--trials", str(count)).stdout)
    trials = [
        [(one["trial"], one["status"], one["value"], one["params"]) for one in found["trials"][:count]]
        for found in (cut, whole)
    ]
    assert trials[0] == trials[1] and len(trials[0]) == count


def test_a_trial_has_the_value_that_its_training_keeps(tmp_path):
    (tmp_path / "p.tfg").write_text("""
param rate = 0.1
data d = moons(4, seed=1)
placeholder X: float32[n, 2]
variable w = 3.0
cost = square(w - 1.0) + reduce_mean(X * 0)
optimize cost with gradient_descent(learning_rate=rate)
session:
    train 3 epochs on d as batch:
        feed X = batch.features
        every 1 epoch:
            val = evaluate cost on d as b with X = b.features
            keep lowest val to "m"
""")
    done = tune(
        tmp_path, "--over", "rate=choice(1.2,0.1)", "--minimize", "val", "--trials", "1", "--sampler", "grid", "--json"
    )
    (one,) = json.loads(done.stdout)["trials"]
    assert one["value"] == 4.0  # the last is 15.3664
