"""Chooses shapes for placeholders of unknown rank from the ops that use them."""

from collections.abc import Iterator

from ..lowering.tf import Operand, v1

_UNKNOWN = 2  # the size that replaces an unknown one


def fed_shape(tensor: Operand) -> list[int] | None:
    """A shape for the tensor that fits one of the ops that use it, or None if these ops do not determine one."""
    return next(_shapes(tensor), None)


def _shapes(tensor: Operand) -> Iterator[list[int]]:
    for user in tensor.consumers():
        first, *others = user.inputs
        match user.type:
            case "Reshape" if first is tensor and others[0].op.type == "Const":
                sizes: list[int] = v1.make_ndarray(others[0].op.get_attr("value")).tolist()
                yield [_UNKNOWN if size < 0 else size for size in sizes]
            case "MatMul" if first is tensor and others[0].shape.rank == 2:
                depth: int | None = others[0].shape[1 if user.get_attr("transpose_b") else 0]
                sides = [_UNKNOWN, _UNKNOWN if depth is None else depth]
                yield sides[::-1] if user.get_attr("transpose_a") else sides
            case _:
                pass
