"""The classes of a hierarchy."""


def classes_below(base: type) -> set[type]:
    """The classes that are derived from a class, without those that others are derived from."""
    found: set[type] = set()
    for one in base.__subclasses__():
        found |= classes_below(one) or {one}
    return found
