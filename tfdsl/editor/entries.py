"""What the names of the language are: ops, functions, optimizers, sources and transforms of data, dtypes."""

from collections.abc import Mapping
from functools import cache
from typing import Literal

from ..analysis.calls.builtins import BUILTINS
from ..analysis.calls.scopes import LISTERS
from ..data import SOURCES, TRANSFORMS
from ..ops import OPS, raw
from ..ops.optimizers import OPTIMIZERS
from ..record import Record
from ..types import DTYPE_NAMES

EntryKind = Literal["op", "optimizer", "function", "source", "transform", "dtype", "value"]


class LanguageName(Record):
    """A name of the language. `signature` has the parameters of what can be called."""

    name: str
    kind: EntryKind
    signature: str | None = None
    text: str = ""
    example: str = ""

    @property
    def head(self) -> str:
        return self.name if self.signature is None else f"{self.name}({self.signature})"


_LISTERS = {
    "variables": "The variables made so far: all, those of a scope, or those of a name.",
    "trainable_variables": "The trainable variables made so far: all, those of a scope, or those of a name.",
}
VALUES = {
    "training": "Whether the execution takes a step of an optimizer: a bool of every graph.",
    "global_step": "How many steps the optimizer has taken: a variable of the graph, int64.",
    "epoch": "The number of the epoch, from 0. Only the body of a training has it.",
    "step": "The number of the step, from 0. Only the body of a training has it.",
    "now": "The time in UTC, such as 20261123104500. Only strings have it.",
    "true": "", "false": "", "none": "",
}  # fmt: skip


@cache
def names() -> Mapping[str, LanguageName]:
    """What an expression can use without binding it."""
    found = {op.name: LanguageName(op.name, "op", op.signature, op.doc, op.example) for op in OPS.values()}
    found |= {
        one.name: LanguageName(one.name, "optimizer", one.signature, one.doc, f"optimize loss with {one.example}")
        for one in OPTIMIZERS.values()
    }
    found |= {one: LanguageName(one, "function", "...", "Python's function, on values known at compile time.")
              for one in BUILTINS}  # fmt: skip
    found |= {one: LanguageName(one, "function", "scope = none, name = none", _LISTERS[one]) for one in LISTERS}
    found |= {
        one: LanguageName(one, "dtype", None, "A dtype of tensors. As a function, it casts.") for one in DTYPE_NAMES
    }
    found |= {one: LanguageName(one, "value", None, text) for one, text in VALUES.items()}
    return found


@cache
def stages(is_source: bool) -> Mapping[str, LanguageName]:
    """The sources or the transforms of data."""
    if is_source:
        return {one.name: LanguageName(one.name, "source", one.usage, one.doc) for one in SOURCES.values()}
    return {one.name: LanguageName(one.name, "transform", one.usage, one.doc) for one in TRANSFORMS.values()}


def raw_entry(name: str) -> LanguageName | None:
    """An op of TensorFlow, as `raw.NAME`."""
    op = raw.find(name)
    return None if op is None else LanguageName(f"raw.{name}", "op", op.signature, f"TensorFlow's op {op.tf}.")
