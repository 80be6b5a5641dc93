"""How to write a value in the shape of the variable that it is given to."""

from collections.abc import Sequence
from math import prod

from ...types import Shape, TensorType
from ..context import Analysis
from ..values import ExprValue, Tensor, is_host

_MOST = 8  # numbers that a help line writes out


def keeps_shape(
    ctx: Analysis, declared: TensorType, value: ExprValue, actual: TensorType, text: str, form: str, name: str
) -> str:
    """What to write for a value, written as `text`, that does not have the shape of a variable. `form` is a statement
    that gives the variable the value `{}`."""
    if made := _in_shape(ctx, declared, value, text):
        return f"a variable keeps its shape: write {form.format(made)}"
    example = _example(ctx, declared)
    what = "one number" if declared.shape == () else f"a value of {declared}"
    way = f"a variable keeps its shape: give it {what}" + (f", as in {form.format(example)}" if example else "")
    known = _known(ctx, actual.shape)
    return way if known is None or "." in name else f"{way}; or declare: variable {name}: {actual.dtype}{known} = zeros"


def _known(ctx: Analysis, shape: Shape) -> list[int] | None:
    """The sizes of a shape, if all are known."""
    sizes = [ctx.graph.sizes.resolve(size) for size in shape or ()]
    known = [size for size in sizes if isinstance(size, int)]
    return None if shape is None or len(known) < len(sizes) else known


def _in_shape(ctx: Analysis, declared: TensorType, value: ExprValue, text: str) -> str:
    """The code of a value in the shape of a variable; "" if it has another number of elements."""
    sizes = _known(ctx, declared.shape)
    if sizes is None:
        return ""
    if isinstance(value, Tensor):
        own = _known(ctx, value.type.shape)
        return f"reshape({text}, {sizes})" if own is not None and prod(own) == prod(sizes) else ""
    numbers = _flat(value, declared) if is_host(value) else []
    if not isinstance(value, (list, tuple)) and numbers:
        return f"fill({sizes}, {numbers[0]})"
    return _nested(numbers, sizes) if len(numbers) == prod(sizes) and 0 < len(numbers) <= _MOST else ""


def _example(ctx: Analysis, declared: TensorType) -> str:
    """Numbers in the shape of a variable; "" if they are many or their number is not known."""
    sizes = _known(ctx, declared.shape)
    if sizes is None or declared.dtype.kind not in ("int", "uint", "float") or not 0 < prod(sizes) <= _MOST:
        return ""
    return _nested(_flat(list(range(1, prod(sizes) + 1)), declared), sizes)


def _flat(value: object, declared: TensorType) -> list[str]:
    """The code of all numbers of a value, as literals of the dtype of a variable."""
    if isinstance(value, (list, tuple)):
        return [one for item in value for one in _flat(item, declared)]
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, int) and declared.dtype.kind == "float":
        return [f"{value}.0"]
    return [str(value)] if isinstance(value, (int, float)) else [f'"{value}"']


def _nested(numbers: Sequence[str], sizes: Sequence[int]) -> str:
    """Code of lists of these sizes."""
    if not sizes:
        return numbers[0]
    step = len(numbers) // sizes[0]
    return f"[{', '.join(_nested(numbers[at * step : (at + 1) * step], sizes[1:]) for at in range(sizes[0]))}]"
