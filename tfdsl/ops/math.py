"""Arithmetic, comparisons and functions, element by element."""

from functools import reduce

from ..diagnostics import EMPTY_LIST, NEGATIVE_POWER
from ..types import BOOL, FLOAT32, FLOAT64, TensorType
from .batch import FIXED, MEAN, ROWS, SUM, BatchCall, Mixed, Rule, each, linear, stacked, whole
from .flops import FlopCall, no_flops, per_result, uncounted
from .formula import Expr, Formulas, Known, Made, Own
from .op import Alike, OpCall
from .row import table
from .rules import (
    along_axis,
    broadcast,
    broadcast_shapes,
    clear_rank,
    complex_of,
    elementwise,
    flat,
    least_rank,
    like,
    like_in,
    merge,
    merge_list,
    real_like,
    scalar,
    wanted_rank,
)

OPS, row = table("math", alike=Alike.BY_TYPES, flops=per_result())


binary = elementwise("x", "y")
compare = elementwise("x", "y", dtype=BOOL)


def power(call: OpCall) -> TensorType:
    """x to the power of y. Integers have no negative powers."""
    result = elementwise("x", "y")(call)
    if call.dtype("T").kind == "int":
        for number in flat(call.known("y")):
            if number < 0:
                call.fail(NEGATIVE_POWER, "x", "y", type=call["x"], power=number)
    return result


def true_divide(call: OpCall) -> TensorType:
    """Division with a floating-point result for integers: float64, or float32 if that is exact."""
    dtype = call.dtype("T")
    if dtype.kind in ("int", "uint"):
        dtype = FLOAT32 if dtype.bits <= 16 else FLOAT64
    return TensorType(dtype, broadcast(call, "x", "y"))


def make_complex(call: OpCall) -> TensorType:
    return TensorType(complex_of(call.dtype("T")), broadcast(call, "real", "imag"))


def sum_of_list(call: OpCall) -> TensorType:
    """The common shape of all tensors in a list."""
    return TensorType(call.dtype("T"), merge_list(call, "inputs"))


def polynomial(call: OpCall) -> TensorType:
    """The common shape of the coefficients and of x. A single coefficient is the result, whatever x is."""
    coefficients = call["coeffs"]
    if not coefficients:
        call.fail(EMPTY_LIST, "coeffs", param="coeffs")
    result = coefficients[0]
    for other in (call["x"], *coefficients[1:]) if coefficients[1:] else ():
        shape = broadcast_shapes(call, result.shape, other.shape, "coeffs", "x", a=result, b=other)
        result = TensorType(call.dtype("T"), shape)
    return result


def betainc(call: OpCall) -> TensorType:
    """The common shape of all arguments that are not scalars."""
    names = [name for name in ("a", "b", "x") if call[name].shape != ()]
    shape = call[names[0]].shape if names else ()
    for name in names[1:]:
        shape = merge(call, shape, call[name].shape, names[0], name)
    return TensorType(call.dtype("T"), shape)


def clip(call: OpCall) -> TensorType:
    """The type of the tensor. The bounds broadcast to it, never the reverse."""
    shape = call["t"].shape
    for bound in ("clip_value_min", "clip_value_max"):
        shape = merge(call, shape, broadcast(call, "t", bound), "t", bound)
    return TensorType(call.dtype("T"), shape)


def clip_norm(call: OpCall) -> TensorType:
    """The type of the tensor. The norm to clip to is a scalar."""
    shape = broadcast(call, "t", "clip_norm")
    return TensorType(call.dtype("T"), merge(call, call["t"].shape, shape, "t", "clip_norm"))


def clip_norm_over(call: OpCall) -> TensorType:
    """Like `clip_norm`, for slices along some axes."""
    along_axis("t", axis="axes")(call)
    return clip_norm(call)


