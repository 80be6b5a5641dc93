"""What the layers of the bundled libraries take for their sizes and numbers, which would otherwise compute nothing, or
NaN, in silence."""

from collections.abc import Mapping

from ...diagnostics import ARGUMENT_KIND, OPTION
from ...record import Record
from ...syntax import tree as t
from ..context import Analysis
from ..values import describe, is_host
from .arguments import ArgumentValue


class _Numbers(Record):
    """The numbers that a parameter takes, and what messages call them."""

    wanted: str
    least: float
    most: float = float("inf")
    is_whole: bool = False
    without_least: bool = False

    def take(self, value: object) -> bool:
        if not isinstance(value, int if self.is_whole else (int, float)) or isinstance(value, bool):
            return False
        return self.least <= value <= self.most and not (self.without_least and value == self.least)


_SIZES = "units filters size stride dilation multiplier heads groups layers samples k thresholds"
_PARAMETERS = {
    **dict.fromkeys(_SIZES.split(), _Numbers("a whole number above 0", 1, is_whole=True)),
    **dict.fromkeys(("delta", "limit"), _Numbers("a number above 0", 0, without_least=True)),
    "epsilon": _Numbers("a number that is not negative", 0),
    "momentum": _Numbers("a number from 0 to 1", 0, 1),
}


_PADDINGS = ("SAME", "VALID", "CAUSAL")


def check_padding(ctx: Analysis, called: str, tree: t.Def, argument: ArgumentValue | None) -> None:
    """Check the padding of a layer. Only a layer that names the last one takes it, since its op does not."""
    if argument is None or not isinstance(value := argument.value, str):
        return
    is_causal = any(isinstance(one, t.Constant) and one.value == _PADDINGS[-1] for one in t.trees(tree.body))
    known = _PADDINGS if is_causal else _PADDINGS[:-1]
    if value not in known:
        allowed = " or ".join(f'"{one}"' for one in known)
        ctx.fail(OPTION, argument.span, help=ctx.did_you_mean(value, known), op=called, value=f'"{value}"',
                 param="padding", allowed=allowed)  # fmt: skip


def check_sizes(ctx: Analysis, called: str, tree: t.Def, arguments: Mapping[str, ArgumentValue]) -> None:
    """Check the arguments of a call that are known while compiling. Layers refuse others where they use them."""
    defaults = ((one.name, one.default) for one in tree.parameters)
    optional = {name for name, default in defaults if isinstance(default, t.Constant) and default.value is None}
    for name, argument in arguments.items():
        value, numbers = argument.value, _PARAMETERS.get(name)
        if numbers is None or not is_host(value) or (value is None and name in optional) or numbers.take(value):
            continue
        help = ""
        if isinstance(value, (list, tuple)) and value and numbers.take(value[0]) and len(set(map(repr, value))) == 1:
            help = f"one number is for all axes: {name}={value[0]}"
        elif isinstance(value, float) and value.is_integer() and numbers.take(int(value)):
            help = f"write {int(value)}; for two whole numbers, / returns a fraction and // a whole number"
        ctx.fail(ARGUMENT_KIND, argument.span, help=help, function=called, wanted=numbers.wanted, name=name,
                 value=describe(value))  # fmt: skip
