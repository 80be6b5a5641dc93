"""Trainings in the branches of an `if` resume where they were, whatever the condition has become meanwhile."""

from itertools import product

import pytest
from conftest import some
from interrupted import points, stopping

import tfdsl
from tfdsl.cli import main
from tfdsl.runtime.options import Options

PROGRAM = """
variable w = {first}
cost = square(w)
optimize cost with gradient_descent(learning_rate=0.25) as halve
summary scalar cost as "cost"
session:
    log to "logs"
    kind = 1
    if cost > 50.0:
        print "large"
        train 8 steps with engine="{engine}":
            checkpoint every 3 steps in "kept/large"
            every 1 step: log
            print "first", step, w
            run halve
        print "was large", w
    elif w > 2.0:
        print "middle"
        kind = 2
        if cost > 5.0:
            train 8 steps with engine="{engine}":
                checkpoint every 3 steps in "kept/middle"
                every 1 step: log
                print "first", step, w
                run halve
            kind = 3
        print "was middle"
    else:
        print "small"
    print "between", kind, w
    if w < 100.0:
        train 12 steps with engine="{engine}":
            checkpoint every 5 steps in "kept/last"
            print "last", step, w, kind
            run halve
    else:
        print "never"
    print "end", w
    save to "final.ckpt"
"""


def compiled(first, engine):
    return tfdsl.compile(PROGRAM.format(first=first, engine=engine))


@pytest.mark.parametrize(("engine", "first", "stop"), some(
    product(["step", "loop", "xla"], [16.0, 4.0], [1, 5, 9]),
    [("step", 16.0, 5), ("loop", 4.0, 5)],
))  # fmt: skip
def test_a_stopped_run_goes_on_in_its_branch(engine, first, stop, tmp_path, monkeypatch):
    outcomes = []
    for name, stopped in (("whole", None), ("stopped", stop)):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        lines = []
        if stopped is not None:
            result = compiled(first, engine).run(options=stopping(stopped, engine=engine, write=lines.append))
            assert result.interrupted
        result = compiled(first, engine).run(options=Options(write=lines.append))
        assert not list((tmp_path / name / "kept").rglob("*step*"))
        outcomes.append((lines, result.history, result.variables["w"], points(tag="cost")))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0][-1].startswith("end")


def test_a_stopped_run_that_another_program_resumes(tmp_path, monkeypatch):
    """It goes on in the branch that keeps its checkpoints there."""
    monkeypatch.chdir(tmp_path)
    assert compiled(16.0, "step").run(options=stopping(3)).interrupted
    lines, notes = [], []
    other = tfdsl.compile(PROGRAM.format(first=16.0, engine="step").replace('print "between"', 'print "changed"'))
    other.run(options=Options(write=lines.append, note=notes.append, resume_anyway=True))
    assert lines[0] == "first 3 2.0" and lines[5:7] == ["was large 0.0625", "changed 1 0.0625"]
    assert notes[0] == "resuming from step 3, saved in kept/large"


@pytest.mark.long
def test_the_command_proves_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.tfg").write_text(PROGRAM.format(first=4.0, engine="step"))
    assert main(["run", "p.tfg", "--verify-resume"]) == 0
    out = capsys.readouterr().out
    assert "line 22: killed at step 4 of 8, resumed from step 3" in out
    assert "line 33: killed at step 6 of 12, resumed from step 5" in out and "line 12" not in out
