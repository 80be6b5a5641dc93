"""Matrices that have been factored, or that are zero away from three diagonals."""

from ..diagnostics import NEGATIVE, NOT_COMPILE_TIME, NOT_SQUARE, RANK, SIZES_DIFFER
from ..types import Dim, Shape, TensorType
from .batch import stacked, whole
from .linalg import EXACT, square_shape
from .op import OpCall, Result
from .row import table
from .rules import broadcast_shapes, least_rank, number, real_of, same_size, wanted_rank

OPS, row = table("linear algebra")


# --- Factors ----------------------------------------------------------------------------------


def _factors(call: OpCall) -> Shape:
    """The shape of the factors of square matrices. There is a permutation for each."""
    order = call["perm"].shape
    known = [number(call, dim) is not None for dim in least_rank(call, "lower_upper", 2) or ()]
    if all(known[:-2]) and len(set(known[-2:])) > 1:  # TensorFlow's function takes one unknown size for another size
        call.fail(NOT_SQUARE, "lower_upper", param="lower_upper", type=call["lower_upper"])
    shape = square_shape(call, "lower_upper")
    if shape is None or order is None:  # TensorFlow's functions do not compare ranks that they do not know
        return None
    if len(order) != len(shape) - 1:
        call.fail(RANK, "perm", param="perm", wanted=len(shape) - 1, type=call["perm"])
    *batch, side = (same_size(call, left, right, "lower_upper", "perm") for left, right in zip(shape, order))
    return (*batch, side, side)


def of_factors(call: OpCall) -> TensorType:
    return TensorType(call.dtype("T"), _factors(call))


def lu_solve(call: OpCall) -> TensorType:
    """The unknowns of `matrix @ x = rhs`. The axes before the matrices broadcast."""
    left, right = _factors(call), least_rank(call, "rhs", 2)
    if left is None or right is None:
        return TensorType(call.dtype("T"), None)
    rows = same_size(call, left[-1], right[-2], "lower_upper", "rhs")
    shapes = {"a": call["lower_upper"], "b": call["rhs"]}
    batch = broadcast_shapes(call, left[:-2], right[:-2], "lower_upper", "rhs", **shapes)
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows, right[-1]))


# --- Three diagonals --------------------------------------------------------------------------


def _side(call: OpCall) -> Shape:
    """The axes before tridiagonal matrices, and the size of their sides."""
    shape = least_rank(call, "diagonals", 2)
    if shape is None:
        return None
    if call["diagonals_format"] == "matrix":
        return (*shape[:-2], same_size(call, shape[-2], shape[-1], "diagonals"))
    same_size(call, shape[-2], 3, "diagonals")
    return (*shape[:-2], shape[-1])


def _agree(call: OpCall, left: tuple[Dim, ...], right: tuple[Dim, ...]) -> tuple[Dim, ...]:
    return tuple(call.same(a, b, SIZES_DIFFER, "diagonals", "rhs") for a, b in zip(left, right))


def tridiagonal_product(call: OpCall) -> TensorType:
    """One matrix for each matrix of three diagonals."""
    side, shape = _side(call), least_rank(call, "rhs", 2)
    if side is None or shape is None:
        return TensorType(call.dtype("T"), shape)
    if len(side) != len(shape) - 1:
        call.fail(RANK, "rhs", "diagonals", param="rhs", wanted=len(side) + 1, type=call["rhs"])
    return TensorType(call.dtype("T"), (*_agree(call, side, shape), shape[-1]))


def tridiagonal_solve(call: OpCall) -> TensorType:
    """One vector or one matrix for each matrix of three diagonals."""
    side, shape = _side(call), call["rhs"].shape
    if call["perturb_singular"] and not call["partial_pivoting"]:
        call.option("partial_pivoting", True)
    if side is None:
        least_rank(call, "rhs", 2)  # TensorFlow takes it as matrices then
    if shape is None:
        return TensorType(call.dtype("T"), None)
    if side is not None and len(shape) not in (len(side), len(side) + 1):
        wanted = f"{len(side)} or {len(side) + 1}"
        call.fail(RANK, "rhs", "diagonals", param="rhs", wanted=wanted, type=call["rhs"])
    if call["transpose_rhs"] and (side is None or len(shape) == len(side) + 1):
        shape = (*shape[:-2], shape[-1], shape[-2])
    if side is None:
        return TensorType(call.dtype("T"), shape)
    return TensorType(call.dtype("T"), (*_agree(call, side, shape), *shape[len(side) :]))


