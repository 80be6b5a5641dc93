"""What a program is compiled with besides its text."""

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from .access import Access
from .diagnostics.spelling import visible
from .limits import Clock, Limits
from .record import Record

if TYPE_CHECKING:
    from .program import Field, Node, Ref
    from .types import TensorType

# The type of each tensor that a node is made of, and which of them are variables.
Types = Mapping["Ref | Field", "TensorType"]
Functions = Mapping[str, Callable[..., object]]
Infer = Callable[["Node", Types, frozenset["Ref"], Functions], "TensorType | tuple[TensorType, ...]"]


def parameter_text(parameter: inspect.Parameter) -> str:
    """A parameter of a Python function as messages show it."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.default is inspect.Parameter.empty:
        return stars + parameter.name
    constants = {"None": "none", "True": "true", "False": "false"}
    default = visible(repr(parameter.default))
    return f"{parameter.name} = {constants.get(default, default if len(default) <= 30 else '...')}"


class PythonOp(Record):
    """A Python function that programs call as an op."""

    name: str
    function: Callable[..., object]
    signature: inspect.Signature

    @property
    def text(self) -> str:
        """`x, k = 2`."""
        return ", ".join(map(parameter_text, self.signature.parameters.values()))


class Foreign(Record):
    """What the caller of the compiler adds to the ops of the language."""

    functions: Mapping[str, PythonOp]
    infer: Infer | None


class ExternalNames(Record):
    """Names that a text can use without binding them.

    Those `above` count as if they were bound before the text; those `beside` it only where a name would be
    unknown otherwise. A name that the text binds, be it further down, is its own.
    """

    above: Mapping[str, object]
    beside: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        return self.above[name] if name in self.above else self.beside[name]


_NONE: Mapping[str, object] = {}


class CompileInputs(Record):
    """`params` and `data` replace what the file declares. `limits` are those of the compiler, and `clock` runs since
    the compiler began. `outside` has names that the text may use without binding them, `foreign` the Python functions
    that are ops to it, and TensorFlow's inference. `access` opens the files that it names; without it, those of its
    folder and of the working folder.
    """

    params: Mapping[str, object] = _NONE
    data: Mapping[str, object] = _NONE
    limits: Limits = Limits()
    outside: ExternalNames | None = None
    foreign: Foreign | None = None
    access: Access | None = None
    clock: Clock | None = None


NO_INPUTS = CompileInputs()
