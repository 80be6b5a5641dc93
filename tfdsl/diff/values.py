"""Finds and compares the arrays of both sides. NumPy is only imported when an array is read."""

from typing import TYPE_CHECKING, Any

from ..record import Record

if TYPE_CHECKING:
    import numpy as np


class ArrayPlace(Record):
    """An array in a .npz or .npy file, or a variable in a checkpoint."""

    path: str
    name: str
    in_checkpoint: bool = False


class ArrayDifference(Record):
    """How much two arrays of the same shape differ: `differing` values `of` all. `largest` is the largest difference,
    None for texts. `at` is its index, and `before` and `after` are the two values there, as texts."""

    differing: int
    of: int
    largest: float | None
    at: tuple[int, ...]
    before: str
    after: str


def read_array(place: ArrayPlace) -> "np.ndarray":
    """Read the array at a place. It must exist."""
    import numpy as np

    if place.in_checkpoint:
        from ..lowering.tf import v1

        return np.asarray(v1.train.load_checkpoint(place.path).get_tensor(place.name))
    found = np.load(place.path, allow_pickle=False)
    return found[place.name] if place.name else found


def array_difference(left: "np.ndarray", right: "np.ndarray") -> ArrayDifference | None:
    """How two arrays differ. None if they are equal, or if their shapes or dtypes differ."""
    import numpy as np

    if (left.shape, left.dtype) != (right.shape, right.dtype):
        return None
    one, other = left.reshape(-1), right.reshape(-1)
    if one.dtype.kind in "OSU":
        unequal, sizes = one != other, None
    else:
        wide = np.complex128 if one.dtype.kind == "c" else np.float64
        first, second = one.astype(wide), other.astype(wide)
        with np.errstate(invalid="ignore", over="ignore"):
            sizes = np.abs(first - second)
        sizes = np.where(np.isnan(sizes), np.inf, sizes)  # one of them is NaN, or both are infinite
        rows = [
            array.view(np.uint8).reshape(one.size, one.dtype.itemsize)
            for array in map(np.ascontiguousarray, (one, other))
        ]
        unequal = (rows[0] != rows[1]).any(axis=1) if one.size else np.zeros(0, bool)
        sizes = np.where(unequal, sizes, -1.0)
    if not unequal.any():
        return None
    place = int(unequal.argmax() if sizes is None else sizes.argmax())
    at: Any = np.unravel_index(place, left.shape)  # numbers, or arrays in the eyes of the stubs
    return ArrayDifference(
        int(unequal.sum()), one.size, None if sizes is None else float(sizes[place]), tuple(map(int, at)),
        str(one[place]), str(other[place]),
    )  # fmt: skip
