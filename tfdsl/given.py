"""What a caller in Python gives: mappings of names, arrays."""

from collections.abc import Mapping
from typing import Any


def mapping(what: str, given: object) -> dict:
    """What a caller gives as a mapping, empty for None; TypeError for anything else."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping of names to values, not {type(given).__name__}")
    return dict(given)


def named_values(what: str, given: object) -> dict[str, object]:
    """The values that a caller gives by names; TypeError for anything but a mapping whose keys are strings."""
    result = mapping(what, given)
    odd = next((name for name in result if not isinstance(name, str)), None)
    if odd is not None:
        raise TypeError(f"the names in {what} must be strings, not {type(odd).__name__}")
    return result


def is_masked(value: Any) -> bool:  # an array, told without importing NumPy
    """Whether it is a masked array of NumPy's, with elements that have no value; NumPy would go on with what is behind
    the mask."""
    return any(one.__name__ == "MaskedArray" for one in type(value).__mro__) and bool(value.mask.any())
