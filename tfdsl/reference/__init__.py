"""What one can look up: an entry for everything that has a name, and the pages that they are on.

`entries()` has all of them, `find(name)` those of a name. Nothing is read or imported before it is asked for.
"""

from functools import cache

from .entry import Kind as Kind
from .entry import ReferenceEntry as ReferenceEntry


@cache
def entries() -> tuple[ReferenceEntry, ...]:
    """All entries, except those of TensorFlow's own ops, which `raw_op` of calls.py describes."""
    from .calls import calls
    from .codes import codes
    from .commands import commands
    from .statements import statements

    return (*statements(), *calls(), *commands(), *codes())


def find(name: str) -> list[ReferenceEntry]:
    """What has this name in the language or on the command line; or else what has this word in its name, or is called
    so in TensorFlow or Keras, such as `tf.nn.relu` and `Dense`."""
    from .calls import calls, raw_op
    from .codes import code
    from .commands import commands
    from .statements import statements

    alone = code(name) if name.startswith("TFG") else raw_op(name)
    if alone is not None:
        return [alone]
    found = [*statements(name), *calls(name), *(one for one in commands() if one.name == name)]
    for fits in (_has_word, _is_called):
        found = found or [one for one in entries() if fits(one, name)]
    return found


def names() -> list[str]:
    """All names that `find` knows in the language and on the command line, each once."""
    return list(dict.fromkeys(one.name for one in entries()))


def _has_word(entry: ReferenceEntry, word: str) -> bool:
    """Whether this is a word of a longer name, as `stop` of `stop when`."""
    return entry.kind in ("statement", "clause") and word in entry.name.split()


def _is_called(entry: ReferenceEntry, name: str) -> bool:
    """Whether this is its name in TensorFlow or Keras, with or without what stands in front of it."""
    outside = (entry.tensorflow.replace("tf.compat.v1.", "tf."), entry.keras, entry.keras and f"tf.{entry.keras}")
    wanted = name.replace("tf.compat.v1.", "tf.")
    return any(one == wanted or one.endswith(f".{wanted}") for one in outside if one)
