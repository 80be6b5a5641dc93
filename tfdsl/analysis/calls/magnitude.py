"""Limits the size of the compiler's own values."""

from ...diagnostics import TOO_DEEP, VALUE_LARGE
from ...limits import MAX_BITS, MAX_NESTED
from ...source import Span
from ..context import Analysis
from ..values import ExprValue


def check_size(ctx: Analysis, value: ExprValue, span: Span) -> ExprValue:
    """Return a value if it is small enough to work with."""
    size, depth = ctx.limits.measure(value)
    if depth > MAX_NESTED:
        ctx.fail(TOO_DEEP, span, help="nest fewer lists", limit=MAX_NESTED)
    if size > ctx.limits.constant:
        too_large(ctx, span)
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        _huge(ctx, span)
    ctx.spend(size, span)
    return value


def too_large(ctx: Analysis, span: Span) -> None:
    ctx.fail(VALUE_LARGE, span, size="too many elements", limit=f"{ctx.limits.constant} elements")


def _huge(ctx: Analysis, span: Span) -> None:
    help = "use a float, such as 2.0 ** 1000"
    ctx.fail(VALUE_LARGE, span, help=help, size="a huge number", limit=f"{MAX_BITS} bits")


def check_power(ctx: Analysis, base: ExprValue, exponent: ExprValue, span: Span) -> None:
    if isinstance(base, int) and isinstance(exponent, int) and (base.bit_length() - 1) * exponent > MAX_BITS:
        _huge(ctx, span)
