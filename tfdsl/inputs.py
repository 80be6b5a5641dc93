"""The inputs of a compilation in addition to the text."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from .access import Access
from .diagnostics.spelling import visible
from .limits import Clock, Limits
from .narrowing import is_object
from .record import Record

if TYPE_CHECKING:
    from inspect import Parameter, Signature

    from .data.declaration import Opening
    from .data.learned import Fitted
    from .data.pipeline import Pipeline
    from .program import Field, Node, Ref
    from .syntax.tree import Def, DefParameter, Expr, Identifier
    from .types import TensorType

Types = Mapping["Ref | Field", "TensorType"]  # the types of the input tensors of a node
Functions = Mapping[str, Callable[..., object]]


class Inference(Protocol):
    """TensorFlow's inference for the nodes of one graph."""

    def infer(self, node: "Node", types: Types, functions: Functions) -> "TensorType | tuple[TensorType, ...]":
        """The type of the node's output, or a tuple of types if it has several outputs or none."""
        ...

    def forget(self, count: int) -> None:
        """Forget all nodes after the first `count`, which were removed."""


# Makes the inference for a graph of some version with these nodes. Nodes can be added to the mapping later.
Infer = Callable[[Mapping[int, "Node"], int | None], Inference]


def parameter_text(parameter: "Parameter") -> str:
    """A parameter of a Python function in a message."""
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    if parameter.default is parameter.empty:
        return stars + parameter.name
    constants = {"None": "none", "True": "true", "False": "false"}
    default = visible(repr(parameter.default))
    return f"{parameter.name} = {constants.get(default, default if len(default) <= 30 else '...')}"


class PythonOp(Record):
    """A Python function that programs call as an op."""

    name: str
    function: Callable[..., object]
    signature: "Signature"

    @property
    def text(self) -> str:
        """`x, k = 2`."""
        return ", ".join(map(parameter_text, self.signature.parameters.values()))


class Observer(Protocol):
    """Sees what an analysis finds, for editors. A check has none."""

    def value(self, expr: "Expr | Identifier | DefParameter", value: object) -> None:
        """The value of an expression, or of a name where it is bound. Code that runs several times has several."""
        ...

    def called(self, function: "Def") -> None:
        """A function whose body is analysed for a call."""
        ...

    def mark(self) -> object:
        """What was seen so far."""
        ...

    def go_on_from(self, mark: object) -> None:
        """Begin with what was seen up to a mark, in an analysis that goes on from there."""
        ...


class Foreign(Record):
    """The caller's additions to the ops of the language."""

    functions: Mapping[str, PythonOp]
    infer: Infer | None


class ExternalNames(Record):
    """Names that a text can use without binding them.

    Names `above` count as bound before the text. Names `beside` are used only if a name is otherwise unknown. A name
    that the text itself binds, even further down, takes precedence. The values of a dict have the names `name.key`.
    """

    above: Mapping[str, object]
    beside: Mapping[str, object]

    def __getitem__(self, name: str) -> object:
        for names in (self.above, self.beside):
            if name in names:
                return names[name]
        owner, _, key = name.partition(".")
        fields = self.above[owner]
        assert is_object(fields)  # as `__contains__` says
        return fields[key]


_NONE: Mapping[str, object] = {}
_NO_ORIGINS: Mapping[str, str] = {}
_NO_LEARNED: "Mapping[str, Fitted]" = {}


class CompileInputs(Record):
    """The inputs of a compilation. `params` and `data` replace declared values. `limits` are the compiler's limits,
    and `clock` runs since the start. `outside` has names that the text can use without binding them. `foreign` has
    the Python functions that are ops, and TensorFlow's inference. `access` opens the files that the program names;
    without it, only files in its folder and in the working folder can be opened. `read` gets the data sets that the
    compilation reads, so that a run need not read them again. `observer` sees all values.
    `opening` opens sources of data, or returns them as they were opened before. `learned` has what data sets had
    learned when a model was trained; for the program it takes the place of what they learn now. `origins` says where
    given params and `data NAME` come from, and `texts` gets the texts of imported files, by their paths."""

    params: Mapping[str, object] = _NONE
    data: Mapping[str, object] = _NONE
    limits: Limits = Limits()
    outside: ExternalNames | None = None
    foreign: Foreign | None = None
    access: Access | None = None
    read: "dict[str, Pipeline] | None" = None
    clock: Clock | None = None
    observer: Observer | None = None
    opening: "Opening | None" = None
    learned: "Mapping[str, Fitted]" = _NO_LEARNED
    origins: Mapping[str, str] = _NO_ORIGINS
    texts: dict[str, str] | None = None


NO_INPUTS = CompileInputs()
