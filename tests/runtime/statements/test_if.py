"""`if` on values of the run, in sessions and in trainings."""

import pytest

import tfdsl
from tfdsl.runtime.options import Options

HALVED = """
variable w = {first}
cost = square(w)
optimize cost with gradient_descent(learning_rate=0.25) as halve
session:
    first = cost
    if first > 100.0:
        kind = 3
        print "large", first
    elif first > 50.0:
        kind = 2
    elif cost > 1.0:
        kind = 1
    else:
        kind = 0
    print "kind", kind
    train 6 steps with engine="{engine}":
        run halve
        {when}:
            c = cost
            if c < 1.0 and step > 1:
                print step, c
                small = c
            else: small = -1.0
    if small > 0.0 and w < 1.0:
        train 2 steps: run halve
        print "trained on", w
        if w < 0.1: print "small"
        else: print "not small"
"""


def run(first, engine="step", when="after every 3 steps"):
    lines, notes = [], []
    text = HALVED.format(first=first, engine=engine, when=when)
    result = tfdsl.compile(text).run(options=Options(write=lines.append, note=notes.append))
    return lines, notes, result


def values(lines):
    return [float(word) for line in lines for word in line.split() if word[0].isdigit()]


def words(lines):
    return [word for line in lines for word in line.split() if not word[0].isdigit()]


def by_hand(first):
    w = first
    cost = w * w
    lines = ["large " + str(cost)] if cost > 100 else []
    lines.append(f"kind {3 if cost > 100 else 2 if cost > 50 else 1 if cost > 1 else 0}")
    small = None
    for step in range(6):
        w /= 2
        if (step + 1) % 3 == 0:
            small = -1.0
            if w * w < 1 and step > 1:
                lines.append(f"{step} {w * w}")
                small = w * w
    if small > 0 and w < 1:
        w /= 4
        lines += [f"trained on {w}", "small" if w < 0.1 else "not small"]
    return lines


@pytest.mark.parametrize("engine", ["step", "loop"])
@pytest.mark.parametrize("first", [0.5, 2.0, 8.0, 16.0, 64.0, 1024.0])
def test_the_branch_of_a_value_runs(first, engine):
    lines, notes, result = run(first, engine)
    assert values(lines) == pytest.approx(values(by_hand(first)))
    assert words(lines) == words(by_hand(first))
    assert notes == [] and result.engines[0] == engine


@pytest.mark.loops
def test_in_the_body_itself_a_training_goes_step_by_step():
    text = """
variable w = 8.0
optimize square(w) with gradient_descent(learning_rate=0.25) as halve
session:
    train 4 steps with engine="loop":
        run halve
        if w < 2.0: print step, w
"""
    lines, notes = [], []
    result = tfdsl.compile(text).run(options=Options(write=lines.append, note=notes.append))
    assert lines == ["2 1.0", "3 0.5"]
    assert result.engines[0] == "step"
    assert "trains step by step" in notes[0]
