"""The forms of exported models."""

from typing import Literal, get_args

Form = Literal["savedmodel", "graphdef", "onnx"]
FORMS: tuple[Form, ...] = get_args(Form)
_SUFFIXES: dict[str, Form] = {".pb": "graphdef", ".onnx": "onnx"}


def form_of(path: str) -> Form:
    """The form that the name of a file means; a folder is a SavedModel."""
    for suffix, form in _SUFFIXES.items():
        if path.lower().endswith(suffix):
            return form
    return "savedmodel"
