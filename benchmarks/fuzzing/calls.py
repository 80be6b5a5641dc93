"""Generates programs of one call of one op: the text, and the same call for TensorFlow by hand.

A call begins as an example of the op table. Then its shapes, dtypes, options and values are changed, and each tensor is
written as a literal or as a placeholder whose type is fully, partly or not known.
"""

import ast
from dataclasses import dataclass
from functools import cached_property
from random import Random

import numpy as np
import tensorflow as tf

from tfdsl.lowering.tf import resolve
from tfdsl.ops import OPS
from tfdsl.ops.op import REQUIRED, Op, Parameter
from tfdsl.types import DTYPES, DType

from .by_hand import OWN_WAY

ROWS = {name: op for name, op in OPS.items() if op.group != "graph"}
_NATURAL = {"float32", "int32", "bool", "string"}
_SIZES = (0, 1, 1, 2, 2, 2, 3, 3, 4, 5)
_NAMES = "nmkhw"  # of sizes
_MOST = 2000  # elements of a tensor


class Given:
    """An argument: its text in the program, and its value for TensorFlow."""

    def __init__(self, param: Parameter, value: object, dtype: str = "", form: str = "static", shape: object = None):
        self.param, self.value, self.dtype, self.form, self.shape = param, value, dtype, form, shape
        self.name = ""  # of the placeholder or variable

    def written(self) -> str:
        match self.form:
            case "placeholder" | "variable":
                return self.name
            case "dtype":
                return self.dtype
        return literal(self.value)

    def declaration(self) -> str:
        match self.form:
            case "placeholder":
                shape = "..." if self.shape is None else ", ".join(map(str, self.shape))
                return f"placeholder {self.name}: {self.dtype}" + (f"[{shape}]" if self.shape != () else "")
            case "variable":
                sizes = f"[{', '.join(map(str, self.value.shape))}]" if self.value.shape else ""
                initial = literal(self.value) if _is_literal(self.value) else "zeros"
                return f"variable {self.name}: {self.dtype}{sizes} = {initial}"
        return ""

    def by_hand(self) -> object:
        """The argument for TensorFlow, in the default graph."""
        v1 = tf.compat.v1
        match self.form:
            case "placeholder":
                shape = None if self.shape is None else [s if isinstance(s, int) else None for s in self.shape]
                return v1.placeholder(self.dtype, shape, name=self.name)
            case "variable":
                return v1.get_variable(self.name, initializer=tf.constant(self.value, self.dtype), use_resource=True)
            case "dtype":
                return tf.as_dtype(self.dtype)
            case "literal" if self.param.kind == "shape":
                return self.value.tolist()
            case "literal":
                return tf.constant(self.value, self.dtype)
        return self.value


@dataclass
class _Box:
    """A tensor's value while it is changed."""

    array: np.ndarray


def literal(value: object) -> str:
    match value:
        case np.ndarray():
            return literal(value.tolist())
        case None | True | False:
            return str(value).lower()
        case str():
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case bytes():
            return literal(value.decode())
        case list() | tuple():
            return f"[{', '.join(map(literal, value))}]"
        case float():
            return repr(value)
    return str(value)


