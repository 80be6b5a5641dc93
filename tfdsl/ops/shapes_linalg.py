"""Shape rules of linear algebra and of Fourier transforms. The last two axes are the matrices."""

from math import inf

from ..diagnostics import (
    AXES_TWICE,
    DIAGONAL,
    EQUATION,
    LENGTH,
    MATMUL_SIZES,
    NEGATIVE,
    NO_NUMBERS,
    NOT_SQUARE,
    ONE_OF,
    OPTION,
    RANK,
    SIZES_DIFFER,
)
from ..types import INT32, Dim, Shape, TensorType
from .op import Call
from .shapes import (
    axis_in,
    broadcast_shapes,
    clear_rank,
    complex_of,
    doubt_pairs,
    least_rank,
    listed,
    merge,
    number,
    option,
    product,
    real_of,
    reduced_shape,
    same_size,
    wanted_rank,
    without,
)

# --- Products ---------------------------------------------------------------------------------


def _sides(call: Call, param: str, swapped: bool) -> tuple[Dim, Dim]:
    """Rows and columns of a matrix, after its transposition where told."""
    rows, columns = call[param].shape[-2:]
    return (columns, rows) if swapped else (rows, columns)


def matmul(call: Call) -> TensorType:
    """Rows of the first by columns of the second; the axes before broadcast."""
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
    return TensorType(call.dtype("T"), (*batch, rows, columns))


def matvec(call: Call) -> TensorType:
    """A matrix by a vector; the axes before broadcast."""
    a, b = least_rank(call, "a", 2), least_rank(call, "b", 1)
    if a is None or b is None:
        return TensorType(call.dtype("T"), None)
    rows, left = _sides(call, "a", call["transpose_a"])
    call.same(left, b[-1], MATMUL_SIZES, "a", "b", a=call["a"], b=call["b"])
    doubt_pairs(call, "a", "b", a[:-2], b[:-1])
    batch = broadcast_shapes(call, a[:-2], b[:-1], "a", "b", a=call["a"], b=call["b"])
    return TensorType(call.dtype("T"), (*batch, rows))


def affine(call: Call) -> TensorType:
    """`x @ weights + biases`."""
    rows, left = wanted_rank(call, "x", 2)
    right, columns = wanted_rank(call, "weights", 2)
    call.same(left, right, MATMUL_SIZES, "x", "weights", a=call["x"], b=call["weights"])
    columns = same_size(call, columns, wanted_rank(call, "biases", 1)[0], "weights", "biases")
    is_open = None in (call["x"].shape, call["weights"].shape)  # TensorFlow's function multiplies batches, too
    return TensorType(call.dtype("T"), None if is_open else (rows, columns))


def _are_axes(axes: object) -> bool:
    if isinstance(axes, (list, tuple)):
        return len(axes) == 2 and all(type(axis) is int for side in axes for axis in listed(side))
    return type(axes) is int and axes >= 0


def tensordot(call: Call) -> TensorType:
    """The axes that are not summed over, first those of `a`, then those of `b`."""
    a, b, axes = call["a"].shape, call["b"].shape, call["axes"]
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


def einsum(call: Call) -> TensorType:
    """The axes that the equation names, one letter an axis."""
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


def cross(call: Call) -> TensorType:
    shape = merge(call, call["a"].shape, call["b"].shape, "a", "b")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    least_rank(call, "a", 1)
    least_rank(call, "b", 1)
    return TensorType(call.dtype("T"), (*shape[:-1], same_size(call, shape[-1], 3, "a", "b")))


# --- One matrix -------------------------------------------------------------------------------


def _square(call: Call, param: str) -> Shape:
    """The shape of square matrices: both sizes are the better known of the two."""
    shape = least_rank(call, param, 2)
    if shape is None:
        return None
    side = call.same(shape[-2], shape[-1], NOT_SQUARE, param, param=param, type=call[param])
    return (*shape[:-2], side, side)


def square(param: str):
    """Square matrices in, matrices of the same shape out."""

    def rule(call: Call) -> TensorType:
        return TensorType(call.dtype("T"), _square(call, param))

    return rule


