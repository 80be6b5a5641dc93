"""Checks values from Python callers: mappings of names, and arrays."""

from collections.abc import Mapping
from typing import Any


def mapping(what: str, given: object) -> dict:
    """A caller's mapping, empty for None. Raises TypeError for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping of names to values, not {type(given).__name__}")
    return dict(given)


def named_values(what: str, given: object) -> dict[str, object]:
    """A caller's values by name. Raises TypeError for anything but a mapping with string keys."""
    result = mapping(what, given)
    odd = next((name for name in result if not isinstance(name, str)), None)
    if odd is not None:
        raise TypeError(f"the names in {what} must be strings, not {type(odd).__name__}")
    return result


def is_masked(value: Any) -> bool:  # an array, recognised without importing NumPy
    """Whether a value is a masked NumPy array with missing elements. NumPy would use the values behind the mask."""
    return any(one.__name__ == "MaskedArray" for one in type(value).__mro__) and bool(value.mask.any())
