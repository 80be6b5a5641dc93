"""Shared by sources and transforms: a name, parameters, and the refusal of a value.

A `data` declaration is a source followed by transforms, each called with arguments known at compile time.
"""

import re
from abc import ABC
from collections.abc import Mapping, Sequence
from typing import NoReturn, Protocol

from ..diagnostics import DATA_ARGUMENT
from ..diagnostics.spelling import bytes_text, nearest, shortened
from ..ops.op import REQUIRED, Parameter, parse_signature
from .schema import SHOWN, DataError, is_integer, shown

Arguments = Mapping[str, object]

SHOWN_ITEMS = 6  # of a list in a message
MAX_SEED = (1 << 32) - 1  # of numpy.random.RandomState


def written(value: object) -> str:
    """A value of the language for a message."""
    if isinstance(value, (tuple, list)):
        items = [written(one) for one in value[:SHOWN_ITEMS]] + ["..."] * (len(value) > SHOWN_ITEMS)
        return f"[{', '.join(items)}]"
    if is_integer(value) and abs(value) >= 10**SHOWN:  # Python refuses to print some of these
        return f"an integer of more than {SHOWN} digits"
    if isinstance(value, str):
        return shown(value)
    if isinstance(value, bytes):
        return shortened(bytes_text(value))
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def written_whole(value: object) -> str:
    """A value of the language, however long."""
    if isinstance(value, str):
        return '"' + "".join(c if c.isprintable() and c not in '"\\' else _escaped(c) for c in value) + '"'
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(written_whole, value))}]"
    return written(value)


def _escaped(character: str) -> str:
    return f"\\{character}" if character in '"\\' else character.encode("unicode_escape").decode()


def whole(arguments: Arguments, name: str) -> int:
    """A whole number among arguments that are checked."""
    value = arguments[name]
    assert is_integer(value), name
    return value


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
    signatures. `example` is a declaration with it."""

    name: str
    signature: str = ""
    example: str
    doc: str

    @property
    def params(self) -> tuple[Parameter, ...]:
        return parse_signature(self.signature)

    @property
    def usage(self) -> str:
        """Its parameters as a call has them."""
        return ", ".join(p.name if p.default is REQUIRED else f"{p.name}={written(p.default)}" for p in self.params)

    # By arguments that are given and neither none nor false: others that have no meaning beside them.
    excludes: Mapping[str, Sequence[str]] = {}

    def bound(self, arguments: Arguments) -> dict[str, object]:
        """The arguments, with defaults for those not given."""
        return {p.name: arguments.get(p.name, p.default) for p in self.params}

    def refuse(self, arguments: Arguments, param: str, wanted: str, way: str = "") -> NoReturn:
        """Refuse the value of an argument. `wanted` describes a correct value, `way` is a help line."""
        value = written(arguments[param])
        if isinstance(given := arguments[param], str) and (meant := nearest(given, re.findall(r'"(\w+)"', wanted))):
            way = f'did you mean "{meant}"?'
        raise DataError(DATA_ARGUMENT, param=param, name=self.name, argument=param, wanted=wanted, value=value, way=way)

    def check_seed(self, arguments: Arguments, help: str = "") -> None:
        """Refuse a seed outside the range of NumPy's RandomState."""
        seed = arguments["seed"]
        if not (is_integer(seed) and 0 <= seed <= MAX_SEED):
            self.refuse(arguments, "seed", f"an integer from 0 to {MAX_SEED}", help)
