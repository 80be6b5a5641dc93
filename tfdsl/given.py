"""Checks values from Python callers: mappings of names, and arrays."""

from collections.abc import Mapping
from typing import Any, cast


def mapping(what: str, given: object) -> dict[Any, Any]:  # keys and values of any type, for the caller to check
    """A caller's mapping, empty for None. Raises TypeError for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping of names to values, not {type(given).__name__}")
    return dict(cast(Mapping[Any, Any], given))  # isinstance does not know the types of the items


def named_values(what: str, given: object) -> dict[str, object]:
    """A caller's values by name. Raises TypeError for anything but a mapping with string keys."""
    result: dict[str, object] = {}
    for name, value in mapping(what, given).items():
        if not isinstance(name, str):
            raise TypeError(f"the names in {what} must be strings, not {type(name).__name__}")
        result[name] = value
    return result


def whole(data: object) -> dict[str, object]:
    """Data by name, with a table in place of a reader of Arrow's, such as DuckDB's `arrow()` gives, which can be read
    only once. A compilation reads data to check it, and a run again. None stands for the data of the program."""
    return {name: _held(value) for name, value in named_values("data", data).items()}


def _held(value: Any) -> object:  # any object of a caller, recognised without importing Arrow
    reads_once = type(value).__name__ == "RecordBatchReader" and type(value).__module__.startswith("pyarrow")
    return value.read_all() if reads_once else value


def is_masked(value: Any) -> bool:  # an array, recognised without importing NumPy
    """Whether a value is a masked NumPy array with missing elements. NumPy would use the values behind the mask."""
    return any(one.__name__ == "MaskedArray" for one in type(value).__mro__) and bool(value.mask.any())