def per_square(param: str, outputs: int = 1, real: bool = False):
    """One number, or several, for each square matrix."""

    def rule(call: Call) -> TensorType | tuple[TensorType, ...]:
        shape = _square(call, param)
        dtype = real_of(call.dtype("T")) if real else call.dtype("T")
        result = TensorType(dtype, None if shape is None else shape[:-2])
        return result if outputs == 1 else (result,) * outputs

    return rule


def flipped(param: str):
    """The last two axes swapped."""

    def rule(call: Call) -> TensorType:
        shape = least_rank(call, param, 2)
        return TensorType(call.dtype("T"), None if shape is None else (*shape[:-2], shape[-1], shape[-2]))

    return rule


def pinv(call: Call) -> TensorType:
    """The inverse of each matrix; `rcond`, one for each of them, broadcasts with the axes before."""
    type = flipped("a")(call)
    if call["rcond"] is None or call["rcond"].shape == () or type.shape is None:
        return type
    if len(call["rcond"].shape or ()) > len(type.shape) - 2:
        call.fail(RANK, "rcond", param="rcond", wanted=f"at most {len(type.shape) - 2}", type=call["rcond"])
    details = {"a": call["a"], "b": call["rcond"]}
    batch = broadcast_shapes(call, type.shape[:-2], call["rcond"].shape, "a", "rcond", **details)
    return TensorType(type.dtype, None if batch is None else (*batch, *type.shape[-2:]))


def trace(call: Call) -> TensorType:
    shape = least_rank(call, "x", 2)
    return TensorType(call.dtype("T"), None if shape is None else shape[:-2])


def matrix_rank(call: Call) -> TensorType:
    """One number for each matrix; `tol` broadcasts to their singular values."""
    shape = least_rank(call, "a", 2)
    if shape is None:
        return TensorType(INT32, None)
    values = (*shape[:-2], smaller(call, shape[-2], shape[-1]))
    if call["tol"] is not None:
        values = broadcast_shapes(call, values, call["tol"].shape, "a", "tol", a=call["a"], b=call["tol"])
    return TensorType(INT32, None if values is None else values[:-1])


def norm(call: Call) -> TensorType:
    """A reduction of all elements, of vectors (one axis) or of matrices (two axes). TensorFlow keeps the dtype of
    complex numbers where it takes the root of a sum of squares."""
    _norm_axes(call)
    is_root = call["ord"] in ("euclidean", "fro") or (call["ord"] == 2 and not isinstance(call["axis"], (list, tuple)))
    shape = reduced_shape(call, "tensor", call["axis"], call["keepdims"])
    return TensorType(call.dtype("T") if is_root else real_of(call.dtype("T")), shape)


_VECTOR_NORMS = '"euclidean" or a number above 0'
_MATRIX_NORMS = '"euclidean" or "fro" or 1 or 2'


def _norm_axes(call: Call) -> None:
    """No axis, a number, or a list of two that differ; and a norm that there is of vectors, or of matrices."""
    axes, which = call["axis"], call["ord"]
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


def smaller(call: Call, a: Dim, b: Dim) -> Dim:
    """The smaller of two sizes, where it is known."""
    if a == b:
        return a
    a, b = number(call, a), number(call, b)
    if a == 0 or b == 0:
        return 0
    return None if a is None or b is None else min(a, b)


def qr(call: Call) -> tuple[TensorType, TensorType]:
    shape = least_rank(call, "input", 2)
    if shape is None:
        return (TensorType(call.dtype("T"), None),) * 2
    *batch, rows, columns = shape
    inner = rows if call["full_matrices"] else smaller(call, rows, columns)
    return (TensorType(call.dtype("T"), (*batch, rows, inner)), TensorType(call.dtype("T"), (*batch, inner, columns)))


def svd(call: Call) -> object:
    """Singular values, then (unless told not to) the left and right vectors."""
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


