"""Linear algebra. The last two axes are the matrices."""

from math import inf, prod
from typing import TypeGuard

from ..diagnostics import (
    AXES_TWICE,
    DIAGONAL,
    EQUATION,
    LENGTH,
    MATMUL_SIZES,
    NOT_SQUARE,
    ONE_OF,
    OPTION,
    RANK,
    SIZES_DIFFER,
)
from ..types import INT32, Dim, Nested, Shape, TensorType
from .batch import FIXED, ROWS, BatchCall, Mixed, reduced, rows, several, stacked, whole
from .flops import FlopCall, Flops, NotKnown, no_flops, per_result, products
from .op import Alike, OpCall, Result
from .row import table
from .rules import (
    Whole,
    axis_in,
    broadcast_shapes,
    complex_of,
    doubt_pairs,
    least_rank,
    listed,
    merge,
    number,
    real_of,
    reduced_shape,
    same_size,
    wanted_rank,
    without,
)

OPS, row = table("linear algebra")


# --- Products ---------------------------------------------------------------------------------


def _sides(call: OpCall, param: str, swapped: bool) -> tuple[Dim, Dim]:
    """The rows and columns of a matrix, swapped if it is transposed."""
    rows, columns = call[param].shape[-2:]
    return (columns, rows) if swapped else (rows, columns)


def matmul(call: OpCall) -> TensorType:
    """The rows of the first by the columns of the second. The axes before broadcast."""
    for param in ("a", "b"):
        if call[f"transpose_{param}"] and call[f"adjoint_{param}"]:
            call.fail(ONE_OF, f"adjoint_{param}", first=f"transpose_{param}", second=f"adjoint_{param}")
    a, b = least_rank(call, "a", 2), least_rank(call, "b", 2)
    if a is None or b is None:
        return TensorType(call.dtype("T"), None)
    rows, left = _sides(call, "a", call["transpose_a"] or call["adjoint_a"])
    right, columns = _sides(call, "b", call["transpose_b"] or call["adjoint_b"])
    call.same(left, right, MATMUL_SIZES, "a", "b", a=call["a"], b=call["b"])
    doubt_pairs(call, "a", "b", a[:-2], b[:-2])
    batch = broadcast_shapes(call, a[:-2], b[:-2], "a", "b", a=call["a"], b=call["b"])
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows, columns))


def matvec(call: OpCall) -> TensorType:
    """A matrix times a vector. The axes before broadcast."""
    a, b = least_rank(call, "a", 2), least_rank(call, "b", 1)
    if a is None or b is None:
        return TensorType(call.dtype("T"), None)
    rows, left = _sides(call, "a", call["transpose_a"])
    call.same(left, b[-1], MATMUL_SIZES, "a", "b", a=call["a"], b=call["b"])
    doubt_pairs(call, "a", "b", a[:-2], b[:-1])
    batch = broadcast_shapes(call, a[:-2], b[:-1], "a", "b", a=call["a"], b=call["b"])
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows))


def affine(call: OpCall) -> TensorType:
    """`x @ weights + biases`."""
    rows, left = wanted_rank(call, "x", 2)
    right, columns = wanted_rank(call, "weights", 2)
    call.same(left, right, MATMUL_SIZES, "x", "weights", a=call["x"], b=call["weights"])
    columns = same_size(call, columns, wanted_rank(call, "biases", 1)[0], "weights", "biases")
    is_open = None in (call["x"].shape, call["weights"].shape)  # TensorFlow's function multiplies batches too
    return TensorType(call.dtype("T"), None if is_open else (rows, columns))


def _are_axes(axes: Nested) -> TypeGuard[int | list[Whole] | tuple[Whole, Whole]]:
    if isinstance(axes, (list, tuple)):
        sides = [side if isinstance(side, (list, tuple)) else [side] for side in axes]
        return len(sides) == 2 and all(type(axis) is int for side in sides for axis in side)
    return type(axes) is int and axes >= 0


