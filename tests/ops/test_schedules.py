"""Schedules of learning rates, compared with their formulas, and in trainings of every engine."""

import math

import numpy as np
import pytest
from conftest import some

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.ops import OPS
from tfdsl.runtime.options import Options


def polynomial(step, cycle=False):
    length = 40 * max(1, math.ceil(step / 40)) if cycle else 40
    share = min(step, length) / length
    return (0.5 - 0.1) * (1 - share) ** 2 + 0.1


def restarted(step):
    length, rate, begun = 10, 1.0, 0
    while step >= begun + length:
        begun, length, rate = begun + length, length * 2, rate * 0.8
    return 0.5 * (0.9 * rate * 0.5 * (1 + math.cos(math.pi * (step - begun) / length)) + 0.1)


def linear_cosine(step):
    share = min(step, 40) / 40
    return 0.5 * ((0.2 + 1 - share) * 0.5 * (1 + math.cos(math.pi * share)) + 0.01)


SCHEDULES = {
    "exponential_decay(0.5, k, 10, 0.9)": lambda step: 0.5 * 0.9 ** (step / 10),
    "exponential_decay(0.5, k, 10, 0.9, staircase=true)": lambda step: 0.5 * 0.9 ** (step // 10),
    "natural_exp_decay(0.5, k, 10, 0.3)": lambda step: 0.5 * math.exp(-0.3 * step / 10),
    "inverse_time_decay(0.5, k, 10, 0.3)": lambda step: 0.5 / (1 + 0.3 * step / 10),
    "inverse_time_decay(0.5, k, 10, 0.3, staircase=true)": lambda step: 0.5 / (1 + 0.3 * (step // 10)),
    "polynomial_decay(0.5, k, 40, end_learning_rate=0.1, power=2.0)": polynomial,
    "polynomial_decay(0.5, k, 40, end_learning_rate=0.1, power=2.0, cycle=true)": lambda step: polynomial(step, True),
    "cosine_decay(0.5, k, 40, alpha=0.2)": lambda step: (
        0.5 * (0.8 * 0.5 * (1 + math.cos(math.pi * min(step, 40) / 40)) + 0.2)
    ),
    "cosine_decay_restarts(0.5, k, 10, m_mul=0.8, alpha=0.1)": restarted,
    "linear_cosine_decay(0.5, k, 40, alpha=0.2, beta=0.01)": linear_cosine,
    "noisy_linear_cosine_decay(0.5, k, 40, initial_variance=0.0, alpha=0.2, beta=0.01)": linear_cosine,
    "piecewise_constant_decay(k, [10, 20], [0.5, 0.2, 0.1])": lambda step: 0.5 if step <= 10 else 0.2 if step <= 20 else 0.1,
}  # fmt: skip


def test_every_schedule_is_here():
    assert {name.partition("(")[0] for name in SCHEDULES} == {op.name for op in OPS.values() if op.group == "schedules"}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_values_are_those_of_the_formula(schedule):
    text = f"placeholder k: int64\nrate = {schedule}\n"
    with tfdsl.compile(text).session() as session:
        found = [session.run("rate", {"k": step}) for step in (0, 1, 7, 10, 11, 20, 21, 35, 40, 55, 90)]
    wanted = [SCHEDULES[schedule](step) for step in (0, 1, 7, 10, 11, 20, 21, 35, 40, 55, 90)]
    np.testing.assert_allclose(found, wanted, rtol=2e-6)


@pytest.mark.parametrize("schedule", [one for one in SCHEDULES if not one.startswith("noisy")])  # it refuses them
def test_steps_of_unknown_rank_must_be_one_number(schedule):
    with tfdsl.compile(f"placeholder k: int64[...]\nrate = {schedule}\n").session() as session:
        np.testing.assert_allclose(session.run("rate", {"k": 7}), SCHEDULES[schedule](7), rtol=2e-6)
        with pytest.raises(TfgError) as caught:
            session.run("rate", {"k": [7, 8]})
    assert [one.code for one in caught.value.diagnostics] == ["TFG702"]


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_a_training_follows_them(engine):
    """The rate of each step is read before the step, and the count grows after it."""
    text = """
variable w = 8.0
variable k: int64 = 0
rate = piecewise_constant_decay(k, [1, 3], [0.25, 0.125, 0.5]) * exponential_decay(1.0, k, 2, 0.5, staircase=true)
optimize square(w) with gradient_descent(learning_rate=rate) as step
after step:
    count = assign_add(k, 1)
session:
    train 6 steps: run count
"""
    result = tfdsl.compile(text).run(options=Options(write=lambda line: None, engine=engine))
    w = 8.0
    for k in range(6):
        w -= (0.25 if k <= 1 else 0.125 if k <= 3 else 0.5) * 0.5 ** (k // 2) * 2 * w
    assert result.variables["w"] == w and result.variables["k"] == 6  # all of them are exact


def test_the_noise_of_a_schedule():
    """Its deviation is sqrt(initial_variance / (1 + step) ** variance_decay), times the rate and the cosine."""
    text = "placeholder k: int64\nrate = noisy_linear_cosine_decay(0.5, k, 40, initial_variance=4.0, seed=7)\n"
    with tfdsl.compile(text).session() as session, tfdsl.compile(text).session() as again:
        for step in (0, 10, 15):
            found = [session.run("rate", {"k": step}) for _ in range(1000)]
            if step == 0:
                assert found == [again.run("rate", {"k": step}) for _ in range(1000)]
            height = 0.5 * 0.5 * (1 + math.cos(math.pi * step / 40))
            deviation = height * math.sqrt(4.0 / (1 + step) ** 0.55)
            assert abs(np.mean(found) - (height * (1 - step / 40) + 0.5 * 0.001)) < deviation / 5
            np.testing.assert_allclose(np.std(found), deviation, rtol=0.1)


@pytest.mark.parametrize(
    ("call", "code", "words"),
    [
        ("piecewise_constant_decay(k, [20, 10], [0.5, 0.2, 0.1])", "TFG214", "numbers that increase"),
        ("piecewise_constant_decay(k, [0.1, 0.01], [10, 20, 30])", "TFG214", "numbers that increase"),
        ("exponential_decay(k, 0.01, 100, 0.5)", "TFG204", "the rate comes first, then the step: exponential_decay(0.01, k, ...)"),
        ("cosine_decay(k, 0.01, 100)", "TFG204", "the rate comes first, then the step: cosine_decay(0.01, k, ...)"),
    ],
)  # fmt: skip
def test_arguments_in_another_order(call, code, words):
    (found,) = [one for one in tfdsl.check(f"placeholder k: int64\nrate = {call}\n") if one.severity == "error"]
    assert found.code == code and words in f"{found.headline} {found.help_line}"
