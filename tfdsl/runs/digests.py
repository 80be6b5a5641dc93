"""Digests of the bits of arrays, by SHA-256, and values of a run as plain JSON."""

import hashlib
from collections.abc import Mapping
from typing import TypeGuard

import numpy as np

from ..narrowing import is_object
from ..runtime.result import plain

_LARGEST = 1000  # elements of an array that is recorded as it is


def of_array(value: object) -> dict[str, object]:
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
    if is_object(value):
        return {str(name): described(one) for name, one in value.items()}
    return of_array(value) if _is_array(value) and value.size > _LARGEST else plain(value)


def _is_array(value: object) -> TypeGuard[np.ndarray]:
    return isinstance(value, np.ndarray)


def texts(values: Mapping[str, object]) -> list[str]:
    """The names of the values that are text, which may look like a number. A field of a value is `test.name`."""
    found: list[str] = []
    for name, value in values.items():
        match value:
            case str() | bytes():
                found.append(name)
            case _ if is_object(value):
                found += [f"{name}.{inner}" for inner in texts(value)]
            case _:
                pass
    return found
