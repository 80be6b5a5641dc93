"""Digits as series of rows, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(engine):
    agree("rnn_classifier", engine=engine, n_epochs=2)


@pytest.mark.long
def test_the_default_size():
    agree("rnn_classifier", rtol=1e-2, atol=1e-3)