def eigen(call: Call) -> tuple[TensorType, TensorType]:
    """Eigenvalues and eigenvectors of matrices that are their own adjoint."""
    shape = _square(call, "tensor")
    values = TensorType(call.dtype("T"), None if shape is None else shape[:-1])
    return values, TensorType(call.dtype("T"), shape)


def eigenvalues(call: Call) -> TensorType:
    return eigen(call)[0]


def any_eigen(call: Call) -> tuple[TensorType, TensorType]:
    """Eigenvalues and eigenvectors of square matrices, which are complex."""
    values, vectors = eigen(call)
    dtype = complex_of(call.dtype("T"))
    return TensorType(dtype, values.shape), TensorType(dtype, vectors.shape)


def any_eigenvalues(call: Call) -> TensorType:
    return any_eigen(call)[0]


def normalize(call: Call) -> tuple[TensorType, TensorType]:
    """The tensor, and its norm with the axes kept."""
    _norm_axes(call)
    return call["tensor"], TensorType(call.dtype("T"), reduced_shape(call, "tensor", call["axis"], True))


def lu(call: Call) -> tuple[TensorType, TensorType]:
    """Both triangles in one matrix, and the permutation of its rows."""
    shape = _square(call, "input")
    return TensorType(call.dtype("T"), shape), TensorType(INT32, None if shape is None else shape[:-1])


def band_part(call: Call) -> TensorType:
    """The matrices, with scalars for the diagonals that stay."""
    for param in ("num_lower", "num_upper"):
        wanted_rank(call, param, 0)
    return TensorType(call.dtype("T"), least_rank(call, "input", 2))


# --- Equations --------------------------------------------------------------------------------


def solve(matrix: str = "matrix", is_square: bool = True):
    """The unknowns of `matrix @ x = rhs`: as many rows as the matrix has columns."""

    def rule(call: Call) -> TensorType:
        left = _square(call, matrix) if is_square else least_rank(call, matrix, 2)
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


def least_squares(call: Call) -> TensorType:
    """As `solve`; TensorFlow has switched the regularizer off for complex128, where it is not exact."""
    if call.dtype("T").name == "complex128" and call["l2_regularizer"]:
        call.option("l2_regularizer", 0.0)
    return solve(is_square=False)(call)


def cholesky_solve(call: Call) -> TensorType:
    return _solved(call, "chol")


def solve_broadcasting(call: Call) -> TensorType:
    """As `solve`, where the axes before the matrices broadcast."""
    return _solved(call, "matrix")


def _solved(call: Call, matrix: str) -> TensorType:
    left, right = _square(call, matrix), least_rank(call, "rhs", 2)
    if left is None or right is None:
        return TensorType(call.dtype("T"), None)
    rows = same_size(call, left[-1], right[-2], matrix, "rhs")
    batch = broadcast_shapes(call, left[:-2], right[:-2], matrix, "rhs", a=call[matrix], b=call["rhs"])
    return TensorType(call.dtype("T"), (*batch, rows, right[-1]))


# --- Diagonals --------------------------------------------------------------------------------


def doubled(call: Call) -> TensorType:
    """All axes a second time, with the tensor on the diagonal."""
    shape = least_rank(call, "diagonal", 1)
    return TensorType(call.dtype("T"), None if shape is None else shape + shape)


def halved(call: Call) -> TensorType:
    """The diagonal of a tensor whose second half of axes is like the first."""
    shape = call["input"].shape
    if shape is None:
        return TensorType(call.dtype("T"), None)
    half, odd = divmod(len(shape), 2)
    if odd or not half:
        call.fail(RANK, "input", param="input", wanted="2, 4 or 6", type=call["input"])
    pairs = zip(shape, shape[half:])
    return TensorType(call.dtype("T"), tuple(same_size(call, a, b, "input") for a, b in pairs))


def matrix_diag(call: Call) -> TensorType:
    """The last axis becomes the `k`-th diagonal of a matrix of zeros."""
    shape = least_rank(call, "diagonal", 1)
    _diagonal(call, "diagonal")
    if shape is None:
        return TensorType(call.dtype("T"), None)
    side = shape[-1] if call["k"] == 0 else None
    if call["k"] and number(call, shape[-1]) is not None:
        side = number(call, shape[-1]) + abs(call["k"])
    return TensorType(call.dtype("T"), (*shape[:-1], side, side))