def clip_global_norm(call: OpCall) -> tuple[tuple[TensorType, ...], TensorType]:
    """The tensors with unchanged types, and their global norm. The norm to clip to is a scalar."""
    for norm in ("clip_norm", "use_norm"):
        if call[norm] is not None:
            wanted_rank(call, norm, 0)
    return tuple(call["t_list"]), TensorType(call.dtype("T"), ())


def scaled(call: OpCall) -> TensorType:
    """The type of `x`. The factor must be a known scalar."""
    clear_rank(call, "scalar")
    wanted_rank(call, "scalar", 0)
    return call["x"]


def last_reduced(call: OpCall) -> TensorType:
    """One number per row of the last axis."""
    shape = least_rank(call, "x", 1)
    return TensorType(call.dtype("T"), None if shape is None else shape[:-1])


def batch_sum(call: BatchCall) -> str:
    """Sums and differences of rows, of means or of sums. A fixed value can be added to a mean."""
    kinds = [kind for kind in map(call.kind, call.arguments) if kind != FIXED]
    if set(kinds) == {ROWS}:
        return each(call)
    if set(kinds) == {SUM} and len(kinds) < len(call.arguments):
        raise Mixed  # every part would add it
    if len(set(kinds)) > 1:
        raise Mixed
    return kinds[0]


def batch_sum_of_list(call: BatchCall) -> str:
    """Like `batch_sum`, for the tensors of a list."""
    kinds = call.arguments["inputs"].kinds
    if kinds <= {MEAN, FIXED} or kinds <= {SUM}:
        return MEAN if MEAN in kinds else SUM
    return each(call)


def batch_product(call: BatchCall) -> str:
    """Products of rows, or of a mean or sum and a fixed value."""
    x, y = (call.kind(name) for name in ("x", "y"))
    if ROWS in (x, y):
        return each(call)
    if x != FIXED and y != FIXED:
        raise Mixed
    return y if x == FIXED else x


def batch_quotient(call: BatchCall) -> str:
    """Quotients of rows, or of a mean or sum and a fixed divisor."""
    x, y = (call.kind(name) for name in ("x", "y"))
    return each(call) if ROWS in (x, y) else linear("x")(call)


def batch_polynomial(call: BatchCall) -> str:
    """Rows of x and perhaps of coefficients. A single coefficient is the result, whatever x is."""
    if len(call.arguments["coeffs"].operands) < 2:
        raise Mixed
    return each(call)


def sums(call: FlopCall) -> int:
    """A sum for each tensor after the first."""
    return (len(call.shapes("inputs")) - 1) * call.made


def steps_of_polynomial(call: FlopCall) -> int:
    """A product and a sum for each coefficient after the first."""
    return 2 * (len(call.shapes("coeffs")) - 1) * call.made


_LARGEST_EXPONENT = 40


def _power(s: Formulas, x: Expr, y: Expr) -> Expr:
    """An integer exponent is applied to the numbers in the base, unless it is large."""
    return x ** (s.sympy.Float(y, 17) if y.is_Integer and abs(y) > _LARGEST_EXPONENT else y)


# fmt: off
SIGNED = "float int8 int16 int32 int64"


def _unary_op(
    name: str, tf: str, what: str, arguments: str, dtypes: str, *, batch: Rule = each, **facts: object
) -> None:
    """An op with one argument, element by element. `what` describes the result, `arguments` are those of an example.
    """
    row(name, "x: T", like("x"), tf, f"Each element becomes {what}.", f"{name}({arguments})", batch=batch, T=dtypes,
        **facts)


_unary_op("negative", "negative", "-x", "[1.0, -2.0]", SIGNED + " complex64 complex128",
    batch=linear("x"), operator="unary -", node="Neg", keeps_zero=True, formula=Made(lambda s, x: -x))
_unary_op("square", "square", "x times x", "[2.0, 3.0]", "number", keeps_zero=True,
    formula=Made(lambda s, x: x**2))