def tensordot(call: OpCall) -> TensorType:
    """The axes that are not summed over: those of `a`, then those of `b`."""
    a, b = call["a"].shape, call["b"].shape
    axes: Nested = call["axes"]
    if not _are_axes(axes):
        call.fail(OPTION, "axes", param="axes", value="this", allowed="a number of axes, or two lists of axes")
    if a is None or b is None:
        return TensorType(call.dtype("T"), None)
    if isinstance(axes, int):
        least_rank(call, "a", axes)
        least_rank(call, "b", axes)
        left, right = list(range(len(a) - axes, len(a))), list(range(axes))
    else:
        left = [axis_in(call, axis, len(a), "a") for axis in listed(axes[0])]
        right = [axis_in(call, axis, len(b), "b") for axis in listed(axes[1])]
        if len(left) != len(right):
            call.fail(
                LENGTH,
                "axes",
                param="axes",
                wanted=f"{len(left)} and {len(left)}",
                count=f"{len(left)} and {len(right)}",
            )
    for i, j in zip(left, right):
        call.same(a[i], b[j], MATMUL_SIZES, "a", "b", a=call["a"], b=call["b"])
    return TensorType(call.dtype("T"), without(a, left) + without(b, right))


def einsum(call: OpCall) -> TensorType:
    """The axes that the equation names, one letter per axis."""
    equation, inputs = call["equation"].replace(" ", ""), call["inputs"]

    def refuse(reason: str):
        types = ", ".join(map(str, inputs))
        call.fail(EQUATION, "equation", "inputs", equation=equation, types=types, reason=reason)

    terms, arrow, output = equation.partition("->")
    letters = terms.replace(",", "").replace(".", "")
    if len(terms.split(",")) != len(inputs):
        refuse(f"it has {len(terms.split(','))} terms for {len(inputs)} tensors")
    if not (letters + output.replace(".", "")).isalpha() and letters + output.replace(".", ""):
        refuse("axes are named by letters")
    if not arrow:
        output = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
        output = ("..." if "..." in terms else "") + output
    sizes: dict[str, Dim] = {}
    rest: Shape = ()
    for term, tensor in zip(terms.split(","), inputs):
        named = term.replace("...", "")
        spread = "..." in term
        if tensor.shape is None:
            sizes.update({c: sizes.get(c) for c in named})
            rest = None if spread else rest
            continue
        extra = len(tensor.shape) - len(named)
        if extra < 0 or (extra and not spread):
            refuse(f"the term {term} does not have one letter for each of the {tensor.rank} axes of {tensor}")
        first = term.index("...") if spread else len(named)
        dims = tensor.shape[:first] + tensor.shape[first + extra :]
        for letter, dim in zip(named, dims):
            sizes[letter] = same_size(call, sizes.get(letter), dim, "inputs")
        rest = broadcast_shapes(call, rest, tensor.shape[first : first + extra], "inputs", a=inputs[0], b=tensor)
    named = output.replace("...", "")
    if not set(named) <= set(sizes):
        refuse(f"the result names {', '.join(sorted(set(named) - set(sizes)))}, which no term has")
    if len(set(named)) < len(named):
        refuse("the result names an axis twice")
    result = [sizes[c] for c in named]
    first = output.index("...") if "..." in output else 0
    if "..." not in output:
        return TensorType(call.dtype("T"), tuple(result))
    return TensorType(call.dtype("T"), None if rest is None else (*result[:first], *rest, *result[first:]))


def cross(call: OpCall) -> TensorType:
    shape = merge(call, call["a"].shape, call["b"].shape, "a", "b")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    least_rank(call, "a", 1)
    least_rank(call, "b", 1)
    return TensorType(call.dtype("T"), (*shape[:-1], same_size(call, shape[-1], 3, "a", "b")))


def batch_matmul(call: BatchCall) -> str:
    """Rows times a fixed matrix. With more axes, one product per row."""
    call.only("a", "b")
    ranks = call.rank("a"), call.rank("b")
    if max(ranks) > 2:
        if call.kind("a") != ROWS or call.kind("b") != ROWS or ranks[0] != ranks[1]:
            raise Mixed
        return ROWS
    if call.kind("a") != ROWS or call.kind("b") != FIXED:
        raise Mixed
    if call.option("transpose_a", False) or call.option("adjoint_a", False):
        raise Mixed
    return ROWS


def batch_tensordot(call: BatchCall) -> str:
    """Rows times a fixed tensor, if the first axis is not summed over."""
    axes, rank = call.option("axes"), call.rank("a")
    own = axes[0] if isinstance(axes, tuple) else tuple(range(rank - call.axis("axes", 0), rank))
    if call.kind("a") != ROWS or call.kind("b") != FIXED or 0 in {axis % rank for axis in several(own)}:
        raise Mixed
    return ROWS


