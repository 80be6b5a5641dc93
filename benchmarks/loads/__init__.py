"""The loads by name. Each has `measure(settings)`, which returns a `LoadResult`."""

from ..measure import BY_HAND, Training
from ..result import Wanted
from .building import Building
from .commands import Commands
from .digits import Digits
from .evaluating import EvaluatedDigits, Evaluating
from .housing import Housing
from .large_csv import LargeCsv
from .network import Network
from .sequences import Lstm, Transformer
from .startup import Startup

_ENGINES = ("step", "loop", "xla")
_OTHERS = ("NumPy", "scikit-learn", "Keras fit", "PyTorch", "PyTorch compiled", "JAX")
_ALL = (BY_HAND, *_ENGINES, *_OTHERS)
# Steps after which networks are compared: later, an input of a ReLU close to 0 can have another sign.
_BEFORE_KINKS = 20
_COMPILERS = (BY_HAND, *_ENGINES, "PyTorch", "PyTorch compiled", "JAX")
_DRAWING = (*_ALL, "JAX, drawing")
_MINI_BATCH = (
    Wanted("loop", BY_HAND, 15), Wanted("xla", BY_HAND, 80), Wanted("xla", "JAX", 1), Wanted("xla", "JAX, drawing", 1),
)  # fmt: skip

_TRAININGS = (
    Training("housing", "housing, mini-batches of 100, gradient descent", Housing, (100, 0.0), _DRAWING, _MINI_BATCH),
    Training("momentum", "housing, mini-batches of 100, momentum", Housing, (100, 0.9), _DRAWING, _MINI_BATCH),
    Training(
        "ordered", "housing, mini-batches of 120 in order, gradient descent", Housing, (120, 0.0, True),
        tuple(name for name in _ALL if name != "PyTorch compiled"), (Wanted("xla", "JAX", 1),),
    ),
    Training(
        "full-batch", "housing, full batch, gradient descent", Housing, (None, 0.0), _ALL,
        (Wanted("xla", BY_HAND, 5), Wanted("xla", "JAX", 1)),
    ),
    Training(
        "network", "784-300-100-10 network, momentum, batch 50", Network, (50, 0.9), _ALL,
        (
            Wanted("xla", BY_HAND, 2), Wanted("xla", "JAX", 1), Wanted("xla", "PyTorch", 1),
            Wanted("xla", "PyTorch compiled", 1),
        ),
        check=_BEFORE_KINKS,
    ),
    Training(
        "digits", "small convolutional network on digits, momentum, batch 50", Digits, (50, 0.9),
        tuple(name for name in _ALL if name != "scikit-learn"),
    ),
    Training("lstm", "an LSTM over the rows of digits, momentum, batch 50", Lstm, (50, 0.9), _COMPILERS),
    Training(
        "transformer", "a transformer block on digits, momentum, batch 50", Transformer, (50, 0.9), _COMPILERS,
        check=_BEFORE_KINKS,
    ),
    Training(
        "logging", "housing, mini-batches of 100, logging every 10 batches", Housing, (100, 0.0),
        (BY_HAND, *_ENGINES, BY_HAND + ", no log", "loop, no log"), (Wanted("loop", BY_HAND, 12),), logs=True,
    ),
    Evaluating(
        "evaluating", "64-64-32-10 network on digits, momentum, batch 50, evaluated after each epoch", EvaluatedDigits,
        (50, 0.9), (BY_HAND, *_ENGINES, "Keras fit"), (Wanted("loop", "step", 1), Wanted("loop", "Keras fit", 1)),
        logs=True,
    ),
)  # fmt: skip

LOADS: dict[str, Training | Building | Startup | Commands | LargeCsv] = {
    load.name: load for load in (*_TRAININGS, Building(), Startup(), Commands(), LargeCsv())
}  # fmt: skip