@dataclass
class Call:
    """One call. `tensors` says for each argument whether it is a list of tensors."""

    op: Op
    arguments: dict[str, Given | list[Given]]

    def __post_init__(self) -> None:
        for at, one in enumerate(self.given):
            one.name = f"{'v' if one.form == 'variable' else 'p'}{at}"

    @property
    def given(self) -> list[Given]:
        return [one for item in self.arguments.values() for one in (item if isinstance(item, list) else [item])]

    @cached_property
    def text(self) -> str:
        lines = [line for one in self.given if (line := one.declaration())]
        written = {
            name: f"[{', '.join(one.written() for one in item)}]" if isinstance(item, list) else item.written()
            for name, item in self.arguments.items()
        }
        call = ", ".join(f"{name}={value}" for name, value in written.items())
        session = []
        if self.says_feeds:
            feeds = ", ".join(f"{name} = {literal(value)}" for name, value in self.feeds().items())
            session = [f"session: run out with {feeds}"]
        return "\n".join((*lines, f"out = {self.op.name}({call})", *session, ""))

    @cached_property
    def says_feeds(self) -> bool:
        """Whether the program feeds the placeholder itself, as it does if a name stands for a size."""
        fed = [one for one in self.given if one.form == "placeholder"]
        has_names = any(isinstance(size, str) and size != "?" for one in fed for size in one.shape or ())
        is_run = self.op.group != "checks" and self.op.name not in _LISTS
        return has_names and is_run and all(_is_literal(one.value) for one in fed)

    @property
    def is_known(self) -> bool:
        """Whether all sizes are numbers."""
        shapes = [one.shape for one in self.given if one.form == "placeholder"]
        return all(shape is not None and all(isinstance(size, int) for size in shape) for shape in shapes)

    @property
    def is_repeatable(self) -> bool:
        """Whether two runs return the same numbers."""
        names = {param.name for param in self.op.params}
        is_random = self.op.group in ("random", "initializers") or self.op.name in (*_DRAWING, *_UNSEEDED)
        if not is_random or self.op.name.startswith("stateless_"):
            return True
        if self.op.name in _UNSEEDED:
            return False
        return "seed" in names and "seed" in self.arguments and self.arguments["seed"].value is not None

    def feeds(self) -> dict[str, np.ndarray]:
        return {one.name: one.value for one in self.given if one.form == "placeholder"}

    def by_hand(self) -> object:
        """The result of TensorFlow's function, in the default graph."""
        arguments = {
            name: [one.by_hand() for one in item] if isinstance(item, list) else item.by_hand()
            for name, item in self.arguments.items()
        }
        if self.op.group == "initializers":
            own = {name: value for name, value in arguments.items() if name not in ("shape", "dtype")}
            return resolve(self.op.tf)(**own)(arguments["shape"], dtype=arguments.get("dtype", tf.float32))
        if self.op.name == "constant":
            arguments["value"] = self.arguments["value"].value
        return OWN_WAY.get(self.op.name, resolve(self.op.tf))(**arguments)


_LISTS = ("clip_by_global_norm",)  # rows that return a list among other things, which `run` does not take
_DRAWING = (
    "dropout",
    "random_brightness",
    "random_contrast",
    "random_saturation",
    "random_hue",
    "random_flip_left_right",
    "random_flip_up_down",
    "random_jpeg_quality",
    "sample_distorted_bounding_box",
    "nce_loss",
    "sampled_softmax_loss",
)
_UNSEEDED = (
    "noisy_linear_cosine_decay",
    "extract_glimpse",
    "fractional_max_pool",
    "fractional_avg_pool",
)  # the function of TensorFlow takes no seed


# --- examples ---------------------------------------------------------------------------------


def _example(op: Op) -> dict[str, object]:
    """The arguments of a row's example as Python values. Calls in it are computed."""
    *declared, expression = op.example.split("\n")
    names = {"true": True, "false": False, "none": None}
    for line in declared:
        name, _, value = line.removeprefix("variable ").partition(" = ")
        names[name] = ast.literal_eval(value)

    def value(node: ast.expr) -> object:
        match node:
            case ast.Name(id):
                return DTYPES[id] if id in DTYPES else names[id]
            case ast.List(elts):
                return [value(item) for item in elts]
            case ast.Call(func=ast.Name(id), args=args, keywords=keywords):
                inner = OPS[id]
                given = dict(zip((param.name for param in inner.params), map(value, args), strict=False))
                given |= {keyword.arg: value(keyword.value) for keyword in keywords}
                if node is tree:
                    return given
                with tf.Graph().as_default(), tf.compat.v1.Session() as session:
                    made = {n: tf.as_dtype(v.name) if isinstance(v, DType) else v for n, v in given.items()}
                    return session.run(resolve(inner.tf)(**made))
        return ast.literal_eval(node)

    tree = ast.parse(expression, mode="eval").body
    return value(tree)


class Calls:
    """`call(number, seed)` returns a call of one of some rows, in turn."""

    def __init__(self, names: list[str] | None = None):
        self._names = names or list(ROWS)
        self._examples: dict[str, dict[str, object]] = {}

    def call(self, number: int, seed: object = 1) -> Call:
        op, random = ROWS[self._names[number % len(self._names)]], Random(f"{seed} {number}")
        if op.name not in self._examples:
            self._examples[op.name] = _example(op)
        while True:
            call = _Maker(op, self._examples[op.name], random).call()
            if op.name != "constant" or call.arguments["value"].form == "literal":
                return call


