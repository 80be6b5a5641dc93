"""Rows of the op table: linear algebra and Fourier transforms."""

from . import shapes_linalg as linalg
from .row import table
from .shapes import like

ROWS, row = table("linear algebra")

EXACT = "float16 float32 float64 complex64 complex128"  # what TensorFlow's solvers take: no bfloat16
_SQUARE = "[[2.0, 1.0], [1.0, 3.0]]"
_BATCH = "Axes before the last two are a batch of matrices."

# --- Products ---------------------------------------------------------------------------------
row("matmul", "a: T, b: T, transpose_a: flag = false, transpose_b: flag = false, adjoint_a: flag = false, "
    "adjoint_b: flag = false", linalg.matmul, "matmul",
    f"The matrix product: [n, k] by [k, m] is [n, m]. {_BATCH}",
    "matmul([[1.0, 2.0], [3.0, 4.0]], [[5.0], [6.0]])",
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128")
row("matvec", "a: T, b: T, transpose_a: flag = false", linalg.matvec, "linalg.matvec",
    "A matrix by a vector: [n, k] by [k] is [n]. Axes before are a batch.",
    "matvec([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0])",
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128")
row("tensordot", "a: T, b: T, axes: static", linalg.tensordot, "tensordot",
    "Products summed over axes: so many last ones of `a` with the first ones of `b`, or the axes of `a` in a "
    "first list with those of `b` in a second. What is left are the other axes of `a`, then those of `b`.",
    "tensordot([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]], axes=[[1], [0]])",
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128")
row("einsum", "equation: text, inputs: [T]", linalg.einsum, "einsum",
    "Sums of products, as an equation that names the axes: \"ij,jk->ik\" is a matrix product.",
    "einsum(\"ij,jk->ik\", [[[1.0, 2.0]], [[3.0], [4.0]]])", special=True)
row("cross", "a: T, b: T", linalg.cross, "linalg.cross",
    "The cross product of the vectors of size 3 on the last axis.",
    "cross([1.0, 0.0, 0.0], [0.0, 1.0, 0.0])", T="real")
row("xw_plus_b", "x: T, weights: T, biases: T", linalg.affine, "nn.xw_plus_b",
    "x @ weights + biases: [n, k] by [k, m], and a vector of size m, is [n, m].",
    "xw_plus_b([[1.0, 2.0]], [[3.0], [4.0]], [5.0])",
    T="float int32 int64 uint8 uint16 uint32 uint64 complex64 complex128")
row("relu_layer", "x: T, weights: T, biases: T", linalg.affine, "nn.relu_layer",
    "max(x @ weights + biases, 0): [n, k] by [k, m], and a vector of size m, is [n, m].",
    "relu_layer([[1.0, 2.0]], [[3.0], [4.0]], [5.0])", T="float int32 int64 uint8 uint16 uint32 uint64")

# --- One matrix -------------------------------------------------------------------------------
row("matrix_inverse", "input: T, adjoint: flag = false", linalg.square("input"), "matrix_inverse",
    f"The inverse of square matrices. {_BATCH}", f"matrix_inverse({_SQUARE})", T=EXACT)
row("matrix_transpose", "a: T, conjugate: flag = false", linalg.flipped("a"), "matrix_transpose",
    "Rows and columns, the last two axes, swapped.", "matrix_transpose([[1, 2, 3], [4, 5, 6]])")
row("adjoint", "matrix: T", linalg.flipped("matrix"), "linalg.adjoint",
    "Rows and columns, the last two axes, swapped, and complex numbers conjugated.",
    "adjoint([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])")
row("matrix_determinant", "input: T", linalg.per_square("input"), "matrix_determinant",
    f"The determinant of square matrices. {_BATCH}", f"matrix_determinant({_SQUARE})", T=EXACT)
row("slogdet", "input: T", linalg.per_square("input", outputs=2), "linalg.slogdet",
    f"The sign of the determinant, and the logarithm of its absolute value. {_BATCH}", f"slogdet({_SQUARE})",
    T=EXACT)
row("logdet", "matrix: T", linalg.per_square("matrix", real=True), "linalg.logdet",
    f"The logarithm of the determinant of positive definite matrices. {_BATCH}", f"logdet({_SQUARE})",
    T=EXACT)
row("trace", "x: T", linalg.trace, "trace", f"The sum of the diagonal. {_BATCH}", f"trace({_SQUARE})",
    T="number")
row("norm", "tensor: T, ord: static = \"euclidean\", axis: integers = none, keepdims: flag = false",
    linalg.norm,
    "norm", "The norm of all elements together, of vectors (one axis) or of matrices (two axes). `ord` is "
    "\"euclidean\", 1, 2, or any positive number.", "norm([3.0, 4.0])", T="inexact")
row("normalize", "tensor: T, ord: static = \"euclidean\", axis: integers = none", linalg.normalize,
    "linalg.normalize", "The elements divided by the norm over an axis, or over all; then the norm itself, which "
    "keeps its axes with size 1. `ord` is as for norm.", "normalize([[3.0, 4.0], [6.0, 8.0]], axis=1)",
    T="inexact")
row("cholesky", "input: T", linalg.square("input"), "cholesky",
    f"The lower triangle whose product with its adjoint is the (positive definite) matrix. {_BATCH}",
    f"cholesky({_SQUARE})", special=True, T=EXACT)
for _name, _what in (("sqrtm", "square root"), ("expm", "exponential")):
    row(_name, "input: T", linalg.square("input"), f"linalg.{_name}",
        f"The matrix {_what} of square matrices. {_BATCH}",
        f"{_name}({_SQUARE})", T=EXACT)
row("logm", "input: T", linalg.square("input"), "linalg.logm",
    f"The matrix logarithm of square matrices. {_BATCH}",
    "logm(complex([[2.0, 1.0], [1.0, 3.0]], 0.0))", special=True, T="complex64 complex128")
row("qr", "input: T, full_matrices: flag = false", linalg.qr, "qr",
    f"An orthogonal matrix and an upper triangle, whose product is the matrix. {_BATCH}",
    "qr([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", T=EXACT)
row("svd", "tensor: T, full_matrices: flag = false, compute_uv: flag = true", linalg.svd, "svd",
    f"The singular values, then the left and the right singular vectors (unless not `compute_uv`). {_BATCH}",
    "svd([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", T=EXACT)
row("self_adjoint_eig", "tensor: T", linalg.eigen, "self_adjoint_eig",
    f"The eigenvalues and eigenvectors of matrices that are their own adjoint. {_BATCH}",
    f"self_adjoint_eig({_SQUARE})", T=EXACT)
row("self_adjoint_eigvals", "tensor: T", linalg.eigenvalues, "self_adjoint_eigvals",
    f"The eigenvalues of matrices that are their own adjoint. {_BATCH}", f"self_adjoint_eigvals({_SQUARE})",
    T=EXACT)
row("eig", "tensor: T", linalg.any_eigen, "compat.v2.linalg.eig",
    f"The eigenvalues and eigenvectors of square matrices, complex numbers. {_BATCH}", f"eig({_SQUARE})",
    T="float32 float64 complex64 complex128")
row("eigvals", "tensor: T", linalg.any_eigenvalues, "compat.v2.linalg.eigvals",
    f"The eigenvalues of square matrices, complex numbers. {_BATCH}", f"eigvals({_SQUARE})",
    T="float32 float64 complex64 complex128")
row("lu", "input: T", linalg.lu, "linalg.lu",
    f"Both triangles of the decomposition in one matrix, and the permutation of the rows. {_BATCH}",
    f"lu({_SQUARE})", T=EXACT, no_gradient="*")
row("pinv", "a: T, rcond: T? = none", linalg.pinv, "linalg.pinv",
    f"The Moore-Penrose inverse: of [n, m] it is [m, n]. {_BATCH}",
    "pinv([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])",
    T="float16 float32 float64")
row("matrix_rank", "a: T, tol: T? = none", linalg.matrix_rank, "linalg.matrix_rank",
    f"How many singular values are above `tol`, int32. {_BATCH}", f"matrix_rank({_SQUARE})",
    T="float16 float32 float64")
row("matrix_band_part", "input: T, num_lower: U, num_upper: U", linalg.band_part, "matrix_band_part",
    "The matrices with zeros away from the diagonal: so many diagonals below and above it stay, all for -1.",
    f"matrix_band_part({_SQUARE}, 0, -1)", U="int32 int64")

# --- Equations --------------------------------------------------------------------------------
row("matrix_solve", "matrix: T, rhs: T, adjoint: flag = false", linalg.solve(), "matrix_solve",
    f"The x of matrix @ x = rhs: [n, n] and [n, m] is [n, m]. {_BATCH}",
    f"matrix_solve({_SQUARE}, [[1.0], [2.0]])", T=EXACT)
row("matrix_triangular_solve", "matrix: T, rhs: T, lower: flag = true, adjoint: flag = false",
    linalg.solve_broadcasting, "matrix_triangular_solve",
    "The x of matrix @ x = rhs for a triangle, the lower one unless told: [n, n] and [n, m] is [n, m]. "
    f"{_BATCH}",
    "matrix_triangular_solve([[2.0, 0.0], [1.0, 3.0]], [[1.0], [2.0]])", T=EXACT + " bfloat16")
row("cholesky_solve", "chol: T, rhs: T", linalg.cholesky_solve, "cholesky_solve",
    f"The x of matrix @ x = rhs, given cholesky(matrix): [n, n] and [n, m] is [n, m]. {_BATCH}",
    f"cholesky_solve(cholesky({_SQUARE}), [[1.0], [2.0]])", T=EXACT + " bfloat16")
row("matrix_solve_ls", "matrix: T, rhs: T, l2_regularizer: number = 0.0, fast: flag = true",
    linalg.least_squares, "matrix_solve_ls",
    f"The x for which matrix @ x is nearest to rhs: [n, k] and [n, m] is [k, m]. {_BATCH}",
    "matrix_solve_ls([[1.0, 0.0], [1.0, 1.0], [1.0, 2.0]], [[1.0], [2.0], [3.0]])", T=EXACT)

# --- Diagonals --------------------------------------------------------------------------------
row("diag", "diagonal: T", linalg.doubled, "diag",
    "The tensor on the diagonal of zeros: [n] becomes [n, n], and [n, m] becomes [n, m, n, m].",
    "diag([1.0, 2.0])",
    T="float int32 int64 complex64 complex128")
row("diag_part", "input: T", linalg.halved, "diag_part",
    "The diagonal: [n, n] becomes [n], [n, m, n, m] becomes [n, m].",
    f"diag_part({_SQUARE})", T="float int32 int64 complex64 complex128")
row("matrix_diag", "diagonal: T, k: integer = 0", linalg.matrix_diag, "matrix_diag",
    "Matrices of zeros with the last axis as their `k`-th diagonal.", "matrix_diag([[1.0, 2.0], [3.0, 4.0]])",
    T="number bool")
row("matrix_diag_part", "input: T, k: integer = 0", linalg.matrix_diag_part, "matrix_diag_part",
    f"The `k`-th diagonal of the matrices: above the main one where `k` is positive. {_BATCH}",
    f"matrix_diag_part({_SQUARE}, k=1)", T="number bool")
row("matrix_set_diag", "input: T, diagonal: T", linalg.set_diag, "matrix_set_diag",
    f"The matrices with another main diagonal. {_BATCH}", f"matrix_set_diag({_SQUARE}, [7.0, 8.0])")

# --- Fourier transforms -----------------------------------------------------------------------
for _name, _axes in (("fft", 1), ("ifft", 1), ("fft2d", 2), ("ifft2d", 2), ("fft3d", 3), ("ifft3d", 3)):
    _what = "inverse Fourier transform" if _name.startswith("i") else "Fourier transform"
    _open, _close = "[" * (_axes - 1), "]" * (_axes - 1)
    row(_name, "input: T", like("input", _axes), f"signal.{_name}",
        f"The {_what} over the last axis of complex numbers." if _axes == 1
        else f"The {_what} over the last {_axes} axes of complex numbers.",
        f"{_name}(complex({_open}[1.0, 2.0, 3.0]{_close}, 0.0))", T="complex64 complex128")
row("rfft", "input_tensor: T, fft_length: shape? = none", linalg.rfft, "signal.rfft",
    "The Fourier transform of real numbers over the last axis: n of them give n // 2 + 1 complex ones.",
    "rfft([1.0, 2.0, 3.0, 4.0])", special=True, T="float32 float64")
row("irfft", "input_tensor: T, fft_length: shape? = none", linalg.irfft, "signal.irfft",
    "Real numbers from half of their Fourier transform: n of it give 2 * (n - 1) unless `fft_length` says "
    "more.",
    "irfft(complex([1.0, 2.0, 3.0], 0.0))", special=True, T="complex64 complex128")
row("dct", "input: T, type: integer = 2, n: integer = none, norm: text = none", linalg.dct, "signal.dct",
    "The discrete cosine transform of a type from 1 to 4 over the last axis.", "dct([1.0, 2.0, 3.0, 4.0])",
    special=True, T="float32 float64", norm=("ortho",), n=1)
