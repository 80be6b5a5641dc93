"""The forms of exported models."""

from typing import Literal, get_args

Form = Literal["savedmodel", "graphdef", "onnx"]
FORMS: tuple[Form, ...] = get_args(Form)
_SUFFIXES: dict[str, Form] = {".pb": "graphdef", ".onnx": "onnx"}
# What the files of other formats end in, which a SavedModel must not be mistaken for.
OTHERS = frozenset((
    ".bin", ".ckpt", ".csv", ".engine", ".gguf", ".gz", ".h5", ".hdf5", ".joblib", ".json", ".keras", ".mlmodel",
    ".npz", ".pbtxt", ".pkl", ".pt", ".pth", ".safetensors", ".tar", ".tfg", ".tflite", ".txt", ".zip",
))  # fmt: skip


def form_of(path: str) -> Form:
    """The form that the name of a file means; a folder is a SavedModel."""
    for suffix, form in _SUFFIXES.items():
        if path.lower().endswith(suffix):
            return form
    return "savedmodel"
