"""Rows of the op table: arithmetic, comparisons and functions, element by element."""

from ..types import BOOL
from . import shapes
from .row import table
from .shapes import binary, compare, elementwise, like, like_in, real_like

ROWS, row = table("math")

SIGNED = "float int8 int16 int32 int64"

# name, TensorFlow symbol, what one element becomes, an example's arguments, dtypes
_UNARY = (
    ("negative", "negative", "-x", "[1.0, -2.0]", SIGNED + " complex64 complex128"),
    ("square", "square", "x times x", "[2.0, 3.0]", "number"),
    ("sqrt", "sqrt", "its square root", "[4.0, 9.0]", "inexact"),
    ("rsqrt", "math.rsqrt", "one divided by its square root", "[4.0, 16.0]", "inexact"),
    ("exp", "exp", "e to the power of it", "[0.0, 1.0]", "inexact"),
    ("expm1", "math.expm1", "e to the power of it, less one, exact near 0", "[0.0, 1.0]", "inexact"),
    ("log", "log", "its natural logarithm", "[1.0, 2.0]", "inexact"),
    ("log1p", "math.log1p", "the natural logarithm of one more, exact near 0", "[0.0, 1.0]", "inexact"),
    ("sin", "sin", "its sine, of radians", "[0.0, 1.0]", "inexact"),
    ("cos", "cos", "its cosine, of radians", "[0.0, 1.0]", "inexact"),
    ("tan", "tan", "its tangent, of radians", "[0.0, 1.0]", "inexact"),
    ("asin", "asin", "the angle in radians whose sine it is", "[0.0, 1.0]", "inexact"),
    ("acos", "acos", "the angle in radians whose cosine it is", "[0.0, 1.0]", "inexact"),
    ("atan", "atan", "the angle in radians whose tangent it is", "[0.0, 1.0]", "inexact"),
    ("sinh", "sinh", "its hyperbolic sine", "[0.0, 1.0]", "inexact"),
    ("cosh", "cosh", "its hyperbolic cosine", "[0.0, 1.0]", "inexact"),
    ("tanh", "tanh", "its hyperbolic tangent, between -1 and 1", "[0.0, 1.0]", "inexact"),
    ("asinh", "asinh", "the number whose hyperbolic sine it is", "[0.0, 1.0]", "inexact"),
    ("acosh", "acosh", "the number whose hyperbolic cosine it is", "[1.0, 2.0]", "inexact"),
    ("atanh", "atanh", "the number whose hyperbolic tangent it is", "[0.0, 0.5]", "inexact"),
    ("sigmoid", "sigmoid", "1 / (1 + exp(-x)), between 0 and 1", "[0.0, 2.0]", "inexact"),
    ("log_sigmoid", "math.log_sigmoid", "the logarithm of its sigmoid", "[0.0, 2.0]", "float"),
    ("sign", "sign", "-1, 0 or 1, by its sign", "[-2.0, 0.0]", SIGNED + " complex64 complex128"),
    ("reciprocal", "math.reciprocal", "one divided by it", "[2.0, 4.0]", SIGNED + " complex64 complex128"),
    ("reciprocal_no_nan", "math.reciprocal_no_nan", "one divided by it, 0 for 0", "[2.0, 0.0]", "inexact"),
    ("erf", "erf", "the error function of it", "[0.0, 1.0]", "float"),
    ("erfc", "erfc", "one less the error function of it", "[0.0, 1.0]", "float"),
    ("erfinv", "math.erfinv", "the number whose error function it is", "[0.0, 0.5]", "float"),
    ("erfcinv", "math.erfcinv", "the number whose erfc it is", "[0.5, 1.0]", "float"),
    ("ndtri", "math.ndtri", "the number below which a standard normal falls with this chance", "[0.5, 0.9]",
        "float"),
    ("lgamma", "lgamma", "the logarithm of the absolute gamma function of it", "[1.0, 4.0]", "float"),
    ("digamma", "digamma", "the derivative of lgamma at it", "[1.0, 4.0]", "float"),
    ("bessel_i0", "math.bessel_i0", "the modified Bessel function of order 0", "[0.0, 1.0]", "float"),
    ("bessel_i0e", "math.bessel_i0e", "bessel_i0 of it times exp(-abs(x))", "[0.0, 1.0]", "float"),
    ("bessel_i1", "math.bessel_i1", "the modified Bessel function of order 1", "[0.0, 1.0]", "float"),
    ("bessel_i1e", "math.bessel_i1e", "bessel_i1 of it times exp(-abs(x))", "[0.0, 1.0]", "float"),
    ("dawsn", "math.special.dawsn", "Dawson's integral of it", "[0.0, 1.0]", "float"),
    ("expint", "math.special.expint", "the exponential integral of it", "[1.0, 2.0]", "float"),
    ("spence", "math.special.spence", "Spence's integral of it", "[1.0, 2.0]", "float"),
)
for _name, _tf, _what, _arguments, _dtypes in _UNARY:
    row(_name, "x: T", like("x"), _tf, f"Each element becomes {_what}.", f"{_name}({_arguments})",
        applies="sigmoid" if _name == "sigmoid" else "", T=_dtypes)
