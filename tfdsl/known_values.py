"""Values of Python for use in a text: plain numbers, strings and lists, or arrays."""

from .narrowing import is_object
from .types import DTYPES

NO_VALUE = object()  # of what no text can use
_PLAIN = (bool, int, float, complex, str, range)


def is_data(value: object) -> bool:
    """Whether `as_data` would inspect a value, without inspecting it."""
    return isinstance(value, (*_PLAIN, bytes, list, tuple)) or (
        hasattr(value, "__array__") and not isinstance(value, type)
    )


def as_data(value: object, of_python: bool = False) -> object:
    """A value for use in a cell: plain numbers, strings and lists, or an array. `NO_VALUE` for anything else.

    Python's floating-point arrays become float32, like all data. An array without axes becomes a number: a float32 with
    the digits that it has in print, which are a float32 again where the number is used.
    """
    if not is_data(value):
        return NO_VALUE
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, (list, tuple)):
        items = [as_data(item, of_python) for item in value]
        if not any(item is NO_VALUE or hasattr(item, "dtype") for item in items):
            return items
    return _array(value, of_python)


def as_values(value: object) -> object:
    """The value of a session's name for use in a cell. The name of an `evaluate` of several values has a dict."""
    if not is_object(value):
        return as_data(value)
    fields = {name: as_data(one) for name, one in value.items()}
    return NO_VALUE if any(one is NO_VALUE for one in fields.values()) else fields


def _array(value: object, of_python: bool) -> object:
    import numpy as np

    try:
        array = np.array(value)  # a copy: Python may change it later
    except Exception:  # __array__ can raise anything; lists can be ragged
        return NO_VALUE
    if array.dtype.kind in "USO":
        strings = all(isinstance(item, (str, bytes)) for item in array.flat)
        array = array.astype(object) if strings else np.asarray(None)
    elif of_python and array.dtype.kind == "f":
        array = array.astype(np.float32)
    if array.ndim == 0 and array.dtype.kind == "f":
        return float(str(array[()]))
    if array.ndim == 0:
        return as_data(array.item()) if array.dtype.kind in "biufcO" and array.item() is not None else NO_VALUE
    return array if array.dtype.name in (*DTYPES, "object") else NO_VALUE
