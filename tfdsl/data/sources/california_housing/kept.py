"""The California housing data as scikit-learn keeps it, read without unpickling it.

The file that `fetch_california_housing` leaves behind is a pickle, which can run anything that whoever wrote it likes.
Its array stands in it as plain bytes, just before the end. They are taken from there, and must be the published data.
"""

import hashlib
import os
import shutil
import tempfile
import zlib
from contextlib import suppress
from typing import Literal

import numpy as np

NAME = "cal_housing_py3.pkz"
_SHAPE = (20640, 9)
_BYTES = _SHAPE[0] * _SHAPE[1] * 8
_MOST = 1 << 21  # of the file, and of what it unpacks to: both are less
# The published array by rows or by columns, in either of which NumPy may have written it.
_DIGESTS: dict[str, Literal["C", "F"]] = {
    "5a6e1850914c2dc94eba36c5f025d01a90c49c13269281ea222a3c38a957ab60": "F",
    "898f39f9b96274ded9a9f5a3b1b9f1dc032ab86955ac0f86b1c17330ba30cb25": "C",
}


def kept_california(folder: str | None = None) -> tuple[np.ndarray, np.ndarray] | None:
    """Features and target as scikit-learn makes them of what it has kept; None where it has kept nothing.

    OSError where there is something else in its place.
    """
    path = os.path.join(folder or home(), NAME)
    try:
        with open(path, "rb") as file:
            packed = file.read(_MOST + 1)
    except FileNotFoundError:
        return None
    array = _array(packed)
    if array is None:
        raise OSError(f"{path} is not the file that scikit-learn keeps; remove it")
    target, features = array[:, 0] / 100_000.0, array[:, 1:]
    for total in (2, 3):  # rooms and bedrooms, of which a household has so many
        features[:, total] /= features[:, 5]
    features[:, 5] = features[:, 4] / features[:, 5]
    return features, target


def home() -> str:
    """Where scikit-learn keeps what it has downloaded."""
    return os.path.expanduser(os.environ.get("SCIKIT_LEARN_DATA", os.path.join("~", "scikit_learn_data")))


def _array(packed: bytes) -> np.ndarray | None:
    """The array in the bytes of the file."""
    try:
        data = zlib.decompressobj().decompress(packed, _MOST)
    except zlib.error:
        return None
    numbers = data[-1 - _BYTES : -1]  # a pickle ends with a full stop
    order: Literal["C", "F"] | None = _DIGESTS.get(hashlib.sha256(numbers).hexdigest())
    return None if order is None else np.frombuffer(numbers, "<f8").reshape(_SHAPE, order=order).copy(order)


def downloaded_california() -> tuple[np.ndarray, np.ndarray]:
    """The same after scikit-learn has downloaded it, which is kept where scikit-learn looks for it.

    It unpacks in a folder of its own, so that nobody puts a pickle there meanwhile.
    """
    from sklearn.datasets import fetch_california_housing

    with tempfile.TemporaryDirectory(prefix="tfdsl-") as work:
        fetch_california_housing(data_home=work, n_retries=1, delay=0.1)
        found = kept_california(work)
        with suppress(OSError):  # not to keep it is no reason not to use it
            _keep(os.path.join(work, NAME))
    if found is None:
        raise OSError("scikit-learn has left no file behind")
    return found


def _keep(file: str) -> None:
    os.makedirs(home(), exist_ok=True)
    new = os.path.join(home(), f".{NAME}-{os.urandom(4).hex()}")
    with open(file, "rb") as source, open(new, "xb") as copy:
        shutil.copyfileobj(source, copy)
    os.replace(new, os.path.join(home(), NAME))