_unary_op("sqrt", "sqrt", "its square root", "[4.0, 9.0]", "inexact", formula=Known("sqrt"))
_unary_op("rsqrt", "math.rsqrt", "one divided by its square root", "[4.0, 16.0]", "inexact", flops=per_result(2),
    formula=Made(lambda s, x: 1 / s.sqrt(x)))
_unary_op("exp", "exp", "e to the power of it", "[0.0, 1.0]", "inexact", formula=Known("exp"))
_unary_op("expm1", "math.expm1", "e to its power minus one, exact near 0", "[0.0, 1.0]", "inexact",
    formula=Made(lambda s, x: s.exp(x) - 1))
_unary_op("log", "log", "its natural logarithm", "[1.0, 2.0]", "inexact", formula=Known("log"))
_unary_op("log1p", "math.log1p", "log(1 + x), exact near 0", "[0.0, 1.0]", "inexact",
    formula=Made(lambda s, x: s.log(1 + x)))
_unary_op("sin", "sin", "its sine, of radians", "[0.0, 1.0]", "inexact", keeps_zero=True,
    formula=Known("sin"))
_unary_op("cos", "cos", "its cosine, of radians", "[0.0, 1.0]", "inexact", formula=Known("cos"))
_unary_op("tan", "tan", "its tangent, of radians", "[0.0, 1.0]", "inexact", formula=Known("tan"))
_unary_op("asin", "asin", "the angle in radians whose sine it is", "[0.0, 1.0]", "inexact", formula=Known("asin"))
_unary_op("acos", "acos", "the angle in radians whose cosine it is", "[0.0, 1.0]", "inexact", formula=Known("acos"))
_unary_op("atan", "atan", "the angle in radians whose tangent it is", "[0.0, 1.0]", "inexact", formula=Known("atan"))
_unary_op("sinh", "sinh", "its hyperbolic sine", "[0.0, 1.0]", "inexact", formula=Known("sinh"))
_unary_op("cosh", "cosh", "its hyperbolic cosine", "[0.0, 1.0]", "inexact", formula=Known("cosh"))
_unary_op("tanh", "tanh", "its hyperbolic tangent, between -1 and 1", "[0.0, 1.0]", "inexact", keeps_zero=True,
    formula=Known("tanh"))
_unary_op("asinh", "asinh", "the number whose hyperbolic sine it is", "[0.0, 1.0]", "inexact", formula=Known("asinh"))
_unary_op("acosh", "acosh", "the number whose hyperbolic cosine it is", "[1.0, 2.0]", "inexact", formula=Known("acosh"))
_unary_op("atanh", "atanh", "the number whose hyperbolic tangent it is", "[0.0, 0.5]", "inexact",
    formula=Known("atanh"))
_unary_op("sigmoid", "sigmoid", "1 / (1 + exp(-x)), between 0 and 1", "[0.0, 2.0]", "inexact",
    applies="sigmoid", formula=Own(lambda s, x: (s.sigmoid(x) * (1 - s.sigmoid(x)),)))
_unary_op("log_sigmoid", "math.log_sigmoid", "the logarithm of its sigmoid", "[0.0, 2.0]", "float",
    flops=per_result(3))
_unary_op("sign", "sign", "-1, 0 or 1, by its sign", "[-2.0, 0.0]", SIGNED + " complex64 complex128",
    formula=Known("sign", is_derived=False))
_unary_op("reciprocal", "math.reciprocal", "one divided by it", "[2.0, 4.0]", SIGNED + " complex64 complex128",
    formula=Made(lambda s, x: 1 / x))
_unary_op("reciprocal_no_nan", "math.reciprocal_no_nan", "one divided by it, 0 for 0", "[2.0, 0.0]", "inexact")
_unary_op("erf", "erf", "the error function of it", "[0.0, 1.0]", "float", formula=Known("erf"))
_unary_op("erfc", "erfc", "one minus its error function", "[0.0, 1.0]", "float")
_unary_op("erfinv", "math.erfinv", "the number whose error function it is", "[0.0, 0.5]", "float")
_unary_op("erfcinv", "math.erfcinv", "the number whose erfc it is", "[0.5, 1.0]", "float",
    flops=per_result(4))