for _name, _what, _arguments, _dtypes in (
    ("floor", "the largest whole number that is not above it", "[1.5, -1.5]", "float"),
    ("ceil", "the smallest whole number that is not below it", "[1.5, -1.5]", "float"),
    ("round", "the nearest whole number, the even one of two", "[1.5, 2.5]", "number"),
    ("rint", "the nearest whole number, the even one of two", "[1.5, 2.5]", "float"),
):
    row(_name, "x: T", like("x"), _name, f"Each element becomes {_what}.", f"{_name}({_arguments})",
        no_gradient="*", T=_dtypes)

row("abs", "x: T", real_like("x"), "abs",
    "The size of each element without its sign; of a complex number its distance from 0, a real number.",
    "abs([-1.5, 2.0])", T=SIGNED + " complex64 complex128")

_BROADCASTS = "Shapes broadcast: a size of 1 stretches to the other's."
# name, TensorFlow symbol, what the result is, an example's arguments, dtypes
_BINARY = (
    ("add", "add", "x + y; strings are joined", "[1.0, 2.0], [10.0, 20.0]", "number string"),
    ("subtract", "subtract", "x - y", "[1.0, 2.0], 1.0", "number"),
    ("multiply", "multiply", "x * y", "[[1.0], [2.0]], [3.0, 4.0]", "number"),
    ("floormod", "floormod", "what is left of x after floordiv, with the sign of y", "[7, -7], 3", "real"),
    ("mod", "mod", "what is left of x after floordiv, with the sign of y", "[7, -7], 3", "real"),
    ("realdiv", "realdiv", "x / y", "[1.0, 2.0], 4.0", "number"),
    ("divide_no_nan", "math.divide_no_nan", "x / y, but 0 where y is 0", "[1.0, 2.0], [4.0, 0.0]", "inexact"),
    ("multiply_no_nan", "math.multiply_no_nan", "x * y, but 0 where y is 0, whatever x is",
        "[1.0, 2.0], [4.0, 0.0]",
     "inexact"),
    ("maximum", "maximum", "the larger of x and y", "[1.0, -2.0], 0.0", "real"),
    ("minimum", "minimum", "the smaller of x and y", "[1.0, -2.0], 0.0", "real"),
    ("squared_difference", "squared_difference", "(x - y) * (x - y)", "[1.0, 2.0], [3.0, 5.0]",
     "float int32 int64 complex64 complex128"),
    ("xlogy", "math.xlogy", "x * log(y), but 0 where x is 0", "[0.0, 2.0], [0.0, 3.0]", "inexact"),
    ("xlog1py", "math.xlog1py", "x * log1p(y), but 0 where x is 0", "[0.0, 2.0], [0.0, 3.0]", "inexact"),
    ("xdivy", "math.xdivy", "x / y, but 0 where x is 0", "[0.0, 2.0], [0.0, 4.0]", "inexact"),
    ("bitwise_and", "bitwise.bitwise_and", "the bits that both have", "[6, 5], [3, 1]", "int"),
    ("bitwise_or", "bitwise.bitwise_or", "the bits that either has", "[6, 5], [3, 1]", "int"),
    ("bitwise_xor", "bitwise.bitwise_xor", "the bits that only one has", "[6, 5], [3, 1]", "int"),
    ("left_shift", "bitwise.left_shift", "the bits of x moved up by y places", "[1, 5], [3, 1]", "int"),
    ("right_shift", "bitwise.right_shift", "the bits of x moved down by y places", "[8, 5], [3, 1]", "int"),
)
for _name, _tf, _what, _arguments, _dtypes in _BINARY:
    row(_name, "x: T, y: T", binary, _tf, f"Element by element {_what}. {_BROADCASTS}",
        f"{_name}({_arguments})",
        compares=_name in ("subtract", "squared_difference"), T=_dtypes)