def matrix_products(call: FlopCall) -> int:
    """A product and a sum for each element of a row of `a`."""
    is_turned = call.option("transpose_a") or call.option("adjoint_a")
    return 2 * call.made * call.shape("a")[-2 if is_turned else -1]


def vector_products(call: FlopCall) -> int:
    return 2 * call.made * call.shape("b")[-1]


def sums_of_products(call: FlopCall) -> int:
    """Of an equation: a product and a sum wherever two tensors meet, or only the one if no axis is summed over."""
    equation, shapes = call.option("equation"), call.shapes("inputs")
    assert isinstance(equation, str)
    terms = equation.replace(" ", "").partition("->")[0].split(",")
    if len(terms) > 2 or "." in equation:
        raise NotKnown
    sizes = {letter: size for term, shape in zip(terms, shapes, strict=True) for letter, size in zip(term, shape)}
    met, is_summed = prod(sizes.values()), prod(sizes.values()) > call.made
    return met * (len(terms) - 1 + is_summed)


def affine_products(more: int) -> Flops:
    """The products of `x` and `weights`, and so many operations more for each element."""
    return lambda call: call.made * (2 * call.shape("x")[-1] + more)


# fmt: off
EXACT = "float16 float32 float64 complex64 complex128"  # the dtypes of TensorFlow's solvers: no bfloat16
_SQUARE = "[[2.0, 1.0], [1.0, 3.0]]"
_BATCH = "Axes before the last two are a batch of matrices."