_unary_op("ndtri", "math.ndtri", "the number that a standard normal is below with this probability", "[0.5, 0.9]",
    "float")
_unary_op("lgamma", "lgamma", "the logarithm of the absolute gamma function of it", "[1.0, 4.0]", "float")
_unary_op("digamma", "digamma", "the derivative of lgamma at it", "[1.0, 4.0]", "float")
_unary_op("bessel_i0", "math.bessel_i0", "the modified Bessel function of order 0", "[0.0, 1.0]", "float")
_unary_op("bessel_i0e", "math.bessel_i0e", "bessel_i0 of it times exp(-abs(x))", "[0.0, 1.0]", "float")
_unary_op("bessel_i1", "math.bessel_i1", "the modified Bessel function of order 1", "[0.0, 1.0]", "float")
_unary_op("bessel_i1e", "math.bessel_i1e", "bessel_i1 of it times exp(-abs(x))", "[0.0, 1.0]", "float")
_unary_op("dawsn", "math.special.dawsn", "Dawson's integral of it", "[0.0, 1.0]", "float")
_unary_op("expint", "math.special.expint", "the exponential integral of it", "[1.0, 2.0]", "float")
_unary_op("spence", "math.special.spence", "Spence's integral of it", "[1.0, 2.0]", "float")

_unary_op("floor", "floor", "the largest whole number that is not above it", "[1.5, -1.5]", "float", no_gradient="*")
_unary_op("ceil", "ceil", "the smallest whole number that is not below it", "[1.5, -1.5]", "float", no_gradient="*")
_unary_op("round", "round", "the nearest whole number, the even one of two", "[1.5, 2.5]", "number", no_gradient="*",
    python=round)
_unary_op("rint", "rint", "the nearest whole number, the even one of two", "[1.5, 2.5]", "float", no_gradient="*")

row("abs", "x: T", real_like("x"), "abs",
    "The size of each element without its sign; of a complex number its distance from 0, a real number.",
    "abs([-1.5, 2.0])", batch=each, python=abs, keeps_zero=True, formula=Known("Abs"),
    T=SIGNED + " complex64 complex128")

_BROADCASTS = "Shapes broadcast: a size of 1 stretches to the other's."


def _binary_op(
    name: str, tf: str, what: str, arguments: str, dtypes: str, *, batch: Rule = each, **facts: object
) -> None:
    """An op with two arguments, element by element. `what` describes the result, `arguments` are those of an example.
    """
    row(name, "x: T, y: T", binary, tf, f"Element by element {what}. {_BROADCASTS}", f"{name}({arguments})",
    batch=batch,
        T=dtypes, **facts)


_binary_op("add", "add", "x + y; strings are joined", "[1.0, 2.0], [10.0, 20.0]", "number string",
    batch=batch_sum, operator="+", node="add", formula=Made(lambda s, x, y: x + y))
_binary_op("subtract", "subtract", "x - y", "[1.0, 2.0], 1.0", "number",
    compares=True, batch=batch_sum, operator="-", node="sub", formula=Made(lambda s, x, y: x - y))
_binary_op("multiply", "multiply", "x * y", "[[1.0], [2.0]], [3.0, 4.0]", "number",
    batch=batch_product, operator="*", node="mul", product=True, formula=Made(lambda s, x, y: x * y))
_binary_op("floormod", "floormod", "the remainder of x after floordiv, with the sign of y", "[7, -7], 3", "real",
    operator="%", node="mod")
_binary_op("mod", "mod", "the remainder of x after floordiv, with the sign of y", "[7, -7], 3", "real")
_binary_op("realdiv", "realdiv", "x / y", "[1.0, 2.0], 4.0", "number",
    batch=batch_quotient, formula=Made(lambda s, x, y: x / y))
