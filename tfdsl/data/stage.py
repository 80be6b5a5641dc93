"""Shared by sources and transforms: a name, parameters, and the refusal of a value.

A `data` declaration is a source followed by transforms, each called with arguments known at compile time.
"""

from abc import ABC
from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

from ..diagnostics import DATA_ARGUMENT
from ..ops.op import Parameter, parse_signature
from .schema import SHOWN, DataError, is_integer, shown

Arguments = Mapping[str, object]

MAX_SEED = (1 << 32) - 1  # of numpy.random.RandomState


class StageSpec(Protocol):
    """A source or transform of a declaration."""

    @property
    def name(self) -> str: ...

    @property
    def arguments(self) -> Arguments: ...


class DataSpec(Protocol):
    """A `data` declaration. Paths are relative to `folder`, the folder of its file."""

    @property
    def name(self) -> str: ...

    @property
    def source(self) -> StageSpec: ...

    @property
    def transforms(self) -> Sequence[StageSpec]: ...

    @property
    def folder(self) -> str: ...


class StageKind(ABC):
    """A source or transform that declarations can name. `signature` has its parameters, in the notation of op
    signatures."""

    name: str
    signature: str = ""
    doc: str

    @property
    def params(self) -> tuple[Parameter, ...]:
        return parse_signature(self.signature)

    def bound(self, arguments: Arguments) -> dict[str, object]:
        """The arguments, with defaults for those not given."""
        return {p.name: arguments.get(p.name, p.default) for p in self.params}

    def refuse(self, arguments: Arguments, param: str, wanted: str) -> NoReturn:
        """Refuse the value of an argument. `wanted` describes a correct value."""
        value = arguments[param]
        if is_integer(value) and abs(value) >= 10**SHOWN:  # Python refuses to print some of these
            text = f"an integer of more than {SHOWN} digits"
        elif isinstance(value, str):
            text = shown(value)
        else:
            text = str(value).lower() if value is None or isinstance(value, bool) else str(value)
        raise DataError(DATA_ARGUMENT, param=param, name=self.name, argument=param, wanted=wanted, value=text)

    def check_seed(self, arguments: Arguments) -> None:
        """Refuse a seed outside the range of NumPy's RandomState."""
        seed = arguments["seed"]
        if not (is_integer(seed) and 0 <= seed <= MAX_SEED):
            self.refuse(arguments, "seed", f"an integer from 0 to {MAX_SEED}")