for _name, _what, _second, _dtypes in (
    ("floordiv", "x / y rounded down", 2, "number"), ("truncatediv", "x / y rounded towards 0", 2, "number"),
    ("truncatemod", "what is left of x after truncatediv, with the sign of x", 3, "int32 int64 float"),
):
    row(_name, "x: T, y: T", binary, _name, f"Element by element {_what}. {_BROADCASTS}",
        f"{_name}([7, -7], {_second})", no_gradient="*", T=_dtypes)
row("pow", "x: T, y: T", shapes.power, "pow", f"Element by element x to the power of y. {_BROADCASTS}",
    "pow([2.0, 3.0], 2.0)",
    T="bfloat16 float32 float16 float64 int8 int16 int32 int64 complex64 complex128")
for _name in ("truediv", "divide"):
    row(_name, "x: T, y: T", shapes.true_divide, _name,
        f"Element by element x / y; integers become floats, float64 from 32 bits on. {_BROADCASTS}",
        f"{_name}([1, 2], [4, 5])", T="number")
row("atan2", "y: T, x: T", elementwise("y", "x"), "atan2",
    f"The angle of the point (x, y), in radians between -pi and pi. {_BROADCASTS}",
    "atan2([1.0, 0.0], [1.0, -1.0])",
    T="float")
row("igamma", "a: T, x: T", elementwise("a", "x"), "math.igamma",
    f"The lower regularised incomplete gamma function. {_BROADCASTS}", "igamma([1.0, 2.0], [1.0, 2.0])",
    T="float")
row("igammac", "a: T, x: T", elementwise("a", "x"), "math.igammac",
    f"The upper regularised incomplete gamma function. {_BROADCASTS}", "igammac([1.0, 2.0], [1.0, 2.0])",
    T="float")
row("polygamma", "a: T, x: T", elementwise("a", "x"), "math.polygamma",
    f"The derivative of order a of digamma. {_BROADCASTS}", "polygamma([1.0, 2.0], [1.0, 2.0])",
    T="float32 float64", no_gradient="a")
row("nextafter", "x1: T, x2: T", elementwise("x1", "x2"), "math.nextafter",
    f"The number of the dtype that comes next after x1 on the way to x2. {_BROADCASTS}",
    "nextafter([1.0, 2.0], [2.0, 1.0])", T="float32 float64")
row("zeta", "x: T, q: T", elementwise("x", "q"), "math.zeta",
    f"The Hurwitz zeta function. {_BROADCASTS}", "zeta([2.0, 3.0], [1.0, 2.0])", T="float32 float64", no_gradient="x")
row("lbeta", "x: T", shapes.last_reduced, "lbeta",
    "The logarithm of the absolute beta function of the numbers on the last axis.",
    "lbeta([[1.0, 2.0], [3.0, 4.0]])", T="float")
row("betainc", "a: T, b: T, x: T", shapes.betainc, "betainc",
    "The regularised incomplete beta function. All have one shape, but any may be a scalar.",
    "betainc([1.0, 2.0], [1.0, 2.0], [0.5, 0.2])", T="float32 float64", no_gradient="a b")