class _Maker:
    def __init__(self, op: Op, example: dict[str, object], random: Random):
        self.op, self.random = op, random
        self.example = example
        self.params = {param.name: param for param in op.params}

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def call(self) -> Call:
        values = dict(self.example)
        for name, param in self.params.items():
            if name in values:
                if param.default is not REQUIRED and self.chance(0.1):
                    del values[name]
            elif self.chance(0.35):
                value = self.fresh(param)
                if value is not None:
                    values[name] = value
        dtypes = self.dtypes(values)
        tensors = {
            name: self.arrays(self.params[name], value, dtypes)
            for name, value in values.items() if self.params[name].is_tensor and value is not None
        }  # fmt: skip
        flat = [one for boxes in tensors.values() for one in boxes]
        for _ in range(self.random.choice((0, 0, 1, 1, 1, 2)) if flat else 0):
            self.edit(flat)
        decided = {param.group for name, param in self.params.items() if param.kind == "variable" or (
            param.kind == "dtype" and (values.get(name) or isinstance(param.default, DType)))}  # fmt: skip
        arguments: dict[str, Given | list[Given]] = {}
        names: dict[int, str] = {}
        for name, value in values.items():
            param = self.params[name]
            if name not in tensors:
                arguments[name] = self.static(param, value, dtypes)
                continue
            made = [self.given(param, one.array, names, decided) for one in tensors[name]]
            arguments[name] = made if param.kind == "tensors" else made[0]
        return Call(self.op, arguments)

    # --- values -------------------------------------------------------------------------------

    def dtypes(self, values: dict[str, object]) -> dict[str, str]:
        """A dtype for each letter."""
        found: dict[str, str] = {}
        for name, value in values.items():
            param = self.params[name]
            if param.kind == "dtype" and value is not None:
                found[param.group or name] = value.name
        for name, value in values.items():
            param = self.params[name]
            if param.is_tensor and param.group and value is not None and param.group not in found:
                found[param.group] = param.group if param.group in DTYPES else _natural(value, self.op, param.group)
        for param in self.params.values():
            if param.kind == "dtype" and isinstance(param.default, DType) and param.name not in values:
                found[param.group or param.name] = param.default.name
        for letter in list(found):
            if letter in DTYPES or not self.chance(0.35):
                continue
            if any(p.kind == "dtype" and p.group == letter and p.name not in values and p.default is not None
                   for p in self.params.values()):  # fmt: skip
                continue
            allowed = sorted(d.name for d in self.op.allowed(letter) if d in DTYPES.values())
            found[letter] = self.random.choice(allowed if self.chance(0.9) else list(DTYPES))
        return found

    def fresh(self, param: Parameter) -> object:
        """A value for a parameter that the example leaves out."""
        random = self.random
        match param.kind:
            case "flag":
                return random.choice((True, False))
            case "integer":
                return random.choice((-2, -1, 0, 0, 1, 1, 2, 3)) if param.name != "seed" else random.randrange(1, 99)
            case "number":
                return random.choice((0.5, 1.0, 2.0, 0.001))
            case "integers":
                return [random.choice((-2, -1, 0, 0, 1, 1, 2)) for _ in range(random.choice((0, 1, 1, 2, 2, 3)))]
            case "text":
                return random.choice(_TEXTS.get(param.name, ("a", "")))
            case "dtype":
                allowed = sorted(self.op.allowed(param.group), key=str) if param.group else list(DTYPES.values())
                return random.choice([d for d in allowed if d in DTYPES.values()])
            case "shape":
                return [random.choice((1, 2, 3, 4)) for _ in range(random.choice((0, 1, 1, 2)))]
            case "tensor":
                return random.choice((1, 2, 0.5)) if random.random() < 0.7 else [1, 2]
        return None

    def arrays(self, param: Parameter, value: object, dtypes: dict[str, str]) -> list["_Box"]:
        dtype = "int32" if param.kind == "shape" else dtypes[param.group]
        if param.kind != "tensors":
            return [_Box(_array(value, dtype))]
        items = [_Box(_array(item, dtype)) for item in value]
        if self.chance(0.1):
            return items[:-1] if self.chance(0.5) else [*items, _Box(items[0].array)]
        return items

    def edit(self, boxes: list["_Box"]) -> None:
        """Change a shape or a value, of one or of several tensors."""
        random, size = self.random, self.random.choice(_SIZES)
        one = random.choice(boxes)
        shape = one.array.shape
        way = random.choice("ssssssaabbbbcdefffv")
        if way in "sacd" and not shape:
            way = "b"
        match way:
            case "s":  # a size that several may have
                old = random.choice(shape)
                for box in boxes if self.chance(0.8) else [one]:
                    self.take(box, tuple(size if dim == old else dim for dim in box.array.shape))
            case "a":  # one size of one
                at = random.randrange(len(shape))
                self.take(one, (*shape[:at], size, *shape[at + 1 :]))
            case "b":  # a batch axis for all, or for one
                for box in boxes if self.chance(0.4) else [one]:
                    self.take(box, (size, *box.array.shape))
            case "c":
                self.take(one, shape[1:])
            case "d":
                self.take(one, shape[:-1])
            case "e":
                self.take(one, (*shape, size))
            case "f":
                self.take(one, tuple(random.choice(_SIZES) for _ in range(random.choice((0, 1, 1, 2, 2, 3, 4, 5)))))
            case "v" if one.array.size:
                one.array.reshape(-1)[random.randrange(one.array.size)] = _other(one.array, random)

    def take(self, box: "_Box", shape: tuple[int, ...]) -> None:
        """Another shape, with the same elements, repeated if there are too few."""
        size = int(np.prod(shape))
        if size > _MOST or len(shape) > 8:
            return
        old = box.array.reshape(-1)
        if old.size == 0:
            box.array = np.full(shape, "a" if old.dtype == object else 0, old.dtype)
            return
        picked = [at if at < old.size else self.random.randrange(old.size) for at in range(size)]
        box.array = old[picked].reshape(shape) if size else old[:0].reshape(shape)

    # --- forms --------------------------------------------------------------------------------

    def static(self, param: Parameter, value: object, dtypes: dict[str, str]) -> Given:
        if param.kind == "dtype":
            if value is None:
                return Given(param, None)
            return Given(param, None, dtypes.get(param.group or param.name, value.name), "dtype")
        if self.chance(0.25) and value is not None:
            value = self.changed(param, value)
        return Given(param, value)

    def changed(self, param: Parameter, value: object) -> object:
        """Another value of an option."""
        match value:
            case bool():
                return not value
            case int() if param.kind == "integers" and self.chance(0.4):
                return [value]
            case int():
                return self.random.choice((value + 1, value - 1, -value, 0, 1, 2, -1))
            case list() if value and all(type(item) is int for item in value):
                way = self.random.random()
                if way < 0.3:
                    return value[:-1] if self.chance(0.5) else [*value, self.random.choice((0, 1, 2, -1))]
                if way < 0.5:
                    return value[0]
                return [self.random.choice((item, item + 1, -item, 1, 2)) for item in value]
            case float():
                return self.random.choice((value, 0.5, 1.0, 2.0, 0.0, 0.25))
            case str():
                return self.random.choice(_TEXTS.get(param.name, (value,)))
        return value

    def given(self, param: Parameter, value: object, names: dict[int, str], decided: set) -> Given:
        if value is None:
            return Given(param, None)
        dtype = "int32" if param.kind == "shape" else _name(value)
        if param.kind == "variable":
            value = value if _is_literal(value) else np.full(value.shape, "" if dtype == "string" else 0, value.dtype)
            return Given(param, value, dtype, "variable")
        if param.kind == "shape":
            value = self.sizes(value)
        natural = {"float32"} if value.size == 0 else _NATURAL & self.taken(param)
        can = _is_literal(value) and (dtype in natural or param.group in decided or param.kind == "shape")
        if can and (self.op.name == "constant" or self.chance(0.45)):
            return Given(param, value, dtype, "literal")
        return Given(param, value, dtype, "placeholder", self.declared(value.shape, names))

    def taken(self, param: Parameter) -> set[str]:
        """The dtypes that a parameter may have."""
        return {dtype.name for dtype in self.op.allowed(param.group)} if param.group else _NATURAL

    def sizes(self, value: np.ndarray) -> np.ndarray:
        if value.size and self.chance(0.25):
            value = value.copy()
            value.reshape(-1)[self.random.randrange(value.size)] = self.random.choice((-1, 0, 1, 2, 3, 4, 6))
        return value

    def declared(self, shape: tuple[int, ...], names: dict[int, str]) -> tuple | None:
        way = self.random.random()
        if way < 0.6:
            return shape
        if way < 0.67:
            return None

        def size(number: int) -> object:
            kind = self.random.random()
            if kind < 0.35:
                return number
            if kind < 0.65:
                return "?"
            return names.setdefault(number, _NAMES[len(names) % len(_NAMES)] + "x" * (len(names) // len(_NAMES)))

        return tuple(map(size, shape))


_TEXTS = {
    "padding": ("SAME", "VALID", "SAME", "VALID", "same", "FULL"),
    "data_format": ("NHWC", "NCHW", "NWC", "NCW", "NDHWC", "NCDHW", "N"),
    "mode": ("CONSTANT", "REFLECT", "SYMMETRIC", "reflect", "fan_in", "fan_out", "fan_avg"),
    "indexing": ("xy", "ij", "yx"), "direction": ("ASCENDING", "DESCENDING", "up"), "side": ("left", "right", "up"),
    "unit": ("BYTE", "UTF8_CHAR", "byte"), "norm": ("ortho", "none"),
    "separator": ("", "-"), "fill": ("", "0", "ab"),
    "encoding": ("", "utf-8", "latin"),
    "template": ("{} {}", "{}", "a"), "placeholder": ("{}", "%s"), "errors": ("ignore", "replace", "strict", "none"),
    "input_encoding": ("UTF-8", "ISO-8859-1", "none"), "output_encoding": ("UTF-8", "UTF-32-BE", "ISO-8859-1"),
    "diagonals_format": ("compact", "matrix", "sequence"),
    "window_fn": ("hann_window", "kaiser_window", "hann"), "forward_window_fn": ("hann_window", "vorbis_window"),
    "distribution": ("uniform", "truncated_normal", "normal", "even"),
    "equation": ("ij,jk->ik", "ij,jk", "i,i->", "ij->ji", "...ij,...jk->...ik", "ii->i", "bij,bjk->bik", "ij,kl->ijkl",
                 "ij->i", "i->ii", "ij,j"),
    "ord": ("euclidean", "fro"),
    "method": ("bilinear", "nearest", "bicubic", "area", "lanczos3"),
    "reduction": ("none", "weighted_sum", "weighted_mean", "mean"),
    "pattern": ("[0-9]", "a", "("), "message": ("no", ""),
}  # fmt: skip


def _natural(value: object, op: Op, letter: str) -> str:
    """The dtype of an example's value."""
    while isinstance(value, list) and value and isinstance(value[0], list):
        value = value[0]
    array = np.asarray(value)
    if array.dtype.kind in "SUb":
        return "bool" if array.dtype.kind == "b" else "string"
    if isinstance(value, np.ndarray | np.generic):
        return _name(array)
    if array.dtype.kind == "f":
        return "float32"
    return "int32" if "int32" in {dtype.name for dtype in op.allowed(letter)} else "float32"


def _text(value: object) -> str | bytes:
    """A string, or bytes that are none, which the language cannot write."""
    if not isinstance(value, bytes):
        return str(value)
    return value.decode() if value.isascii() else value


def _array(value: object, dtype: str) -> np.ndarray:
    if dtype == "string":
        array = np.array(value, dtype=object)
        return np.array([_text(one) for one in array.reshape(-1)] + [None], object)[:-1].reshape(array.shape)
    array = np.array(value)
    if array.dtype.kind in "OSU":
        array = np.ones(array.shape)
    wanted = tf.as_dtype(dtype).as_numpy_dtype
    if np.dtype(wanted).kind == "u":
        array = np.abs(array)
    if array.dtype.kind == "c" and np.dtype(wanted).kind != "c":
        array = array.real
    return np.array(array.astype(wanted))


def _name(value: np.ndarray) -> str:
    return "string" if value.dtype == object else tf.as_dtype(value.dtype).name


def _other(array: np.ndarray, random: Random) -> object:
    if array.dtype == object:
        return random.choice(("", "x", "12", "3.5", "ab c"))
    return np.array(random.choice((0, 1, 2, 3, -1, 5, 0.5))).astype(array.dtype)


def _is_literal(value: np.ndarray) -> bool:
    """Whether the language can write an array: nested lists of finite numbers, not empty."""
    if value.dtype == object:
        return 0 not in value.shape and all(isinstance(item, str) for item in value.reshape(-1))
    if value.dtype.kind == "c" or (0 in value.shape[:-1]):
        return False
    if value.shape and value.shape[-1] == 0 and value.ndim > 1:
        return False
    return bool(np.isfinite(value.astype(np.float64)).all())