row("matmul", "a: T, b: T, transpose_a: flag = false, transpose_b: flag = false, adjoint_a: flag = false, "
    "adjoint_b: flag = false", matmul, "matmul",
    f"The matrix product: [n, k] by [k, m] is [n, m]. {_BATCH}",
    "matmul([[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]])",
    batch=batch_matmul, operator="@", node="MatMul", alike=Alike.BY_TYPES, product=True,
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128", flops=matrix_products)
row("matvec", "a: T, b: T, transpose_a: flag = false", matvec, "linalg.matvec",
    "A matrix by a vector: [n, k] by [k] is [n]. Axes before are a batch.",
    "matvec([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])", batch=whole, product=True,
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128", flops=vector_products)
row("tensordot", "a: T, b: T, axes: static", tensordot, "tensordot",
    "Products summed over axes: a number of last axes of `a` with as many first axes of `b`, or the axes of `a` in a "
    "first list with those of `b` in a second. The result has the other axes of `a`, then those of `b`.",
    "tensordot([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], axes=[[1], [0]])", batch=batch_tensordot,
    product=True, T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128", flops=products)
row("einsum", "equation: text, inputs: [T]", einsum, "einsum",
    "Sums of products, as an equation that names the axes: \"ij,jk->ik\" is a matrix product.",
    "einsum(\"ij,jk->ik\", [[[1.0, 2.0]], [[3.0], [4.0]]])", batch=whole, lowered="special.einsum",
    flops=sums_of_products)
row("cross", "a: T, b: T", cross, "linalg.cross",
    "The cross product of the vectors of size 3 on the last axis.",
    "cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])", batch=stacked(2, "a", "b"), T="real", flops=per_result(3))
row("xw_plus_b", "x: T, weights: T, biases: T", affine, "nn.xw_plus_b",
    "x @ weights + biases: [n, k] by [k, m], and a vector of size m, is [n, m].",
    "xw_plus_b([[1.0, 2.0]], [[3.0], [4.0]], [5.0])", batch=rows("x"),
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128", flops=affine_products(1))
row("relu_layer", "x: T, weights: T, biases: T", affine, "nn.relu_layer",
    "max(x @ weights + biases, 0): [n, k] by [k, m], and a vector of size m, is [n, m].",
    "relu_layer([[1.0, 2.0]], [[3.0], [4.0]], [5.0])",
    batch=rows("x"), T="float int32 int64 uint8 uint16 uint32 uint64", flops=affine_products(2))
# fmt: on


# --- One matrix -------------------------------------------------------------------------------


def square_shape(call: OpCall, param: str) -> Shape:
    """The shape of square matrices. A size known on one side is known on both."""
    shape = least_rank(call, param, 2)
    if shape is None:
        return None
    side = call.same(shape[-2], shape[-1], NOT_SQUARE, param, param=param, type=call[param])
    return (*shape[:-2], side, side)


def square(param: str):
    """Square matrices in, matrices of the same shape out."""

    def rule(call: OpCall) -> TensorType:
        return TensorType(call.dtype("T"), square_shape(call, param))

    return rule


def per_square(param: str, outputs: int = 1, real: bool = False):
    """One number per square matrix, or several."""

    def rule(call: OpCall) -> TensorType | tuple[TensorType, ...]:
        shape = square_shape(call, param)
        dtype = real_of(call.dtype("T")) if real else call.dtype("T")
        result = TensorType(dtype, None if shape is None else shape[:-2])
        return result if outputs == 1 else (result,) * outputs

    return rule


def flipped(param: str):
    """Swap the last two axes."""

    def rule(call: OpCall) -> TensorType:
        shape = least_rank(call, param, 2)
        return TensorType(call.dtype("T"), None if shape is None else (*shape[:-2], shape[-1], shape[-2]))

    return rule


def pinv(call: OpCall) -> TensorType:
    """The inverse of each matrix. `rcond` broadcasts with the axes before the matrices."""
    type = flipped("a")(call)
    if call["rcond"] is None or call["rcond"].shape == () or type.shape is None:
        return type
    if len(call["rcond"].shape or ()) > len(type.shape) - 2:
        call.fail(RANK, "rcond", param="rcond", wanted=f"at most {len(type.shape) - 2}", type=call["rcond"])
    details = {"a": call["a"], "b": call["rcond"]}
    batch = broadcast_shapes(call, type.shape[:-2], call["rcond"].shape, "a", "rcond", **details)
    return TensorType(type.dtype, None if batch is None else (*batch, *type.shape[-2:]))


def trace(call: OpCall) -> TensorType:
    shape = least_rank(call, "x", 2)
    return TensorType(call.dtype("T"), None if shape is None else shape[:-2])


def matrix_rank(call: OpCall) -> TensorType:
    """One number per matrix. `tol` broadcasts with the singular values."""
    shape = least_rank(call, "a", 2)
    if shape is None:
        return TensorType(INT32, None)
    values = (*shape[:-2], smaller(call, shape[-2], shape[-1]))
    if call["tol"] is not None:
        values = broadcast_shapes(call, values, call["tol"].shape, "a", "tol", a=call["a"], b=call["tol"])
    return TensorType(INT32, None if values is None else values[:-1])


def norm(call: OpCall) -> TensorType:
    """A norm of all elements, of vectors (one axis) or of matrices (two axes). For complex numbers TensorFlow keeps
    the dtype if the norm is the root of a sum of squares."""
    _norm_axes(call)
    is_root = call["ord"] in ("euclidean", "fro") or (call["ord"] == 2 and not isinstance(call["axis"], (list, tuple)))
    shape = reduced_shape(call, "tensor", call["axis"], call["keepdims"])
    return TensorType(call.dtype("T") if is_root else real_of(call.dtype("T")), shape)


_VECTOR_NORMS = '"euclidean" or a number above 0'


_MATRIX_NORMS = '"euclidean" or "fro" or 1 or 2'


def _norm_axes(call: OpCall) -> None:
    """Check the axes of a norm: none, a number, or a list of two different ones. Then check that the norm exists for
    vectors or matrices."""
    axes: Whole | None = call["axis"]
    which: int | float | str = call["ord"]
    is_number = isinstance(which, (int, float))
    if isinstance(axes, (list, tuple)):
        known, allowed = which in ("euclidean", "fro") or (is_number and which in (1, 2, inf)), _MATRIX_NORMS
    else:
        known, allowed = which == "euclidean" or (is_number and not which <= 0), _VECTOR_NORMS
    if not known:
        shown = f'"{which}"' if isinstance(which, str) else which
        call.fail(OPTION, "ord", param="ord", value=shown, allowed=allowed)
    if isinstance(axes, (list, tuple)):
        if len(axes) != 2:
            call.fail(LENGTH, "axis", param="axis", wanted=2, count=len(axes))
        if axes[0] == axes[1]:
            call.fail(AXES_TWICE, "axis", param="axis", axes=list(axes))


def smaller(call: OpCall, a: Dim, b: Dim) -> Dim:
    """The smaller of two sizes, if it is known."""
    if a == b:
        return a
    a, b = number(call, a), number(call, b)
    if a == 0 or b == 0:
        return 0
    return None if a is None or b is None else min(a, b)


def qr(call: OpCall) -> tuple[TensorType, TensorType]:
    shape = least_rank(call, "input", 2)
    if shape is None:
        return TensorType(call.dtype("T"), None), TensorType(call.dtype("T"), None)
    *batch, rows, columns = shape
    inner = rows if call["full_matrices"] else smaller(call, rows, columns)
    return (TensorType(call.dtype("T"), (*batch, rows, inner)), TensorType(call.dtype("T"), (*batch, inner, columns)))


def svd(call: OpCall) -> Result:
    """Singular values, then the left and right vectors unless `compute_uv` is false."""
    shape, dtype = least_rank(call, "tensor", 2), call.dtype("T")
    if shape is None:
        s = u = v = None
    else:
        *batch, rows, columns = shape
        inner = smaller(call, rows, columns)
        full = call["full_matrices"]
        s = (*batch, inner)
        u = (*batch, rows, rows if full else inner)
        v = (*batch, columns, columns if full else inner)
    values = TensorType(real_of(dtype), s)
    return (values, TensorType(dtype, u), TensorType(dtype, v)) if call["compute_uv"] else values


def eigen(call: OpCall) -> tuple[TensorType, TensorType]:
    """Eigenvalues and eigenvectors of self-adjoint matrices."""
    shape = square_shape(call, "tensor")
    values = TensorType(call.dtype("T"), None if shape is None else shape[:-1])
    return values, TensorType(call.dtype("T"), shape)


def eigenvalues(call: OpCall) -> TensorType:
    return eigen(call)[0]


def any_eigen(call: OpCall) -> tuple[TensorType, TensorType]:
    """The complex eigenvalues and eigenvectors of square matrices."""
    values, vectors = eigen(call)
    dtype = complex_of(call.dtype("T"))
    return TensorType(dtype, values.shape), TensorType(dtype, vectors.shape)


def any_eigenvalues(call: OpCall) -> TensorType:
    return any_eigen(call)[0]


def normalize(call: OpCall) -> tuple[TensorType, TensorType]:
    """The tensor, and its norm with the axes kept."""
    _norm_axes(call)
    return call["tensor"], TensorType(call.dtype("T"), reduced_shape(call, "tensor", call["axis"], True))


def lu(call: OpCall) -> tuple[TensorType, TensorType]:
    """Both triangles in one matrix, and the permutation of its rows."""
    shape = square_shape(call, "input")
    return TensorType(call.dtype("T"), shape), TensorType(INT32, None if shape is None else shape[:-1])


def band_part(call: OpCall) -> TensorType:
    """The matrices. The numbers of diagonals to keep are scalars."""
    for param in ("num_lower", "num_upper"):
        wanted_rank(call, param, 0)
    return TensorType(call.dtype("T"), least_rank(call, "input", 2))


# fmt: off
row("matrix_inverse", "input: T, adjoint: flag = false", square("input"), "matrix_inverse",
    f"The inverse of square matrices. {_BATCH}", f"matrix_inverse({_SQUARE})", batch=stacked(3), T=EXACT)
row("matrix_transpose", "a: T, conjugate: flag = false", flipped("a"), "matrix_transpose",
    "Rows and columns, the last two axes, swapped.", "matrix_transpose([[1, 2, 3], [4, 5, 6]])", batch=stacked(3),
    flops=no_flops)
row("adjoint", "matrix: T", flipped("matrix"), "linalg.adjoint",
    "Rows and columns, the last two axes, swapped, and complex numbers conjugated.",
    "adjoint([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])", batch=stacked(3), flops=no_flops)
row("matrix_determinant", "input: T", per_square("input"), "matrix_determinant",
    f"The determinant of square matrices. {_BATCH}", f"matrix_determinant({_SQUARE})", batch=stacked(3), T=EXACT)
row("slogdet", "input: T", per_square("input", outputs=2), "linalg.slogdet",
    f"The sign of the determinant, and the logarithm of its absolute value. {_BATCH}", f"slogdet({_SQUARE})",
    outputs="sign log_abs_determinant", batch=stacked(3),
    T=EXACT)
row("logdet", "matrix: T", per_square("matrix", real=True), "linalg.logdet",
    f"The logarithm of the determinant of positive definite matrices. {_BATCH}", f"logdet({_SQUARE})", batch=stacked(3),
    T=EXACT)
row("trace", "x: T", trace, "trace", f"The sum of the diagonal. {_BATCH}", f"trace({_SQUARE})", batch=stacked(3),
    T="number")
row("norm", "tensor: T, ord: static = \"euclidean\", axis: integers = none, keepdims: flag = false",
    norm,
    "norm", "The norm of all elements together, of vectors (one axis) or of matrices (two axes). `ord` is "
    "\"euclidean\", 1, 2, or any positive number.", "norm([3.0, 4.0])", batch=reduced("tensor"), T="inexact")
row("normalize", "tensor: T, ord: static = \"euclidean\", axis: integers = none", normalize,
    "linalg.normalize", "The elements divided by the norm over an axis, or over all; then the norm itself, which "
    "keeps its axes with size 1. `ord` is as for norm.", "normalize([[3.0, 4.0], [6.0, 8.0]], axis=1)",
    outputs="normalized norm", batch=reduced("tensor"), T="inexact")
row("cholesky", "input: T", square("input"), "cholesky",
    f"The lower triangle whose product with its adjoint is the (positive definite) matrix. {_BATCH}",
    f"cholesky({_SQUARE})", batch=stacked(3), lowered="special.cholesky", T=EXACT)
for _name, _what in (("sqrtm", "square root"), ("expm", "exponential")):
    row(_name, "input: T", square("input"), f"linalg.{_name}",
        f"The matrix {_what} of square matrices. {_BATCH}",
        f"{_name}({_SQUARE})", batch=stacked(3), T=EXACT)
row("logm", "input: T", square("input"), "linalg.logm",
    f"The matrix logarithm of square matrices. {_BATCH}",
    "logm(complex([[2.0, 1.0], [1.0, 3.0]], 0.0))",
    batch=stacked(3), lowered="special.logm", T="complex64 complex128")
row("qr", "input: T, full_matrices: flag = false", qr, "qr",
    f"An orthogonal matrix and an upper triangle, whose product is the matrix. {_BATCH}",
    "qr([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", outputs="q r", batch=stacked(3), T=EXACT)
row("svd", "tensor: T, full_matrices: flag = false, compute_uv: flag = true", svd, "svd",
    f"The singular values, then the left and the right singular vectors (unless not `compute_uv`). {_BATCH}",
    "svd([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", outputs="s u v", batch=stacked(3), T=EXACT)
row("self_adjoint_eig", "tensor: T", eigen, "self_adjoint_eig",
    f"The eigenvalues and eigenvectors of matrices that are their own adjoint. {_BATCH}",
    f"self_adjoint_eig({_SQUARE})", outputs="eigenvalues eigenvectors", batch=stacked(3), T=EXACT)
row("self_adjoint_eigvals", "tensor: T", eigenvalues, "self_adjoint_eigvals",
    f"The eigenvalues of matrices that are their own adjoint. {_BATCH}", f"self_adjoint_eigvals({_SQUARE})",
    batch=stacked(3),
    T=EXACT)
row("eig", "tensor: T", any_eigen, "compat.v2.linalg.eig",
    f"The eigenvalues and eigenvectors of square matrices, complex numbers. {_BATCH}", f"eig({_SQUARE})",
    outputs="eigenvalues eigenvectors", batch=stacked(3), T="float32 float64 complex64 complex128")
row("eigvals", "tensor: T", any_eigenvalues, "compat.v2.linalg.eigvals",
    f"The eigenvalues of square matrices, complex numbers. {_BATCH}", f"eigvals({_SQUARE})", batch=stacked(3),
    T="float32 float64 complex64 complex128")
row("lu", "input: T", lu, "linalg.lu",
    f"Both triangles of the decomposition in one matrix, and the permutation of the rows. {_BATCH}",
    f"lu({_SQUARE})", outputs="lower_upper permutation", batch=stacked(3), T=EXACT, no_gradient="*")
row("pinv", "a: T, rcond: T? = none", pinv, "linalg.pinv",
    f"The Moore-Penrose inverse: of [n, m] it is [m, n]. {_BATCH}",
    "pinv([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", batch=stacked(3),
    T="float16 float32 float64")
row("matrix_rank", "a: T, tol: T? = none", matrix_rank, "linalg.matrix_rank",
    f"How many singular values are above `tol`, int32. {_BATCH}", f"matrix_rank({_SQUARE})", batch=stacked(3),
    T="float16 float32 float64")
row("matrix_band_part", "input: T, num_lower: U, num_upper: U", band_part, "matrix_band_part",
    "The matrices with zeros away from the diagonal: the given diagonals below and above it stay, all for -1.",
    f"matrix_band_part({_SQUARE}, 0, -1)", batch=stacked(3), U="int32 int64", flops=no_flops)
# fmt: on


# --- Equations --------------------------------------------------------------------------------


def solve(matrix: str = "matrix", is_square: bool = True):
    """The unknowns of `matrix @ x = rhs`, with one row per column of the matrix."""

    def rule(call: OpCall) -> TensorType:
        left = square_shape(call, matrix) if is_square else least_rank(call, matrix, 2)
        right = least_rank(call, "rhs", 2)
        if left is None or right is None:
            if is_square:
                return TensorType(call.dtype("T"), right if left is None else (*left[:-1], None))
            return TensorType(call.dtype("T"), None)
        details = {"left": left[-2], "right": right[-2]}
        if len(left) != len(right):
            call.fail(RANK, matrix, "rhs", param="rhs", wanted=len(left), type=call["rhs"])
        batch = [same_size(call, a, b, matrix, "rhs") for a, b in zip(left[:-2], right[:-2])]
        rows = call.same(details["left"], details["right"], SIZES_DIFFER, matrix, "rhs")
        return TensorType(call.dtype("T"), (*batch, rows if is_square else left[-1], right[-1]))

    return rule


def least_squares(call: OpCall) -> TensorType:
    """Like `solve`. TensorFlow disables the regularizer for complex128, where it is inexact."""
    if call.dtype("T").name == "complex128" and call["l2_regularizer"]:
        call.option("l2_regularizer", 0.0)
    return solve(is_square=False)(call)


def cholesky_solve(call: OpCall) -> TensorType:
    return _solved(call, "chol")


def solve_broadcasting(call: OpCall) -> TensorType:
    """Like `solve`, with broadcasting of the axes before the matrices."""
    return _solved(call, "matrix")


def _solved(call: OpCall, matrix: str) -> TensorType:
    left, right = square_shape(call, matrix), least_rank(call, "rhs", 2)
    if left is None or right is None:
        return TensorType(call.dtype("T"), None)
    rows = same_size(call, left[-1], right[-2], matrix, "rhs")
    batch = broadcast_shapes(call, left[:-2], right[:-2], matrix, "rhs", a=call[matrix], b=call["rhs"])
    return TensorType(call.dtype("T"), None if batch is None else (*batch, rows, right[-1]))


# fmt: off
row("matrix_solve", "matrix: T, rhs: T, adjoint: flag = false", solve(), "matrix_solve",
    f"The x of matrix @ x = rhs: [n, n] and [n, m] is [n, m]. {_BATCH}",
    f"matrix_solve({_SQUARE}, [[1.0], [2.0]])", batch=whole, T=EXACT)
row("matrix_triangular_solve", "matrix: T, rhs: T, lower: flag = true, adjoint: flag = false",
    solve_broadcasting, "matrix_triangular_solve",
    "The x of matrix @ x = rhs for a triangle, the lower one by default: [n, n] and [n, m] is [n, m]. "
    f"{_BATCH}",
    "matrix_triangular_solve([[2.0, 0.0], [1.0, 3.0]], [[1.0], [2.0]])", batch=whole, T=EXACT + " bfloat16")
row("cholesky_solve", "chol: T, rhs: T", cholesky_solve, "cholesky_solve",
    f"The x of matrix @ x = rhs, given cholesky(matrix): [n, n] and [n, m] is [n, m]. {_BATCH}",
    f"cholesky_solve(cholesky({_SQUARE}), [[1.0], [2.0]])", batch=whole, T=EXACT + " bfloat16")
row("matrix_solve_ls", "matrix: T, rhs: T, l2_regularizer: number = 0.0, fast: flag = true",
    least_squares, "matrix_solve_ls",
    f"The x for which matrix @ x is closest to rhs: [n, k] and [n, m] is [k, m]. {_BATCH}",
    "matrix_solve_ls([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [[1.0], [2.0], [3.0]])", batch=whole, T=EXACT)
# fmt: on


# --- Diagonals --------------------------------------------------------------------------------


def doubled(call: OpCall) -> TensorType:
    """Repeat all axes, with the tensor on the diagonal."""
    shape = least_rank(call, "diagonal", 1)
    return TensorType(call.dtype("T"), None if shape is None else shape + shape)


def halved(call: OpCall) -> TensorType:
    """The diagonal of a tensor whose second half of axes equals the first."""
    shape = call["input"].shape
    if shape is None:
        return TensorType(call.dtype("T"), None)
    half, odd = divmod(len(shape), 2)
    if odd or not half:
        call.fail(RANK, "input", param="input", wanted="2, 4 or 6", type=call["input"])
    pairs = zip(shape, shape[half:])
    return TensorType(call.dtype("T"), tuple(same_size(call, a, b, "input") for a, b in pairs))


def matrix_diag(call: OpCall) -> TensorType:
    """The last axis becomes the `k`-th diagonal of a matrix of zeros."""
    shape = least_rank(call, "diagonal", 1)
    _diagonal(call, "diagonal")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    side = shape[-1] if call["k"] == 0 else None
    if call["k"] and number(call, shape[-1]) is not None:
        side = number(call, shape[-1]) + abs(call["k"])
    return TensorType(call.dtype("T"), (*shape[:-1], side, side))


def matrix_diag_part(call: OpCall) -> TensorType:
    """The `k`-th diagonal of each matrix: above the main one for a positive `k`."""
    shape, k = least_rank(call, "input", 2), call["k"]
    _diagonal(call, "input")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    rows, columns = number(call, shape[-2]), number(call, shape[-1])
    if (k > 0 and columns is not None and k >= columns) or (k < 0 and rows is not None and -k >= rows):
        call.fail(DIAGONAL, "input", k=k, type=call["input"])
    if k == 0:
        return TensorType(call.dtype("T"), (*shape[:-2], smaller(call, shape[-2], shape[-1])))
    size = None if rows is None or columns is None else min(rows + min(k, 0), columns - max(k, 0))
    return TensorType(call.dtype("T"), (*shape[:-2], size))


def _diagonal(call: OpCall, param: str) -> None:
    """Refuse a diagonal beyond the range of int32. TensorFlow would truncate `k`."""
    if not -(2**31) <= call["k"] < 2**31:
        call.fail(DIAGONAL, param, k=call["k"], type=call[param])


def set_diag(call: OpCall) -> TensorType:
    """The matrices with a different main diagonal."""
    shape, diagonal = least_rank(call, "input", 2), least_rank(call, "diagonal", 1)
    if shape is None or diagonal is None:
        known = shape is not None or diagonal is None
        return TensorType(call.dtype("T"), shape if known else (*(diagonal or ())[:-1], None, None))
    if len(diagonal) != len(shape) - 1:
        call.fail(RANK, "diagonal", param="diagonal", wanted=len(shape) - 1, type=call["diagonal"])
    wanted = (*shape[:-2], smaller(call, shape[-2], shape[-1]))
    for left, right in zip(diagonal, wanted):
        same_size(call, left, right, "diagonal", "input")
    return TensorType(call.dtype("T"), shape)


# fmt: off
row("diag", "diagonal: T", doubled, "diag",
    "The tensor on the diagonal of zeros: [n] becomes [n, n], and [n, m] becomes [n, m, n, m].",
    "diag([1.0, 2.0])", batch=whole,
    T="float int32 int64 complex64 complex128", flops=no_flops)
row("diag_part", "input: T", halved, "diag_part",
    "The diagonal: [n, n] becomes [n], [n, m, n, m] becomes [n, m].",
    f"diag_part({_SQUARE})", batch=whole, T="float int32 int64 complex64 complex128", flops=no_flops)
row("matrix_diag", "diagonal: T, k: integer = 0", matrix_diag, "matrix_diag",
    "Matrices of zeros with the last axis as their `k`-th diagonal.", "matrix_diag([[1.0, 2.0], [3.0, 4.0]])",
    batch=stacked(2),
    T="number bool", flops=no_flops)
row("matrix_diag_part", "input: T, k: integer = 0", matrix_diag_part, "matrix_diag_part",
    f"The `k`-th diagonal of the matrices: above the main one if `k` is positive. {_BATCH}",
    f"matrix_diag_part({_SQUARE}, k=1)", batch=stacked(3), T="number bool", flops=no_flops)
row("matrix_set_diag", "input: T, diagonal: T", set_diag, "matrix_set_diag",
    f"The matrices with a new main diagonal. {_BATCH}", f"matrix_set_diag({_SQUARE}, [7.0, 8.0])", batch=whole,
    flops=no_flops)
# fmt: on
