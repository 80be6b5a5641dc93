"""tfdsl: a language for TensorFlow graphs and the sessions that run them.

    import tfdsl

    program = tfdsl.compile("models/housing.tfg")
    program.run().history["MSE"]

Importing this imports neither TensorFlow nor NumPy; they come when something is built.
"""

import os
from collections.abc import Mapping

__version__ = "0.1.0"
__all__ = ["Compiled", "Diagnostic", "TfgError", "check", "compile"]


def compile(
    text_or_path: str | os.PathLike,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
) -> "Compiled":  # noqa: F821
    """Compile a program, given as its text or as the path of its file.

    A string is a path where it is one line that ends in `.tfg`. `params` replaces values of `param`
    declarations; `data` the sources of `data` declarations, by arrays `(features, target)`, a mapping
    with these keys, or the path of a file. Raises `TfgError` with all errors of the program.
    """
    from .driver import compile_source

    return compile_source(_source(text_or_path), params, data)


def check(
    text_or_path: str | os.PathLike,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
) -> list:
    """All errors and warnings of a program, in the order of its text; nothing is built."""
    from .driver import check as check_source

    return check_source(_source(text_or_path), params, data)[1]


def _source(text_or_path: str | os.PathLike):
    from .driver import read
    from .source import Source

    is_text = isinstance(text_or_path, str) and ("\n" in text_or_path or not text_or_path.endswith(".tfg"))
    return Source("<text>", text_or_path) if is_text else read(text_or_path)


def __getattr__(name: str):
    if name in ("Diagnostic", "TfgError"):
        from . import diagnostics

        return getattr(diagnostics, name)
    if name == "Compiled":
        from .driver import Compiled

        return Compiled
    raise AttributeError(f"module 'tfdsl' has no attribute {name!r}")
