"""The sources with NumPy and scikit-learn.

Input: the folder of the program and the arguments, checked already. Output: a `Table`.
scikit-learn is imported where it is needed, because that takes more than a second.
"""

import socket
import threading
import warnings
import zipfile
from collections.abc import Callable

import numpy as np

from ..diagnostics import CALIFORNIA_MISSING, PARQUET_BAD, PARQUET_CELL, PARQUET_MISSING
from . import california
from .arrays import BLOCK, Gathered, Spool, Table, table
from .files import NPZ_FAULTS, CsvRows, NpzArray, Where, in_int64, integers, npz_arrays, npz_error, open_file
from .kept import downloaded_california, kept_california
from .schema import DataError, FilePlace, shown
from .stored import stored_rows

SOCKET_SECONDS = 5.0  # for the host to answer
DOWNLOAD_SECONDS = 30.0  # for all of it; looking up a name does not heed the socket's limit


def california_housing(where: Where, offline: str | None) -> Table:
    try:
        features, target = _fetch_california()
    except Exception as error:  # a download can fail in any way
        if offline == "synthetic":
            origin = "synthetic stand-in for california_housing"
            return table(*california.synthetic(), origin, synthetic=True)
        reason = str(getattr(error, "reason", error)) or type(error).__name__
        raise DataError(CALIFORNIA_MISSING, param="offline", reason=reason.splitlines()[0]) from None
    return table(features, target, "california_housing")


def _fetch_california() -> tuple[np.ndarray, np.ndarray]:
    found = kept_california()
    if found is not None:
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SOCKET_SECONDS)
        try:
            return _within(DOWNLOAD_SECONDS, downloaded_california)
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


def digits(where: Where) -> Table:
    from sklearn.datasets import load_digits

    return table(*load_digits(return_X_y=True), "digits")


def iris(where: Where) -> Table:
    from sklearn.datasets import load_iris

    return table(*load_iris(return_X_y=True), "iris")


def diabetes(where: Where) -> Table:
    from sklearn.datasets import load_diabetes

    return table(*load_diabetes(return_X_y=True), "diabetes")


def moons(where: Where, n_samples: int, noise: float, seed: int | None) -> Table:
    from sklearn.datasets import make_moons

    # Without a seed, still a generator of its own: the process's global one belongs to the user.
    random = np.random.RandomState(seed)
    return table(*make_moons(n_samples, noise=noise, random_state=random), "moons")


def csv(where: Where, path: str, target: str | None, separator: str, stream: bool) -> Table:
    text = CsvRows(path, where, separator)
    column = None if target is None else text.column(target)
    kept = [i for i in range(len(text.header)) if i != column]
    gathered = Spool if stream else Gathered
    features, floats, whole = gathered(len(kept), np.float64), gathered(1, np.float64), gathered(1, np.int64)
    is_whole = column is not None
    for block in text.blocks():
        numbers = np.array(text.numbers(block)).reshape(len(block), -1)
        features.add(numbers[:, kept])
        if column is not None:
            floats.add(numbers[:, [column]])
            values = integers(row[column] for row in block) if is_whole else None
            is_whole = values is not None and in_int64(values)
            if is_whole:
                whole.add(np.array(values, np.int64).reshape(-1, 1))
    chosen = None if column is None else (whole if is_whole else floats).array()
    source = features.array()
    return Table(source, len(source), chosen, text.path)


def parquet(where: Where, path: str, target: str | None, stream: bool) -> Table:
    try:
        import pyarrow.parquet as reader
    except ImportError:
        raise DataError(PARQUET_MISSING, param="path") from None
    with open_file(path, where) as file:
        try:
            found = reader.ParquetFile(file)
            names = found.schema_arrow.names
            if not stream:
                numbers, values = _parquet_part(found.read(), names, target, file.name, 0)
                return table(numbers, values, file.name)
            return _parquet_stream(found, names, target, file.name)
        except DataError:
            raise
        except Exception as error:  # pyarrow has errors of its own for each part of a file that can be damaged
            reason = str(error).splitlines()[0][:200]
            raise DataError(PARQUET_BAD, param="path", path=shown(file.name), reason=reason) from None


def _parquet_stream(found: object, names: list[str], target: str | None, path: str) -> Table:
    features, targets, done = Spool(len(names) - (target is not None), np.float64), None, 0
    for batch in found.iter_batches(BLOCK):
        numbers, values = _parquet_part(batch, names, target, path, done)
        features.add(numbers)
        if values is not None:
            values = table(numbers, values, path).target
            targets = targets or Spool(1, values.dtype.type)
            targets.add(values)
        done += len(numbers)
    return Table(features.array(), done, None if targets is None else targets.array(), path)


def _parquet_part(rows: object, names: list[str], target: str | None, path: str, first: int):
    """Features and target of some rows."""
    columns = [_numbers(name, rows.column(name).to_numpy(zero_copy_only=False), path, first) for name in names]
    numbers = np.column_stack([columns[i] for i, name in enumerate(names) if name != target])
    return numbers, None if target is None else columns[names.index(target)]


def _numbers(name: str, column: np.ndarray, path: str, first: int) -> np.ndarray:
    """A column that has no gaps, and nothing that is not finite; its first row is this one of the file."""
    if column.dtype.kind == "O":  # bools with gaps
        column = np.array([np.nan if cell is None else float(cell) for cell in column])
    bad = ~np.isfinite(column)
    if bad.any():
        row = int(np.argmax(bad))
        cell = "missing" if np.isnan(column[row]) else str(column[row])
        raise DataError(PARQUET_CELL, place=FilePlace(path), row=first + row, column=shown(name), cell=cell)
    return column


def npz(where: Where, path: str) -> Table:
    with open_file(path, where) as file:
        features, target = npz_arrays(file)
        try:
            with zipfile.ZipFile(file) as archive:
                x = stored_rows(archive, features.member)
                x = _read_array(archive, features) if x is None else x
                y = None if target is None else _read_array(archive, target)
        except NPZ_FAULTS as error:
            raise npz_error(file.name, error) from None
        return table(x, y, file.name)


def _read_array(archive: zipfile.ZipFile, array: NpzArray) -> np.ndarray:
    with archive.open(array.member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