_binary_op("divide_no_nan", "math.divide_no_nan", "x / y, but 0 where y is 0", "[1.0, 2.0], [4.0, 0.0]", "inexact")
_binary_op("multiply_no_nan", "math.multiply_no_nan", "x * y, but 0 where y is 0, whatever x is",
    "[1.0, 2.0], [4.0, 0.0]", "inexact", product=True)
_binary_op("maximum", "maximum", "the larger of x and y", "[1.0, -2.0], 0.0", "real",
    formula=Made(lambda s, x, y: s.where(s.greater_equal(x, y), x, y)))
_binary_op("minimum", "minimum", "the smaller of x and y", "[1.0, -2.0], 0.0", "real",
    formula=Made(lambda s, x, y: s.where(s.less_equal(x, y), x, y)))
_binary_op("squared_difference", "squared_difference", "(x - y) * (x - y)", "[1.0, 2.0], [3.0, 5.0]",
    "float int32 int64 complex64 complex128", compares=True,
    flops=per_result(2), formula=Made(lambda s, x, y: (x - y) ** 2))
_binary_op("xlogy", "math.xlogy", "x * log(y), but 0 where x is 0", "[0.0, 2.0], [0.0, 3.0]", "inexact")
_binary_op("xlog1py", "math.xlog1py", "x * log1p(y), but 0 where x is 0", "[0.0, 2.0], [0.0, 3.0]", "inexact")
_binary_op("xdivy", "math.xdivy", "x / y, but 0 where x is 0", "[0.0, 2.0], [0.0, 4.0]", "inexact")
_binary_op("bitwise_and", "bitwise.bitwise_and", "the bits that both have", "[6, 5], [3, 1]", "int")
_binary_op("bitwise_or", "bitwise.bitwise_or", "the bits that either has", "[6, 5], [3, 1]", "int")
_binary_op("bitwise_xor", "bitwise.bitwise_xor", "the bits that only one has", "[6, 5], [3, 1]", "int")
_binary_op("left_shift", "bitwise.left_shift", "the bits of x moved up by y places", "[1, 5], [3, 1]", "int")
_binary_op("right_shift", "bitwise.right_shift", "the bits of x moved down by y places", "[8, 5], [3, 1]", "int")

_binary_op("floordiv", "floordiv", "x / y rounded down", "[7, -7], 2", "number",
    no_gradient="*", operator="//", node="floordiv")
_binary_op("truncatediv", "truncatediv", "x / y rounded towards 0", "[7, -7], 2", "number", no_gradient="*")
_binary_op("truncatemod", "truncatemod", "the remainder of x after truncatediv, with the sign of x", "[7, -7], 3",
    "int32 int64 float", no_gradient="*")
row("pow", "x: T, y: T", power, "pow", f"Element by element x to the power of y. {_BROADCASTS}",
    "pow([2.0, 3.0], 2.0)",
    batch=each, operator="**", node="pow", python=pow, formula=Made(_power),
    T="bfloat16 float32 float16 float64 int8 int16 int32 int64 complex64 complex128")
for _name, _operator in (("truediv", "/"), ("divide", "")):
    row(_name, "x: T, y: T", true_divide, _name,
        f"Element by element x / y; integers become floats, float64 from 32 bits on. {_BROADCASTS}",
        f"{_name}([1, 2], [4, 5])", batch=batch_quotient, operator=_operator, node=_name if _operator else "",
        formula=Made(lambda s, x, y: x / y), T="number")
row("atan2", "y: T, x: T", elementwise("y", "x"), "atan2",
    f"The angle of the point (x, y), in radians between -pi and pi. {_BROADCASTS}",
    "atan2([1.0, 0.0], [1.0, -1.0])", batch=each, formula=Known("atan2"), T="float")
row("igamma", "a: T, x: T", elementwise("a", "x"), "math.igamma",
    f"The lower regularised incomplete gamma function. {_BROADCASTS}", "igamma([1.0, 2.0], [1.0, 2.0])", batch=each,
    T="float")
