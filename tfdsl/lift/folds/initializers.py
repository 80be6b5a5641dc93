"""Folds initial values that are scaled by the size of a layer: uniform or normal numbers become a call of the
TensorFlow initializer with the same limit or deviation."""

import math
from collections.abc import Iterator

import numpy as np

from ...narrowing import is_list
from ...ops.lifted import NORMAL_INITIALIZERS, UNIFORM_INITIALIZERS
from ...ops.named import FILL, RANDOM_UNIFORM, TRUNCATED_NORMAL
from ...record import replace
from ...types import TensorType
from ..draft import CallPiece, Draft, Given, LiftedPiece, Produced, Splat, VariablePiece

_UNCUT = 0.87962566103423978  # the deviation of a normal distribution cut off at 2 deviations


def fold_initializers(draft: Draft) -> None:
    for piece in list(draft.pieces.values()):
        match piece:
            case VariablePiece(initial=Produced(end)):
                _fold_call(draft, piece, draft.pieces.get(draft.end(end).node))
            case VariablePiece(initial=Given(tuple(values), dtype)) if values and _is_zero(values):
                zero = 0.0 if piece.type.dtype.kind == "float" else 0
                draft.pieces[piece.node] = replace(piece, initial=Splat(zero, (), dtype))
            case VariablePiece(initial=Splat(value, _, dtype)):  # the variable states the shape
                draft.pieces[piece.node] = replace(piece, initial=Splat(value, (), dtype))
            case _:
                pass


def _fold_call(draft: Draft, piece: VariablePiece, made: LiftedPiece | None) -> None:
    match made:
        case CallPiece(
            callee=FILL.name,
            arguments=(("dims", Given(sizes)), ("value", Given(int() | float() as value, dtype))),
        ) if sizes == piece.type.shape:
            draft.pieces[piece.node] = replace(piece, initial=Splat(value, (), dtype))
        case CallPiece() if len(draft.graph.users[made.node]) == 1:
            name = _initializer(made, piece.type)
            if name is not None:
                kept = tuple((param, value) for param, value in made.arguments if param in ("shape", "dtype", "seed"))
                draft.pieces[made.node] = CallPiece(made.node, made.ends, made.controls, callee=name, arguments=kept)
        case _:
            pass


def _is_zero(values: object) -> bool:
    """Whether all numbers in a list are zero."""
    match values:
        case _ if is_list(values):
            return all(map(_is_zero, values))
        case bool():
            return False
        case int() | float():
            return values == 0 and math.copysign(1, values) > 0
        case _:
            return False


def _initializer(made: CallPiece, type: TensorType) -> str | None:
    """The initializer that draws these numbers for this shape."""
    given = {name: value.value for name, value in made.arguments if isinstance(value, Given)}
    shape = [size for size in type.shape or () if isinstance(size, int)]
    if len(shape) < 2 or ("shape", tuple(shape)) not in given.items() or type.rank != len(shape):
        return None
    sizes = _sides(shape)
    match made.callee, given:
        case RANDOM_UNIFORM.name, {"minval": float(low), "maxval": float(high)} if low == -high:
            return next((name for name, limit in _limits(sizes) if np.float32(limit) == np.float32(high)), None)
        case TRUNCATED_NORMAL.name, {"stddev": float(deviation)} if "mean" not in dict(made.arguments):
            return next((name for name, one in _deviations(sizes) if np.float32(one) == np.float32(deviation)), None)
        case _:
            return None


def _sides(shape: list[int]) -> dict[str, float]:
    """The inputs of a layer with weights of this shape, and the mean of its inputs and outputs."""
    window = math.prod(shape[:-2])
    inputs, outputs = shape[-2] * window, shape[-1] * window
    return {"inputs": max(1.0, inputs), "both": max(1.0, (inputs + outputs) / 2.0)}


def _limits(sizes: dict[str, float]) -> Iterator[tuple[str, float]]:
    for name, (side, scale) in UNIFORM_INITIALIZERS.items():
        yield name, math.sqrt(3.0 * (scale / sizes[side]))


def _deviations(sizes: dict[str, float]) -> Iterator[tuple[str, float]]:
    for name, (side, scale) in NORMAL_INITIALIZERS.items():
        yield name, math.sqrt(scale / sizes[side]) / _UNCUT
