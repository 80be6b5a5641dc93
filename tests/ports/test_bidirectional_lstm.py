"""An LSTM that reads texts from both sides, beside the same program by hand."""

import pytest
from beside_by_hand import agree
from conftest import some

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated")  # TensorFlow's cell says so


@pytest.mark.parametrize("engine", some(["step", "loop"], ["loop"]))
def test_the_same_results(here, engine):
    agree("bidirectional_lstm", engine=engine, n_epochs=1)


@pytest.mark.long
def test_more_epochs(here):
    agree("bidirectional_lstm", atol=1e-3, n_epochs=4)
