"""Help for names of other libraries that `tfdsl explain` and `tfdsl ops` do not find."""

from ..analysis.calls import elsewhere
from ..ops import other_names
from ..ops.named import EXPONENTIAL_DECAY

# Names around training, each with the name to look up here.
_EXPLAINED = {
    "EarlyStopping": "stop after", "fit": "train", "fit_generator": "train", "epochs": "train", "batch": "train",
    "batch_size": "train", "DataLoader": "train", "ModelCheckpoint": "keep", "save_weights": "save",
    "load_weights": "restore", "load_model": "restore", "save_model": "export", "TensorBoard": "log to",
    "SummaryWriter": "log to", "minimize": "optimize", "compile": "optimize", "backward": "optimize",
    "validation_data": "evaluate", "validation_split": "split", "test_on_batch": "evaluate", "Session": "session",
    "Saver": "save", "callbacks": "every", "learning_rate": "optimize", "LearningRateScheduler": EXPONENTIAL_DECAY.name,
    "ReduceLROnPlateau": "set", "binary_crossentropy": "nn.sigmoid_cross_entropy",
    "categorical_crossentropy": "nn.softmax_cross_entropy",
    "sparse_categorical_crossentropy": "nn.sparse_softmax_cross_entropy",
    "feed_dict": "feed", "get_variable": "variable", "Variable": "variable", "Input": "placeholder",
}  # fmt: skip


def instead(name: str) -> str:
    """Where to look for a name of another library, with or without its module. "" for other names."""
    name = name.rpartition(".")[2]
    if name in _EXPLAINED:
        return f"see: tfdsl explain {_EXPLAINED[name]}"
    if op := other_names.called(name):
        return f"here it is called {op}; see: tfdsl explain {op}"
    return elsewhere.stage(name)
