"""What a caller in Python gives: mappings of names, arrays."""

from collections.abc import Mapping


def named_values(what: str, given: object) -> dict[str, object]:
    """What a caller gives by names; TypeError for what is no mapping of names."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping of names to values, not {type(given).__name__}")
    odd = next((name for name in given if not isinstance(name, str)), None)
    if odd is not None and what != "ops":  # the name of an op is looked at with the op
        raise TypeError(f"the names in {what} must be strings, not {type(odd).__name__}")
    return dict(given)


def is_masked(value: object) -> bool:
    """Whether it is a masked array of NumPy's, with elements that have no value; NumPy would go on with what is behind
    the mask."""
    return any(one.__name__ == "MaskedArray" for one in type(value).__mro__) and bool(value.mask.any())
