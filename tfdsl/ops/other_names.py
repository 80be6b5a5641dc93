"""The names here for functions and members of NumPy, PyTorch and Python.

The functions of this module write help lines for names that a program does not have.
"""

import re
from collections.abc import Sequence

from ..types import DTYPES, DType
from . import OPS, left_out

# The names here of functions of other modules: first the functions of one tensor, then the others.
_CALLED = {
    "sum": "reduce_sum", "max": "reduce_max", "min": "reduce_min", "amax": "reduce_max", "amin": "reduce_min",
    "mean": "reduce_mean", "average": "reduce_mean", "std": "reduce_std", "var": "reduce_variance",
    "prod": "reduce_prod", "any": "reduce_any", "all": "reduce_all", "absolute": "abs", "isnan": "is_nan",
    "isinf": "is_inf", "isfinite": "is_finite", "inv": "matrix_inverse", "det": "matrix_determinant",
    "logsumexp": "reduce_logsumexp",
}  # fmt: skip
_OTHERS = {
    "array": "constant", "asarray": "constant", "tensor": "constant", "arange": "range", "rand": "random_uniform",
    "random": "random_uniform", "randn": "random_normal", "randint": "random_uniform",
    "permutation": "random_shuffle",
    "concatenate": "concat", "cat": "concat", "hstack": "concat", "vstack": "concat", "dot": "matmul", "mm": "matmul",
    "bmm": "matmul",
    "clip": "clip_by_value", "clamp": "clip_by_value", "power": "pow", "flip": "reverse", "mod": "floormod",
    "unsqueeze": "expand_dims", "repeat": "tile", "full": "fill",
}  # fmt: skip
_ALL = {**left_out.ROWS, **_OTHERS, **_CALLED}
_SIZE_LAST = ("random_uniform", "random_normal")  # with the shape first, which NumPy has last
_NUMBERS = {
    "pi": "3.141592653589793", "e": "2.718281828459045", "inf": 'float("inf")', "nan": 'float("nan")',
    "newaxis": "none",
}  # fmt: skip
MODULES = ("tf", "np", "numpy", "tensorflow", "jnp", "torch", "math", "scipy")
_PREFIXED = re.compile(rf"(?<![\w.])(?:{'|'.join(MODULES)})\.(?:\w+\.)*(\w+)")
FRAMEWORKS = ("keras", "layers", "optim", "F")  # modules with names that a program may misspell too


def of_module(path: str, arguments: Sequence[str]) -> str:
    """A help line for a name after a module, such as `np.linalg.inv`. `arguments` are the texts of a call's
    arguments."""
    name = path.rpartition(".")[2]
    if name in _NUMBERS:
        return f"write: {_NUMBERS[name]}"
    is_known = _ALL.get(name, name) in (*OPS, "range")
    return f"ops are written without a module: {_call(name, arguments)}" if is_known else ""


def of_call(name: str, arguments: Sequence[str]) -> str:
    """A help line for a call of an op by such a name, by the texts of its arguments. "" for other names."""
    return f"write: {_call(name, arguments)}" if called(name) else ""


def _call(name: str, arguments: Sequence[str]) -> str:
    """A call of an op, or of `range`, by its name elsewhere."""
    op = _ALL.get(name, name)
    given = [argument(one) for one in arguments]
    if op in _SIZE_LAST:
        size = next((one for one in given if one.startswith("size=")), given[2] if len(given) == 3 else "")
        given = [size.removeprefix("size="), *(one for one in given if one != size)] if size else given
    if op == "concat" and len(given) == 1:
        given.append("axis=1" if name == "hstack" else "axis=0")
    sizes = [one for one in given if one.isdecimal()]
    if sizes and op in OPS and OPS[op].makes_shape and sizes == given[: len(sizes)]:  # numbers are a shape
        given = [f"[{', '.join(sizes)}]", *given[len(sizes) :]]
    return f"{op}({', '.join(given) or '...'})"


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