def matrix_diag_part(call: Call) -> TensorType:
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


def _diagonal(call: Call, param: str) -> None:
    """No matrix has a diagonal beyond the numbers of int32, to which TensorFlow cuts `k` down."""
    if not -(2**31) <= call["k"] < 2**31:
        call.fail(DIAGONAL, param, k=call["k"], type=call[param])


def set_diag(call: Call) -> TensorType:
    """The matrices with another main diagonal."""
    shape, diagonal = least_rank(call, "input", 2), least_rank(call, "diagonal", 1)
    if shape is None or diagonal is None:
        known = shape is not None or diagonal is None
        return TensorType(call.dtype("T"), shape if known else (*diagonal[:-1], None, None))
    if len(diagonal) != len(shape) - 1:
        call.fail(RANK, "diagonal", param="diagonal", wanted=len(shape) - 1, type=call["diagonal"])
    wanted = (*shape[:-2], smaller(call, shape[-2], shape[-1]))
    for left, right in zip(diagonal, wanted):
        same_size(call, left, right, "diagonal", "input")
    return TensorType(call.dtype("T"), shape)


# --- Fourier transforms -----------------------------------------------------------------------


def rfft(call: Call) -> TensorType:
    """Half of the frequencies, and one, as complex numbers."""
    shape = least_rank(call, "input_tensor", 1)
    n = _length(call, None if shape is None else number(call, shape[-1]))
    last = number(call, shape[-1]) if shape else None
    if shape and ((n == 0 and last) or (last == 0 and n)) and product(call, shape[:-1]):
        call.fail(NO_NUMBERS, "input_tensor", type=call["input_tensor"])
    last = None if n is None else n // 2 + 1 if n else 0
    return TensorType(complex_of(call.dtype("T")), None if shape is None else (*shape[:-1], last))


def irfft(call: Call) -> TensorType:
    """Real numbers from half of the frequencies, and one."""
    shape = least_rank(call, "input_tensor", 1)
    if shape is None and call["fft_length"] is None:
        clear_rank(call, "input_tensor")
    size = None if shape is None else number(call, shape[-1])
    last = _length(call, None if size is None else max(0, 2 * (size - 1)))
    is_none = (last == 0 and size not in (0, None)) or (size == 0 and last)
    if is_none and 0 not in (number(call, dim) for dim in shape[:-1] if dim is not None):
        call.fail(NO_NUMBERS, "input_tensor", type=call["input_tensor"])
    return TensorType(real_of(call.dtype("T")), None if shape is None else (*shape[:-1], last))


def _length(call: Call, default: int | None) -> int | None:
    if call["fft_length"] is None:
        return default
    given = call.shape("fft_length")
    if given is not None and len(given) != 1:
        call.fail(LENGTH, "fft_length", param="fft_length", wanted=1, count=len(given))
    if given and (number(call, given[0]) or 0) < 0:
        call.fail(NEGATIVE, "fft_length", param="fft_length", value=given[0], least=0)
    return given[0] if given else None


def dct(call: Call) -> TensorType:
    """The last axis, cut or filled up to `n` where that is given."""
    option(call, "type", 1, 2, 3, 4)
    shape = least_rank(call, "input", 1)
    if call["type"] == 1 and call["norm"] is not None:
        call.option("norm", None)
    if call["type"] == 1 and shape and number(call, shape[-1]) in (0, 1):
        call.fail(NEGATIVE, "input", param="the last axis", value=number(call, shape[-1]), least=2)
    if call["n"] is not None:
        shape = clear_rank(call, "input")
        shape = (*shape[:-1], call["n"])
    is_empty = bool(shape) and number(call, shape[-1]) == 0
    if is_empty and (call["norm"] is not None or (call["type"] == 3 and product(call, shape[:-1]))):
        call.fail(NO_NUMBERS, "input", type=call["input"])
    return TensorType(call.dtype("T"), shape)