# name, what is asked, an example's arguments, dtypes
_COMPARE = (
    ("equal", "x and y are equal", "[1, 2], [1, 3]", "any"),
    ("not_equal", "x and y differ", "[1, 2], [1, 3]", "any"),
    ("less", "x is less than y", "[1.0, 2.0], 2.0", "real"),
    ("less_equal", "x is y or less", "[1.0, 2.0], 2.0", "real"),
    ("greater", "x is greater than y", "[1.0, 2.0], 1.0", "real"),
    ("greater_equal", "x is y or greater", "[1.0, 2.0], 1.0", "real"),
    ("logical_and", "both hold", "[true, true], [true, false]", "bool"),
    ("logical_or", "at least one holds", "[true, true], [true, false]", "bool"),
    ("logical_xor", "exactly one holds", "[true, true], [true, false]", "bool"),
)
for _name, _what, _arguments, _dtypes in _COMPARE:
    row(_name, "x: T, y: T", compare, _name, f"Element by element whether {_what}. {_BROADCASTS}",
        f"{_name}({_arguments})", compares=_name in ("equal", "not_equal"), T=_dtypes)
row("logical_not", "x: bool", like("x"), "logical_not", "Each true becomes false, and each false true.",
    "logical_not([true, false])")
for _name, _what in (("is_nan", "not a number"), ("is_inf", "infinite"), ("is_finite", "neither infinite nor "
    "NaN")):
    row(_name, "x: T", like_in("x", BOOL), _name, f"Which elements are {_what}.", f"{_name}([1.0, 2.0])",
        T="float")

row("add_n", "inputs: [T]", shapes.sum_of_list, "add_n",
    "The sum of a list of tensors, which all have one shape.",
    "add_n([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", T="number")
row("accumulate_n", "inputs: [T]", shapes.sum_of_list, "accumulate_n", "The same as add_n.",
    "accumulate_n([[1.0, 2.0], [3.0, 4.0]])", T="number")
row("scalar_mul", "scalar: T, x: T", shapes.scaled, "scalar_mul", "A tensor times one number.",
    "scalar_mul(2.0, [1.0, 2.0])", T="number")
row("clip_by_value", "t: T, clip_value_min: T, clip_value_max: T", shapes.clip, "clip_by_value",
    "Each element moved to the nearest value between the two bounds. The result has the shape of `t`.",
    "clip_by_value([-3.0, 0.5, 7.0], -1.0, 1.0)", T="real")
row("clip_by_norm", "t: T, clip_norm: T, axes: integers = none", shapes.clip_norm_over, "clip_by_norm",
    "The tensor, shrunk so that its L2 norm (over `axes`, all unless given) is at most `clip_norm`.",
    "clip_by_norm([3.0, 4.0], 1.0)", T="float")
row("clip_by_average_norm", "t: T, clip_norm: T", shapes.clip_norm, "clip_by_average_norm",
    "The tensor, shrunk so that its L2 norm divided by its number of elements is at most `clip_norm`.",
    "clip_by_average_norm([3.0, 4.0], 1.0)", T="float32")
row("clip_by_global_norm", "t_list: [T], clip_norm: T, use_norm: T? = none", shapes.clip_global_norm,
    "clip_by_global_norm",
    "A list of tensors, shrunk together so that their global_norm is at most `clip_norm`; then that global_norm "
    "(`use_norm`, where it is given).",
    "clip_by_global_norm([[3.0, 4.0], [12.0]], 1.0)", ranks={"clip_norm": 0, "use_norm": 0}, special=True, T="float")
row("global_norm", "t_list: [T]", shapes.scalar(), "global_norm",
    "The L2 norm of all elements of a list of tensors together, a scalar.",
    "global_norm([[3.0, 4.0], [12.0]])", T="float")

row("complex", "real: T, imag: T", shapes.make_complex, "complex",
    "Complex numbers from their real and imaginary parts: complex64 from float32, complex128 from float64. "
    f"{_BROADCASTS}", "complex([1.0, 2.0], [3.0, 4.0])", T="float32 float64")
for _name, _what, _dtypes in (("real", "real part", "number"), ("imag", "imaginary part", "number"),
                              ("angle", "angle, in radians,", "inexact")):
    row(_name, "input: T", real_like("input"), f"math.{_name}", f"The {_what} of each complex number.",
        f"{_name}(complex([1.0, 2.0], [3.0, 4.0]))", T=_dtypes)
row("conj", "x: T", like("x"), "math.conj", "Each complex number with the sign of its imaginary part turned.",
    "conj(complex([1.0, 2.0], [3.0, 4.0]))", T="number")
row("invert", "x: T", like("x"), "bitwise.invert", "Each bit of each element turned.", "invert([0, 5])",
    T="int")
