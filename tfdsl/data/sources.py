"""The sources with NumPy and scikit-learn.

Input: the folder of the program and the arguments, checked already. Output: a `Table`.
scikit-learn is imported where it is needed, because that takes more than a second.
"""

import socket
import threading
import warnings
import zipfile
from collections.abc import Callable
from contextlib import suppress
from itertools import chain

import numpy as np

from ..diagnostics import CALIFORNIA_MISSING, PARQUET_BAD, PARQUET_CELL, PARQUET_MISSING
from . import california
from .arrays import Table, table
from .files import NPZ_FAULTS, NpzArray, npz_arrays, npz_error, open_file, read_csv
from .schema import DataError, FilePlace, shown

SOCKET_SECONDS = 5.0  # for the host to answer
DOWNLOAD_SECONDS = 30.0  # for all of it; looking up a name does not heed the socket's limit


def california_housing(folder: str, offline: str | None) -> Table:
    try:
        features, target = _fetch_california()
    except Exception as error:  # a download, or a pickle of scikit-learn, can fail in any way
        if offline == "synthetic":
            origin = "synthetic stand-in for california_housing"
            return table(*california.synthetic(), origin, synthetic=True)
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise DataError(CALIFORNIA_MISSING, param="offline", reason=reason.splitlines()[0]) from None
    return table(features, target, "california_housing")


def _fetch_california() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import fetch_california_housing

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with suppress(OSError):  # not kept on this machine
            return fetch_california_housing(return_X_y=True, download_if_missing=False)
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SOCKET_SECONDS)
        try:
            return _within(DOWNLOAD_SECONDS, lambda: fetch_california_housing(return_X_y=True, n_retries=1, delay=0.1))
        finally:
            socket.setdefaulttimeout(before)


def _within(seconds: float, work: Callable[[], object]) -> object:
    """The result of `work`, or TimeoutError; work that hangs is left behind in a daemon thread."""
    results: list[object] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    return results[0]


def digits(folder: str) -> Table:
    from sklearn.datasets import load_digits

    return table(*load_digits(return_X_y=True), "digits")


def iris(folder: str) -> Table:
    from sklearn.datasets import load_iris

    return table(*load_iris(return_X_y=True), "iris")


def diabetes(folder: str) -> Table:
    from sklearn.datasets import load_diabetes

    return table(*load_diabetes(return_X_y=True), "diabetes")


def moons(folder: str, n_samples: int, noise: float, seed: int | None) -> Table:
    from sklearn.datasets import make_moons

    # Without a seed, still a generator of its own: the process's global one belongs to the user.
    random = np.random.RandomState(seed)
    return table(*make_moons(n_samples, noise=noise, random_state=random), "moons")


def csv(folder: str, path: str, target: str | None) -> Table:
    text = read_csv(path, folder)
    rows, columns = len(text.rows), len(text.header)
    try:
        numbers = np.fromiter(map(float, chain.from_iterable(text.rows)), np.float64, rows * columns)
    except ValueError:
        raise text.bad_cell() from None
    # What float() takes but `is_finite` does not: nan, inf, and 1_000.
    if not np.isfinite(numbers).all() or any("_" in cell for cell in chain.from_iterable(text.rows)):
        raise text.bad_cell()
    numbers = numbers.reshape(rows, columns)
    if target is None:
        return table(numbers, None, text.path)
    column = text.column(target)
    integers = text.integers(column)
    chosen = numbers[:, column] if integers is None else np.array(integers, np.int64)
    return table(np.delete(numbers, column, axis=1), chosen, text.path)


def parquet(folder: str, path: str, target: str | None) -> Table:
    try:
        import pyarrow.parquet as reader
    except ImportError:
        raise DataError(PARQUET_MISSING, param="path") from None
    with open_file(path, folder) as file:
        try:
            found = reader.read_table(file)
        except Exception as error:  # pyarrow has errors of its own for each part of a file that can be damaged
            reason = str(error).splitlines()[0][:200]
            raise DataError(PARQUET_BAD, param="path", path=shown(file.name), reason=reason) from None
        origin = file.name
    columns = [_numbers(name, found.column(name).to_numpy(), origin) for name in found.column_names]
    numbers = np.column_stack([columns[i] for i, name in enumerate(found.column_names) if name != target])
    return table(numbers, None if target is None else columns[found.column_names.index(target)], origin)


def _numbers(name: str, column: np.ndarray, path: str) -> np.ndarray:
    """A column that has no gaps, and nothing that is not finite."""
    if column.dtype.kind == "O":  # bools with gaps
        column = np.array([np.nan if cell is None else float(cell) for cell in column])
    bad = ~np.isfinite(column)
    if bad.any():
        row = int(np.argmax(bad))
        cell = "missing" if np.isnan(column[row]) else str(column[row])
        raise DataError(PARQUET_CELL, place=FilePlace(path), row=row, column=shown(name), cell=cell)
    return column


def npz(folder: str, path: str) -> Table:
    with open_file(path, folder) as file:
        features, target = npz_arrays(file)
        try:
            with zipfile.ZipFile(file) as archive:
                x = _read_array(archive, features)
                y = None if target is None else _read_array(archive, target)
        except NPZ_FAULTS as error:
            raise npz_error(file.name, error) from None
        return table(x, y, file.name)


def _read_array(archive: zipfile.ZipFile, array: NpzArray) -> np.ndarray:
    with archive.open(array.member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
