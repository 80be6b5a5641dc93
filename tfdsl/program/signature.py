"""The names of the inputs of an exported model."""

from collections.abc import Iterable
from keyword import iskeyword


def input_names(wanted: Iterable[str]) -> dict[str, str]:
    """A name for each input of a model, by the name that it should have. TensorFlow calls a model as a Python function,
    with names as arguments: other characters than letters and digits become "_" in them, and the result must be
    possible in Python and differ from the others. Inputs for which it is not get another name."""
    names = list(wanted)
    kept = sorted(names, key=lambda name: _argument(name) != name)  # whose argument is the name itself come first
    given, taken = dict[str, str](), set[str]()
    for name in kept:
        new = name
        while _argument(new) in taken or not _is_possible(_argument(new)):
            new = f"{''.join(c if c.isascii() and c.isalnum() else '_' for c in name) if new == name else new}_"
        taken.add(_argument(new))
        given[name] = new
    return {name: given[name] for name in names}


def _argument(name: str) -> str:
    """The argument that TensorFlow makes of the name of an input."""
    swapped = "".join(c if c.isalnum() else "_" for c in name)
    return swapped if swapped[:1].isalpha() else f"arg_{swapped}"


def _is_possible(argument: str) -> bool:
    return argument.isidentifier() and not iskeyword(argument) and argument != "self"