row("igammac", "a: T, x: T", elementwise("a", "x"), "math.igammac",
    f"The upper regularised incomplete gamma function. {_BROADCASTS}", "igammac([1.0, 2.0], [1.0, 2.0])", batch=each,
    T="float")
row("polygamma", "a: T, x: T", elementwise("a", "x"), "math.polygamma",
    f"The derivative of order a of digamma. {_BROADCASTS}", "polygamma([1.0, 2.0], [1.0, 2.0])", batch=each,
    T="float32 float64", no_gradient="a")
row("nextafter", "x1: T, x2: T", elementwise("x1", "x2"), "math.nextafter",
    f"The next number of the dtype after x1 in the direction of x2. {_BROADCASTS}",
    "nextafter([1.0, 2.0], [2.0, 1.0])", batch=each, T="float32 float64")
row("zeta", "x: T, q: T", elementwise("x", "q"), "math.zeta",
    f"The Hurwitz zeta function. {_BROADCASTS}", "zeta([2.0, 3.0], [1.0, 2.0])",
    batch=each, T="float32 float64", no_gradient="x")
row("lbeta", "x: T", last_reduced, "lbeta",
    "The logarithm of the absolute beta function of the numbers on the last axis.",
    "lbeta([[1.0, 2.0], [3.0, 4.0]])", batch=stacked(2), T="float", flops=uncounted)
row("betainc", "a: T, b: T, x: T", betainc, "betainc",
    "The regularised incomplete beta function. All have one shape, but any of them can be a scalar.",
    "betainc([1.0, 2.0], [1.0, 2.0], [0.5, 0.2])", batch=each, T="float32 float64", no_gradient="a b")


def _comparison(name: str, what: str, arguments: str, dtypes: str, **facts: object) -> None:
    """A comparison of two arguments, element by element. `what` describes it, `arguments` are those of an example."""
    row(name, "x: T, y: T", compare, name, f"Element by element whether {what}. {_BROADCASTS}", f"{name}({arguments})",
        batch=each, T=dtypes, **facts)


_CONDITION = Own(lambda s, x, y: (0, 0), is_condition=True)  # constant wherever it has a derivative

_comparison("equal", "x and y are equal", "[1, 2], [1, 3]", "any", compares=True, operator="==", node="Equal")
_comparison("not_equal", "x and y differ", "[1, 2], [1, 3]", "any", compares=True, operator="!=", node="NotEqual")
_comparison("less", "x is less than y", "[1.0, 2.0], 2.0", "real", operator="<", node="Less", formula=_CONDITION)
_comparison("less_equal", "x is y or less", "[1.0, 2.0], 2.0", "real", operator="<=", node="LessEqual",
    formula=_CONDITION)
_comparison("greater", "x is greater than y", "[1.0, 2.0], 1.0", "real", operator=">", node="Greater",
    formula=_CONDITION)
_comparison("greater_equal", "x is y or greater", "[1.0, 2.0], 1.0", "real",
    operator=">=", node="GreaterEqual", formula=_CONDITION)
_comparison("logical_and", "both are true", "[true, true], [true, false]", "bool", operator="and")
_comparison("logical_or", "at least one is true", "[true, true], [true, false]", "bool", operator="or")
_comparison("logical_xor", "exactly one is true", "[true, true], [true, false]", "bool")

row("logical_not", "x: bool", like("x"), "logical_not", "Each true becomes false, and each false true.",
    "logical_not([true, false])", batch=each, operator="not")
for _name, _what in (("is_nan", "not a number"), ("is_inf", "infinite"), ("is_finite", "neither infinite nor "
    "NaN")):
    row(_name, "x: T", like_in("x", BOOL), _name, f"Which elements are {_what}.", f"{_name}([1.0, 2.0])", batch=each,
        T="float")

row("add_n", "inputs: [T]", sum_of_list, "add_n",
    "The sum of a list of tensors, which all have one shape.",
    "add_n([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", batch=batch_sum_of_list,
    formula=Made(lambda s, inputs: sum(inputs)), T="number", flops=sums)