# Members of tensors, and of values of sessions. `{x}` is the tensor, and `{0}` the first argument of a call, or what
# follows the colon.
_VALUES = {
    "T": "transpose({x})", "mT": "matrix_transpose({x})", "t": "transpose({x})", "flatten": "reshape({x}, [-1])",
    "ravel": "reshape({x}, [-1])", "float": "cast({x}, float32)", "double": "cast({x}, float64)",
    "int": "cast({x}, int32)", "long": "cast({x}, int64)", "bool": "cast({x}, bool)",
    "argmax": "argmax({x}, axis={0:-1})", "argmin": "argmin({x}, axis={0:-1})",
    "ndim": "len({x}.shape)", "dim": "len({x}.shape)", "get_shape": "{x}.shape", "size": "size({x})",
    "numel": "size({x})", "append": "concat([{x}, {0:other}], axis=0)", "unsqueeze": "expand_dims({x}, {0:0})",
    "take": "gather({x}, {0:[0]})", "nonzero": "where({x} != 0)", "item": "{x}", "tolist": "{x}", "copy": "{x}",
    "clone": "{x}", "iloc": "{x}[0]", "loc": "{x}[0]", "contiguous": "{x}", "swapaxes": "transpose({x}, [...])",
    **dict.fromkeys(("dot", "matmul", "mm", "bmm"), "{x} @ {0:y}"),
    **dict.fromkeys(("mul", "multiply"), "{x} * {0:y}"), **dict.fromkeys(("div", "divide"), "{x} / {0:y}"),
    **{name: f"{{x}} {sign} {{0:y}}" for name, sign in
       {"eq": "==", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}.items()},
    "flip": "reverse({x}, [{0:0}])", "topk": "top_k({x}, {0:1})", "chunk": "split({x}, {0:2})",
    "diagonal": "matrix_diag_part({x})", "fill": "fill(shape({x}), {0:0.0})",
    "add": "{x} + {0:y}", "sub": "{x} - {0:y}", "subtract": "{x} - {0:y}", "pow": "{x} ** {0:y}",
}  # fmt: skip
_SHAPED = {"reshape": "reshape", "view": "reshape", "permute": "transpose", "transpose": "transpose", "tile": "tile"}
_TENSORS = {
    "assign": "assign({x}, {0:value})", "assign_add": "assign_add({x}, {0:value})",
    "assign_sub": "assign_sub({x}, {0:value})",
    "numpy": "print {x}, or session.run(\"{x}\") from Python", "eval": "print {x}, in a session",
    "initializer": "init {x}, in a session", "initialized_value": "{x}", "read_value": "{x}", "value": "{x}",
    "grad": "gradients(loss, {x})",
    "detach": "stop_gradient({x})", "backward": "optimize {x} with adam(), or gradients({x}, variables)",
    "cpu": "device \"/cpu:0\": around what makes it", "cuda": "device \"/gpu:0\": around what makes it",
}  # fmt: skip
_DTYPES = {"int": "int32", "long": "int64", "double": "float64", "half": "float16", "str": "string", "float": "float32"}
_ARGUMENTS = {"dim": "axis", "keepdim": "keepdims", "keep_dims": "keepdims", "reduction_indices": "axis"}
_CONSTANTS = {"True": "true", "False": "false", "None": "none"}


def value_member(
    name: str, text: str, is_tensor: bool, dtype: DType | None = None, arguments: Sequence[str] = ()
) -> str:
    """A help line for a member of a tensor, or of a value of a session, whose text and dtype are given, with the
    arguments of its call. "" for other names."""
    known = _VALUES | _TENSORS if is_tensor else _VALUES
    given = [argument(one) for one in arguments]
    way = _of_arguments(name, given) or known.get(name)
    called = _CALLED.get(name, name)
    if way is None and called in OPS:
        first = OPS[called].params[0].group
        taken = OPS[called].allowed(first) if dtype is not None and first else ()
        other = "" if dtype in taken else next((one for one in ("float32", "bool") if DTYPES[one] in taken), "")
        way = f"{called}({', '.join([f'cast({{x}}, {other})' if other else '{x}', *given])})"
    if not way:
        return ""
    position = given[0].partition("=")[2] or given[0] if given else ""
    way = re.sub(r"\{0:([^}]*)\}", lambda default: position or default[1], way)
    bare = text[1:-1] if re.fullmatch(r"\([^()]*\)", text) else text
    operand = text if bare != text or re.fullmatch(r"[\w.]+(?:\([^()]*\)|\[[^\[\]]*\])*", text) else f"({text})"
    return f"write: {way.replace('({x}', f'({bare}').replace('{x}', operand)}"


def argument(text: str) -> str:
    """An argument of a function of NumPy or PyTorch, with the names that it has here."""
    text = _PREFIXED.sub(lambda found: _ALL.get(found[1], found[1]), text)
    named = re.fullmatch(r"(\w+)\s*=\s*(.*)", text)
    name, value = (_ARGUMENTS.get(named[1], named[1]), named[2]) if named else ("", text)
    value = _CONSTANTS.get(value, value)
    if (dtype := value.rpartition(".")[2]) in DTYPES or (dtype in _DTYPES and name == "dtype"):
        value = dtype if dtype in DTYPES else _DTYPES[dtype]
    if axes := re.fullmatch(r"\((.*?),?\s*\)", value):
        value = f"[{axes[1]}]"
    return f"{name}={value}" if name else value


def _of_arguments(name: str, given: list[str]) -> str:
    """What to write for a member whose arguments have another form here: a shape, a dtype or bounds."""
    values = [one.rpartition("=")[2] for one in given]
    if name in _SHAPED and (values or name != "transpose"):
        is_list = len(values) == 1 and not re.fullmatch(r"-?\w+", values[0])
        shape = values[0] if is_list else f"[{', '.join(values) or '...'}]"
        return f"{_SHAPED[name]}({{x}}, {shape})"
    if name in ("astype", "to", "type"):
        word = re.sub(r".*\.|[\"']", "", values[0]) if values else ""
        return f"cast({{x}}, {word if word in DTYPES else _DTYPES.get(word, 'float32')})"
    if name in ("clip", "clamp"):
        bounds = dict(one.split("=") for one in given if "=" in one)
        if len(given) == 1 and bounds:
            return f"{'minimum' if given[0].startswith('max') else 'maximum'}({{x}}, {values[0]})"
        return f"clip_by_value({{x}}, {', '.join(values) if len(values) > 1 else 'low, high'})"
    if name == "masked_fill" and len(values) == 2:
        return f"where({values[0]}, {values[1]} * ones_like({{x}}), {{x}})"
    if name == "size" and values:
        return f"shape({{x}})[{values[0]}]"
    return ""
