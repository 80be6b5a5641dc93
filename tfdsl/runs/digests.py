"""Digests of the bits of arrays, by SHA-256, and values of a run as plain JSON."""

import hashlib
from collections.abc import Mapping
from typing import Any, cast

import numpy as np

from ..runtime.result import plain

_LARGEST = 1000  # elements of an array that is recorded as it is


def of_array(value: Any) -> dict[str, object]:
    """Dtype, shape and digest of an array."""
    array = np.asarray(value)
    result = hashlib.sha256(f"{array.dtype} {array.shape};".encode())
    if array.dtype == object:  # texts
        for one in array.flat:
            text = one if isinstance(one, bytes) else str(one).encode()
            result.update(f"{len(text)} ".encode() + text)
    else:
        result.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data if array.size else b"")
    return {"dtype": str(array.dtype), "shape": list(array.shape), "sha256": result.hexdigest()}


def described(value: object) -> object:
    """A value as plain JSON. A large array is its digest."""
    if isinstance(value, dict):
        values = cast(dict[object, object], value)
        return {str(name): described(one) for name, one in values.items()}
    is_large = isinstance(value, np.ndarray) and cast(np.ndarray[Any, Any], value).size > _LARGEST
    return of_array(value) if is_large else plain(cast(object, value))


def texts(values: Mapping[str, object]) -> list[str]:
    """The names of the values that are text, which may look like a number. A field of a value is `test.name`."""
    found: list[str] = []
    for name, value in values.items():
        match value:
            case str() | bytes():
                found.append(name)
            case dict():
                found += [f"{name}.{inner}" for inner in texts(cast(dict[str, object], value))]
            case _:
                pass
    return found
