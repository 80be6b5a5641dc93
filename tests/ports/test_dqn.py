"""Deep Q-learning: from recorded moves beside the same program by hand, and with carts that move."""

import importlib
import re

import numpy as np
import pytest
from beside_by_hand import PROGRAMS, agree


@pytest.mark.long
@pytest.mark.parametrize("engine", ["step", "loop"])
def test_the_same_results(engine):
    agree("dqn", engine=engine, atol=1e-5, n_steps=30)


@pytest.mark.long
def test_more_steps():
    agree("dqn", atol=1e-3, n_steps=500)


@pytest.fixture
def beside(monkeypatch):
    """Python finds what is beside the program."""
    monkeypatch.syspath_prepend(PROGRAMS["dqn"].parent)


@pytest.mark.long
def test_carts_that_move_teach_more(beside, capsys):
    importlib.import_module("dqn").main(n_steps=1000)
    first, last = (int(moves) for moves in re.findall(r"(\d+) moves before a fall", capsys.readouterr().out))
    assert 40 < first < last  # at random, there are about 20


def test_a_cart_moves_as_the_equations_say(beside):
    carts = importlib.import_module("carts").Carts(count=2)
    carts.state = np.array([[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.3, 0.0]])
    after, has_fallen = carts.push(np.array([1, 1]))
    # A push of 10 on 1.1 kilograms, of which a tenth is a pole of a metre.
    turned = -(10 / 1.1) / (0.5 * (4 / 3 - 0.1 / 1.1))
    np.testing.assert_allclose(after[0], [0, 0.02 * (10 / 1.1 - 0.05 * turned / 1.1), 0, 0.02 * turned])
    assert has_fallen.tolist() == [False, True] and carts.lasted == [1]
    assert np.all(np.abs(carts.state[1]) <= 0.05)
