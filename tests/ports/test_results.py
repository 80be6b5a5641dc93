"""Each program has the results of the same program by hand. The pairs that need more have a module of their own."""

import pytest
from beside_by_hand import agree
from conftest import some

# TensorFlow's LSTM cell and its kind say that they are deprecated.
pytestmark = [pytest.mark.usefixtures("here"), pytest.mark.filterwarnings("ignore:.*deprecated")]

# The arguments of `agree`: of a short training, and of one of the default size, or as long as rounding allows.
SHORT = {
    "batch_norm": {"n_layers": 1, "n_epochs": 1},
    "bidirectional_lstm": {"n_epochs": 1},
    "denoising_autoencoder": {"n_epochs": 3},
    "dynamic_lstm": {"n_epochs": 2},
    "factorization_machine": {"n_epochs": 8},
    "gan": {"n_epochs": 2},
    "gcn": {"n_epochs": 10},
    "gradient_descent_path": {},
    "image_by_gradient": {"n_epochs": 2},
    "kmeans": {"k": 10},
    "language_model": {"n_epochs": 1, "n_steps": 150, "atol": 1e-4},
    "lenet": {"n_epochs": 4},
    "lr_schedule": {"n_epochs": 2},
    "lr_schedule_fed": {"n_epochs": 2},
    "mlp_early_stop": {"patience": 1},
    "modern_net": {"n_epochs": 2},
    "multi_tower": {"n_steps": 5, "towers": 2},
    "nearest_neighbour": {},
    "rnn_classifier": {"n_epochs": 2},
    "rnn_regression": {"n_steps": 10},
    "stacked_autoencoder": {"n_epochs": 2},
    "time_series_generation": {"n_iterations": 10, "n_made": 4},
    "transfer": {"n_epochs": 1},
    "transformer": {"n_steps": 2, "eval_every": 2, "length": 2, "atol": 1e-5},
    "vae": {"n_epochs": 2},
}
LONG = {
    "batch_norm": {"rtol": 1e-2, "atol": 1e-3},
    "bidirectional_lstm": {"n_epochs": 4, "atol": 1e-3},
    "denoising_autoencoder": {"rtol": 1e-2},
    "dynamic_lstm": {"rtol": 1e-2, "atol": 1e-3},
    "factorization_machine": {"rtol": 1e-3},
    "gan": {"only": "distance", "atol": 0.02},
    "gcn": {"rtol": 1e-3},
    "image_by_gradient": {"rtol": 1e-3},
    "kmeans": {},
    "language_model": {"only": "exp(cost)", "rtol": 0.05},
    "lr_schedule": {"rtol": 1e-2, "atol": 1e-3},
    "lr_schedule_fed": {"rtol": 1e-2, "atol": 1e-3},
    "mlp_early_stop": {"rtol": 1e-2, "atol": 1e-3},
    "modern_net": {"rtol": 1e-2, "atol": 1e-3},
    "multi_tower": {"towers": 2, "rtol": 1e-2},
    "rnn_classifier": {"rtol": 1e-2, "atol": 1e-3},
    "rnn_regression": {"rtol": 1e-2},
    "stacked_autoencoder": {"rtol": 1e-3},
    "time_series_generation": {"n_iterations": 50, "rtol": 1e-2, "atol": 1e-3},
    "transfer": {"rtol": 1e-2, "atol": 1e-3},
    "transformer": {"n_steps": 9, "eval_every": 9, "atol": 1e-3},  # Adam makes steps of what rounding leaves
    "vae": {"rtol": 1e-2},
}
# These run without a training that a graph can have whole.
IN_STEPS = ("gcn", "nearest_neighbour")
# These are one short run already; the evaluation of LeNet by hand is another graph, whose dropout goes on elsewhere.
SHORT_ALONE = {"gradient_descent_path", "lenet", "nearest_neighbour"}
# Another pair, or another file of tests, tries the same layers and statements in less time.
ALIKE = {
    "batch_norm": "runtime/execution/test_training_mode.py",
    "bidirectional_lstm": "rnn_classifier",
    "dynamic_lstm": "rnn_classifier",
    "factorization_machine": "runtime/training/test_best_values.py",
    "gradient_descent_path": "chapter/test_chapter_models.py",
    "language_model": "rnn_classifier",
    "lr_schedule_fed": "lr_schedule",
    "mlp_early_stop": "lenet",
    "modern_net": "lenet",
    "multi_tower": "lowering/test_towers.py",
    "rnn_regression": "rnn_classifier",
    "stacked_autoencoder": "denoising_autoencoder",
    "time_series_generation": "rnn_classifier",
    "transfer": "lenet",
    "transformer": "nn/test_attention.py",
    "vae": "denoising_autoencoder",
}


@pytest.mark.parametrize("name", some(SHORT, SHORT.keys() - ALIKE))
def test_the_same_results(name):
    agree(name, engine="step", **SHORT[name])


@pytest.mark.loops
@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in SHORT if name not in IN_STEPS])
def test_the_same_results_in_the_graph(name):
    agree(name, engine="loop", **SHORT[name])


@pytest.mark.long
@pytest.mark.parametrize("name", LONG)
def test_longer_trainings(name):
    agree(name, **LONG[name])


def test_each_program_has_a_longer_training():
    assert SHORT.keys() - LONG.keys() == SHORT_ALONE and LONG.keys() <= SHORT.keys()