row("accumulate_n", "inputs: [T]", sum_of_list, "accumulate_n", "The same as add_n.",
    "accumulate_n([[1.0, 2.0], [3.0, 4.0]])", batch=whole, T="number", flops=sums)
row("polyval", "coeffs: [T], x: T", polynomial, "math.polyval",
    "The value at x of the polynomial with these coefficients, the one of the highest power first. Shapes broadcast.",
    "polyval([2.0, 0.0, 1.0], [1.0, 2.0])", batch=batch_polynomial, T="number",
    formula=Made(lambda s, coeffs, x: reduce(lambda value, one: value * x + one, coeffs)), flops=steps_of_polynomial)
row("scalar_mul", "scalar: T, x: T", scaled, "scalar_mul", "A tensor times one number.",
    "scalar_mul(2.0, [1.0, 2.0])", batch=linear("x"), T="number")
row("clip_by_value", "t: T, clip_value_min: T, clip_value_max: T", clip, "clip_by_value",
    "Each element moved to the nearest value between the two bounds. The result has the shape of `t`.",
    "clip_by_value([-3.0, 0.5, 7.0], -1.0, 1.0)", batch=each, T="real", flops=per_result(2))
row("clip_by_norm", "t: T, clip_norm: T, axes: integers = none", clip_norm_over, "clip_by_norm",
    "The tensor, shrunk so that its L2 norm (over `axes`, all unless given) is at most `clip_norm`.",
    "clip_by_norm([3.0, 4.0], 1.0)", batch=whole, T="float", flops=uncounted)
row("clip_by_average_norm", "t: T, clip_norm: T", clip_norm, "clip_by_average_norm",
    "The tensor, shrunk so that its L2 norm divided by its number of elements is at most `clip_norm`.",
    "clip_by_average_norm([3.0, 4.0], 1.0)", batch=whole, T="float32", flops=uncounted)
row("clip_by_global_norm", "t_list: [T], clip_norm: T, use_norm: T? = none", clip_global_norm,
    "clip_by_global_norm",
    "A list of tensors, shrunk together so that their global_norm is at most `clip_norm`; then that global_norm "
    "(`use_norm` if it is given).",
    "clip_by_global_norm([[3.0, 4.0], [12.0]], 1.0)",
    outputs="clipped norm", batch=whole, ranks={"clip_norm": 0, "use_norm": 0}, lowered="special.clip_by_global_norm",
    T="float", flops=uncounted)
row("global_norm", "t_list: [T]", scalar(), "global_norm",
    "The L2 norm of all elements of a list of tensors together, a scalar.",
    "global_norm([[3.0, 4.0], [12.0]])", batch=whole, T="float", flops=uncounted)

row("complex", "real: T, imag: T", make_complex, "complex",
    "Complex numbers from their real and imaginary parts: complex64 from float32, complex128 from float64. "
    f"{_BROADCASTS}", "complex([1.0, 2.0], [3.0, 4.0])", batch=each, T="float32 float64", flops=no_flops)
for _name, _what, _dtypes in (("real", "real part", "number"), ("imag", "imaginary part", "number"),
                              ("angle", "angle, in radians,", "inexact")):
    row(_name, "input: T", real_like("input"), f"math.{_name}", f"The {_what} of each complex number.",
        f"{_name}(complex([1.0, 2.0], [3.0, 4.0]))", batch=each,
        flops=per_result() if _name == "angle" else no_flops, T=_dtypes)
row("conj", "x: T", like("x"), "math.conj", "Each complex number with the sign of its imaginary part changed.",
    "conj(complex([1.0, 2.0], [3.0, 4.0]))", batch=each, T="number", flops=no_flops)
row("invert", "x: T", like("x"), "bitwise.invert", "Each element with all bits inverted.", "invert([0, 5])", batch=each,
    T="int")
# fmt: on