def tridiagonal_eigen(call: OpCall) -> Result:
    """Real eigenvalues, and unless `eigvals_only` the eigenvectors as columns. The size must be known."""
    (size,), (beside,) = wanted_rank(call, "alpha", 1), wanted_rank(call, "beta", 1)
    side = number(call, size)
    if side is None:
        call.fail(NOT_COMPILE_TIME, "alpha", param="the size of alpha", type=call["alpha"])
    if side < 2:
        call.fail(NEGATIVE, "alpha", param="the size of alpha", value=side, least=2)
    same_size(call, beside, side - 1, "beta", "alpha")
    values = TensorType(real_of(call.dtype("T")), (side,))
    return values if call["eigvals_only"] else (values, TensorType(call.dtype("T"), (side, side)))


# fmt: off
_LU = "[[3.0, 1.0], [0.5, 2.5]], [1, 0]"
_ORDER = "`perm` is the order of their rows, as from lu. Axes before the last two are a batch of matrices."
row("lu_solve", "lower_upper: T, perm: int32, rhs: T", lu_solve, "linalg.lu_solve",
    f"The x of matrix @ x = rhs, given the two triangles of lu(matrix): [n, n] and [n, m] is [n, m]. {_ORDER}",
    f"lu_solve({_LU}, [[1.0], [2.0]])", batch=whole, lowered="special.of_tensors",
    T=f"{EXACT} bfloat16")
row("lu_reconstruct", "lower_upper: T, perm: int32", of_factors, "linalg.lu_reconstruct",
    f"The matrices of which lu made the two triangles. {_ORDER}", f"lu_reconstruct({_LU})", batch=whole,
    lowered="special.of_tensors",     T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128")
row("lu_matrix_inverse", "lower_upper: T, perm: int32", of_factors, "linalg.lu_matrix_inverse",
    f"The inverse of the matrices of which lu made the two triangles. {_ORDER}", f"lu_matrix_inverse({_LU})",
    batch=whole, lowered="special.of_tensors",
    T=f"{EXACT} bfloat16")

_THREE = "[[1.0, 2.0, 0.0], [4.0, 5.0, 6.0], [0.0, 1.0, 1.0]]"
_DIAGONALS = ("`diagonals` has on its last two axes the diagonal above, the main one and the one below, [3, n]; with "
              "the format \"matrix\" the matrices themselves. The ends that lie outside do not count.")
_FORMATS = ("compact", "matrix")
row("tridiagonal_matmul", "diagonals: T, rhs: T, diagonals_format: text = \"compact\"", tridiagonal_product,
    "linalg.tridiagonal_matmul", f"Matrices of three diagonals times matrices [n, m]. {_DIAGONALS}",
    f"tridiagonal_matmul({_THREE}, [[1.0], [2.0], [3.0]])", batch=stacked(3, "diagonals", "rhs"),
    diagonals_format=_FORMATS, T="float32 float64 complex64 complex128")
row("tridiagonal_solve", "diagonals: T, rhs: T, diagonals_format: text = \"compact\", transpose_rhs: flag = false, "
    "conjugate_rhs: flag = false, partial_pivoting: flag = true, perturb_singular: flag = false", tridiagonal_solve,
    "linalg.tridiagonal_solve",
    f"The x of matrix @ x = rhs, for matrices of three diagonals; rhs is [n] or [n, m]. {_DIAGONALS}",
    f"tridiagonal_solve({_THREE}, [1.0, 2.0, 3.0])", batch=whole, lowered="special.of_tensors",
    diagonals_format=_FORMATS, T="float32 float64 complex64 complex128")
row("eigh_tridiagonal", "alpha: T, beta: T, eigvals_only: flag = true", tridiagonal_eigen, "linalg.eigh_tridiagonal",
    "The eigenvalues of a symmetric matrix with the main diagonal `alpha` and the diagonals `beta` beside it, from the "
    "smallest on; unless `eigvals_only`, also the eigenvectors as columns.",
    "eigh_tridiagonal([1.0, 2.0, 3.0], [1.0, 1.0])", batch=whole, T="float32 float64 complex64 complex128")
# fmt: on
