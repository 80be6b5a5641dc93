"""Type guards for plain values. `isinstance` alone leaves open of what a list or a dict is."""

from typing import TypeGuard


def is_list(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, (list, tuple))


def is_object(value: object) -> TypeGuard[dict[str, object]]:
    """Whether a value is an object of JSON, or a dict that can be written as one."""
    return isinstance(value, dict)
