"""tfdsl: a language for TensorFlow graphs and the sessions that run them.

    import tfdsl

    program = tfdsl.compile("models/housing.tfg", n_epochs=5)     # checked; nothing is built yet
    program.graph                                                 # a tf.Graph
    program["loss.mse"]                                           # its tensor
    result = program.run()                                        # runs the file's sessions
    result.history["MSE"]                                         # [(step, value), ...]
    with program.session(variables=result.variables) as session:  # the trained values
        session.run("predictions", feed={"X": features})          # a NumPy array
        for step in session.train(100, feed=batch, fetch="mse"):  # a step in each turn, batch(step) feeds it
            print(step.number, step.mse)

Errors are `TfgError`; its `diagnostics` list the problems with their places. In a notebook, `%load_ext tfdsl`
adds the cell magic `%%tfg`. For pytest there is the fixture `golden_graph`.

Importing this package imports neither TensorFlow nor NumPy; they are imported when a graph is built. The default
graph, seeds, loggers and other settings of the process are never changed.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .diagnostics import Diagnostic, TfgError
    from .driver import Compiled
    from .inputs import CompileInputs
    from .limits import Limits
    from .runtime.embedded import EmbeddedSession
    from .runtime.options import Options, Progress
    from .runtime.result import Result
    from .runtime.training_steps import TrainingStep, TrainingSteps
    from .source import Source

__version__ = "0.1.0"
__all__ = [
    "Compiled", "Diagnostic", "EmbeddedSession", "Limits", "Options", "Progress", "Result", "TfgError", "TrainingStep",
    "TrainingSteps", "check", "compile",
]  # fmt: skip

# The modules of names that are imported on first use.
_ELSEWHERE = {
    "Compiled": ".driver", "Diagnostic": ".diagnostics", "EmbeddedSession": ".runtime.embedded", "Limits": ".limits",
    "Options": ".runtime.options", "Progress": ".runtime.options", "Result": ".runtime.result",
    "TfgError": ".diagnostics", "TrainingStep": ".runtime.training_steps",
    "TrainingSteps": ".runtime.training_steps",
}  # fmt: skip


def compile(
    text_or_path: "str | os.PathLike[str]",
    /,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
    ops: "Mapping[str, Callable[..., object]] | None" = None,
    limits: "Limits | None" = None,
    allow_paths: "Iterable[str | os.PathLike[str]]" = (),
    **values: object,
) -> "Compiled":
    """Compile a program, given as its text or as the path of its file.

    A string is a path if it is a single line that ends in `.tfg`. Values that the program declares can be replaced:

    - `param` values by keyword, `compile("housing.tfg", learning_rate=0.1)`, or in the mapping `params`, which
      can also set params named like arguments of this function. Each value is converted to the type of its param.
    - `data` by the path of a file, a pair of arrays `(features, target)`, a mapping with these keys, or an
      array of features alone. Features are `[rows, columns]`; a target is `[rows]` or `[rows, 1]`.

    `ops` maps names to Python functions that the program calls as ops: `ops={"smooth": smooth}`. A function gets
    TensorFlow tensors, and numbers, strings, bools and lists as the program writes them. It returns a tensor, a tuple
    or list of tensors, or an operation. For every call in the program, the function is called twice: here, in a
    separate graph, to find the type of its result, and again when the graph is built.

    A program reads and writes below its own folder and the working folder; `allow_paths` adds more folders. `limits`
    changes the compiler's limits: `limits=tfdsl.Limits(seconds=60)`.

    Raises `TfgError` with all errors of the program, including names of params and data that it does not declare.
    """
    from .driver import compile_source, with_ops
    from .record import replace

    source, inputs = _given(text_or_path, params, data, limits, allow_paths, values)
    return compile_source(source, replace(inputs, foreign=with_ops(ops)))


def check(
    text_or_path: "str | os.PathLike[str]",
    /,
    params: Mapping[str, object] | None = None,
    data: Mapping[str, object] | None = None,
    ops: "Mapping[str, Callable[..., object]] | None" = None,
    limits: "Limits | None" = None,
    allow_paths: "Iterable[str | os.PathLike[str]]" = (),
    **values: object,
) -> "list[Diagnostic]":
    """Return all errors and warnings of a program in the order of its text. Nothing is built.

    The arguments are those of `compile`. Raises `TfgError` only if the file cannot be read, or if `ops` has a value
    that cannot be an op. TensorFlow is imported only if there are `ops`. Without it, shapes that only TensorFlow
    knows are not checked.
    """
    from .driver import check as check_source
    from .driver import with_ops
    from .record import replace

    foreign = with_ops(ops) if ops else None
    source, inputs = _given(text_or_path, params, data, limits, allow_paths, values)
    return check_source(source, replace(inputs, foreign=foreign))[1]


def load_ipython_extension(ipython: "InteractiveShell") -> None:
    """Add the cell magic `%%tfg`. Called by `%load_ext tfdsl`."""
    from .notebook import load

    load(ipython)


def _given(
    text_or_path: str | os.PathLike[str], params: Mapping[str, object] | None, data: Mapping[str, object] | None,
    given_limits: "Limits | None", allow_paths: Iterable[str | os.PathLike[str]], values: Mapping[str, object],
) -> "tuple[Source, CompileInputs]":  # fmt: skip
    """The source of a program and its compile inputs."""
    from .access import Access
    from .driver import merged_params
    from .given import whole
    from .inputs import CompileInputs
    from .limits import Limits
    from .source import Source
    from .syntax.read import read

    if not isinstance(text_or_path, (str, os.PathLike)):
        raise TypeError(f"a program is its text or the path of its file, not {type(text_or_path).__name__}")
    if given_limits is not None and not isinstance(given_limits, Limits):
        raise TypeError(f"limits must be tfdsl.Limits, not {type(given_limits).__name__}")
    if isinstance(text_or_path, str) and ("\n" in text_or_path or not text_or_path.endswith(".tfg")):
        source = Source("<text>", text_or_path)
    else:
        source = read(text_or_path, given_limits)
    access = Access(source.path, allow_paths)
    return source, CompileInputs(merged_params(params, values), whole(data), given_limits or Limits(), access=access)


def __getattr__(name: str) -> object:
    module = _ELSEWHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'tfdsl' has no attribute {name!r}")
    return getattr(import_module(module, __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
