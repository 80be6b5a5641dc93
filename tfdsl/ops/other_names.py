"""The names here for functions and members of NumPy, PyTorch and Python.

The functions of this module write help lines for names that a program does not have.
"""

import re

from ..types import DTYPES, DType
from . import OPS, left_out

# The names here of functions of other modules: first the functions of one tensor, then the others.
_CALLED = {
    "sum": "reduce_sum", "max": "reduce_max", "min": "reduce_min", "amax": "reduce_max", "amin": "reduce_min",
    "mean": "reduce_mean", "average": "reduce_mean", "std": "reduce_std", "var": "reduce_variance",
    "prod": "reduce_prod", "any": "reduce_any", "all": "reduce_all", "absolute": "abs", "isnan": "is_nan",
    "isinf": "is_inf", "isfinite": "is_finite", "inv": "matrix_inverse", "det": "matrix_determinant",
}  # fmt: skip
_OTHERS = {
    "array": "constant", "asarray": "constant", "tensor": "constant", "arange": "range", "rand": "random_uniform",
    "random": "random_uniform", "randn": "random_normal", "randint": "random_uniform",
    "permutation": "random_shuffle",
    "concatenate": "concat", "cat": "concat", "hstack": "concat", "vstack": "concat", "dot": "matmul", "mm": "matmul",
    "bmm": "matmul",
    "clip": "clip_by_value", "clamp": "clip_by_value", "power": "pow", "flip": "reverse", "mod": "floormod",
    "unsqueeze": "expand_dims", "repeat": "tile",
}  # fmt: skip
_ALL = {**left_out.ROWS, **_OTHERS, **_CALLED}
_NUMBERS = {
    "pi": "3.141592653589793", "e": "2.718281828459045", "inf": 'float("inf")', "nan": 'float("nan")',
    "newaxis": "none",
}  # fmt: skip
MODULES = ("tf", "np", "numpy", "tensorflow", "jnp", "torch", "math", "scipy")
FRAMEWORKS = ("keras", "optim", "F")  # modules with names that a program may misspell too


def of_module(path: str, argument: str) -> str:
    """A help line for a name after a module, such as `np.linalg.inv`. `argument` is the text of the call's only
    argument."""
    name = path.rpartition(".")[2]
    if name in _NUMBERS:
        return f"write: {_NUMBERS[name]}"
    name = _ALL.get(name, name)
    return f"ops are written without a module: {_call(name, argument)}" if name in OPS else ""


def of_call(name: str, argument: str) -> str:
    """A help line for a call of an op by such a name, by the text of its only argument. "" for other
    names."""
    op = called(name)
    return f"write: {_call(op, argument)}" if op else ""


def _call(op: str, argument: str) -> str:
    return f"{op}([{argument}])" if argument.isdecimal() else f"{op}({argument})"  # a number is a shape


def called(name: str) -> str:
    """The op that has this name in NumPy, PyTorch or a module of TensorFlow, or ""."""
    op = _ALL.get(name, "")
    return op if op in OPS else ""


def too_many(function: str, first: str, second: object) -> str:
    """A help line for a second argument that a function has in Python. "" for other functions."""
    return _rounded(first, second) if function == "round" else ""


def as_list(function: str, arguments: list[str], count: int) -> str:
    """A help line for a call that gives the elements of its last parameter, a list, one by one. `count` is the number
    of parameters."""
    listed = ", ".join(arguments[count - 1 :])
    return f"write them as a list: {function}({', '.join([*arguments[: count - 1], f'[{listed}]'])})"


def _rounded(number: str, digits: object) -> str:
    places = digits if isinstance(digits, int) and 0 < digits < 10 else 2
    whole = f"{10**places}.0"
    return f'write: round({number} * {whole}) / {whole}; or in a string of a session: "{{{number}:.{places}f}}"'


# Members of tensors, and of values of sessions. `{x}` is the tensor.
_VALUES = {
    "T": "transpose({x})", "mT": "matrix_transpose({x})", "reshape": "reshape({x}, [...])",
    "view": "reshape({x}, [...])", "flatten": "reshape({x}, [-1])", "ravel": "reshape({x}, [-1])",
    "astype": "cast({x}, float32)", "to": "cast({x}, float32)", "float": "cast({x}, float32)",
    "int": "cast({x}, int32)", "long": "cast({x}, int64)", "bool": "cast({x}, bool)",
    "permute": "transpose({x}, [...])",
    "argmax": "argmax({x}, axis=-1)", "argmin": "argmin({x}, axis=-1)", "dot": "{x} @ y", "matmul": "{x} @ y",
    "mm": "{x} @ y", "clip": "clip_by_value({x}, low, high)", "clamp": "clip_by_value({x}, low, high)",
    "ndim": "len({x}.shape)", "dim": "len({x}.shape)", "get_shape": "{x}.shape", "size": "size({x})",
    "numel": "size({x})", "cumsum": "cumsum({x})", "append": "concat([{x}, other], axis=0)",
    "unsqueeze": "expand_dims({x}, 0)", "item": "{x}", "tolist": "{x}", "copy": "{x}", "clone": "{x}",
}  # fmt: skip
_TENSORS = {
    "assign": "assign({x}, value)", "assign_add": "assign_add({x}, value)", "assign_sub": "assign_sub({x}, value)",
    "numpy": "print {x}, or session.run(\"{x}\") from Python", "eval": "print {x}, in a session",
    "initializer": "init {x}, in a session", "initialized_value": "{x}", "read_value": "{x}", "value": "{x}",
    "detach": "stop_gradient({x})", "backward": "optimize {x} with adam(), or gradients({x}, variables)",
    "cpu": "device \"/cpu:0\": around what makes it", "cuda": "device \"/gpu:0\": around what makes it",
}  # fmt: skip


def value_member(name: str, text: str, is_tensor: bool, dtype: DType | None = None) -> str:
    """A help line for a member of a tensor, or of a value of a session, whose text and dtype are given. "" for other
    names."""
    known = _VALUES | _TENSORS if is_tensor else _VALUES
    called = _CALLED.get(name, name)
    way = known.get(name)
    if way is None and called in OPS:
        first = OPS[called].params[0].group
        taken = OPS[called].allowed(first) if dtype is not None and first else ()
        other = "" if dtype in taken else next((one for one in ("float32", "bool") if DTYPES[one] in taken), "")
        way = f"{called}(cast({{x}}, {other}))" if other else f"{called}({{x}})"
    if not way:
        return ""
    bare = text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text
    operand = text if bare != text or re.fullmatch(r"[\w.]+(?:\([^()]*\)|\[[^\[\]]*\])*", text) else f"({text})"
    return f"write: {way.replace('({x}', f'({bare}').replace('{x}', operand)}"
