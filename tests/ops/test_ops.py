"""The op table against TensorFlow: every row's symbol, parameters, dtypes, types and refusals.

Each row's example is called in three ways: unchanged, with its tensors replaced by placeholders of less and less known
types, and with every dtype. Our rule must agree with TensorFlow's static inference, and refuse what it refuses.
"""

import inspect
import itertools
import os
import random
import subprocess
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from conftest import some
from op_calls import FAILS_WHEN_RUN, MORE_CALLS, MORE_PRECISE, NARROWER, WRONG

from tfdsl.diagnostics import RANK_UNKNOWN
from tfdsl.diagnostics.message import filled
from tfdsl.ops import OPS as ALL_OPS
from tfdsl.ops.op import OpCall, RuleRefused
from tfdsl.types import DTYPES, Size, Sizes, TensorType

OPS = {name: op for name, op in ALL_OPS.items() if op.group != "graph"}  # no rule types those
VARIANTS = 8
TF_REFUSALS = (
    ValueError,
    TypeError,
    IndexError,
    NotImplementedError,
    AssertionError,
    AttributeError,
    tf.errors.InvalidArgumentError,
)

# Rows that are called differently in TensorFlow.
SPECIAL = {
    "clip_by_global_norm": lambda **arguments: tf.compat.v1.clip_by_global_norm(**arguments),
    "einsum": lambda equation, inputs: tf.einsum(equation, *inputs),
    "meshgrid": lambda args, **options: tf.meshgrid(*args, **options),
}


def resolve(path):
    found = tf.compat.v1
    for part in path.split("."):
        found = getattr(found, part)
    return found


def invoke(op, arguments):
    """The result of TensorFlow for a row and its arguments."""
    if op.group == "initializers":
        own = {k: v for k, v in arguments.items() if k not in ("shape", "dtype")}
        return resolve(op.tf)(**own)(arguments["shape"], dtype=arguments.get("dtype", tf.float32))
    return SPECIAL.get(op.name, resolve(op.tf))(**arguments)


# Grappler may turn a call that cannot run into one that can.
PLAIN = tf.compat.v1.ConfigProto()
PLAIN.graph_options.rewrite_options.disable_meta_optimizer = True
PLAIN.graph_options.optimizer_options.opt_level = -1


# --- An example, evaluated ----------------------------------------------------------------------


class Example:
    """A call in an example: the op and, for each given parameter, a value, a list or a nested Example."""

    def __init__(self, op, args, kwargs):
        self.op = op
        names = [param.name for param in op.params]
        assert len(args) <= len(names) and set(kwargs) <= set(names), op.name
        self.given = dict(zip(names, args)) | kwargs
        for param in op.params:
            if isinstance(self.given.get(param.name), Example):
                self.given[param.name] = self.given[param.name].value()

    def value(self):
        """The value of a nested call, with its dtype."""
        with tf.Graph().as_default(), tf.compat.v1.Session(config=PLAIN) as session:
            return session.run(invoke(self.op, tf_arguments(Bound(self))))


def evaluate(text):
    """The outermost call of an example, after its declarations of variables."""
    names = {"true": True, "false": False, "none": None, **DTYPES}
    names |= {name: lambda *a, op=op, **k: Example(op, a, k) for name, op in OPS.items()}
    *declarations, expression = text.split("\n")
    for line in declarations:
        name, value = line.removeprefix("variable ").split(" = ")
        names[name] = eval(value, names)
    return eval(expression, {"__builtins__": {}}, names)


def natural(value):
    """The default dtype of a value."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype != object:
        return DTYPES[value.dtype.name] if value.dtype.kind not in "SU" else DTYPES["string"]
    flat = list(leaves(value))
    if any(isinstance(leaf, (str, bytes)) for leaf in flat):
        return DTYPES["string"]
    if all(isinstance(leaf, (bool, np.bool_)) for leaf in flat):
        return DTYPES["bool"]
    return DTYPES["float32" if any(isinstance(leaf, float) for leaf in flat) else "int32"]


def leaves(value):
    return itertools.chain.from_iterable(map(leaves, value)) if isinstance(value, (list, tuple)) else [value]


def array(value, dtype):
    return np.array(value, tf.dtypes.as_dtype(dtype.name).as_numpy_dtype)


class Bound:
    """The arguments of an example with their dtypes, for an `OpCall` and for TensorFlow."""

    def __init__(self, example, **forced):
        self.op, self.given = example.op, dict(example.given)
        self.groups = dict(forced)
        params = {param.name: param for param in self.op.params}
        for param in params.values():
            value = self.given.get(param.name, param.default)
            if param.kind == "dtype" and param.group in forced:
                self.given[param.name] = forced[param.group]
            elif param.kind == "dtype" and param.group and isinstance(value, type(DTYPES["bool"])):
                self.groups.setdefault(param.group, value)
        for group, values in self.by_group(params).items():
            strong = [v for v in values if isinstance(v, np.ndarray | np.generic)]
            best = max(map(natural, strong or values or [0.0]), key=lambda d: (d.kind == "float", d.bits))
            self.groups.setdefault(group, DTYPES.get(group, best))
        self.arrays = {}
        for name, value in self.given.items():
            param = params[name]
            if not param.is_tensor or value is None:
                continue
            dtype = DTYPES["int32"] if param.kind == "shape" else self.groups[param.group]
            many = param.kind == "tensors"
            self.arrays[name] = [array(v, dtype) for v in value] if many else array(value, dtype)

    def by_group(self, params):
        found = {}
        for name, value in self.given.items():
            param = params[name]
            if param.is_tensor and param.group and value is not None:
                found.setdefault(param.group, []).extend(value if param.kind == "tensors" else [value])
        return found

    def inputs(self):
        """Every tensor of the call, as (parameter, position in its list, value)."""
        for name, value in self.arrays.items():
            for position, one in enumerate(value) if isinstance(value, list) else [(None, value)]:
                yield name, position, one


def our_type(value, shape="own"):
    dtype = DTYPES["string"] if value.dtype == object else DTYPES[tf.dtypes.as_dtype(value.dtype).name]
    return TensorType(dtype, value.shape if shape == "own" else shape)


def our_call(bound, shapes):
    """The `OpCall` for a rule. `shapes` has the known types of the tensors that are not constants."""
    arguments, values = {}, {}
    for param in bound.op.params:
        name = param.name
        if name in bound.arrays and param.kind == "tensors":
            parts = list(enumerate(bound.arrays[name]))
            arguments[name] = tuple(our_type(v, shapes.get((name, i), "own")) for i, v in parts)
            values[name] = [None if (name, i) in shapes else v.tolist() for i, v in parts]
        elif name in bound.arrays:
            arguments[name] = our_type(bound.arrays[name], shapes.get((name, None), "own"))
            if (name, None) not in shapes and param.kind != "variable":
                values[name] = bound.arrays[name].tolist()
        elif param.is_tensor and param.default is not None and name not in bound.given:
            arguments[name] = TensorType(bound.groups.get(param.group, DTYPES.get(param.group)), ())
            values[name] = param.default
        else:
            arguments[name] = bound.given.get(name, param.default)
    return OpCall(bound.op, arguments, values, bound.groups, Sizes())


def tf_arguments(bound, shapes=None, defaults=False):
    """The keyword arguments for TensorFlow, in the default graph."""
    shapes, built = shapes or {}, {}
    for name, position, value in bound.inputs():
        dtype = tf.string if value.dtype == object else value.dtype
        kind = next(param.kind for param in bound.op.params if param.name == name)
        if kind == "variable":
            tensor = tf.compat.v1.get_variable(name, initializer=tf.constant(value), use_resource=True)
        elif (name, position) in shapes:
            tensor = tf.compat.v1.placeholder(dtype, shapes[name, position])
        else:
            tensor = value if kind == "shape" or bound.op.name == "constant" else tf.constant(value, dtype)
        if position is None:
            built[name] = tensor
        else:
            built.setdefault(name, []).append(tensor)
    for param in bound.op.params:
        given = param.name in bound.given
        if param.name in built or (param.is_tensor and not given):
            continue
        if given or (defaults and param.default is not None):
            value = bound.given[param.name] if given else param.default
            built[param.name] = tf.dtypes.as_dtype(value.name) if value in DTYPES.values() else value
    return built


def described(result):
    """TensorFlow's result in our terms."""
    if isinstance(result, (list, tuple)):
        return tuple(map(described, result))
    if result is None or isinstance(result, tf.Operation):
        return ()
    shape = None if result.shape.rank is None else tuple(result.shape.as_list())
    return TensorType(DTYPES[tf.dtypes.as_dtype(result.dtype).base_dtype.name], shape)


def both(bound, shapes=None, defaults=False):
    """The answers of our rule and of TensorFlow: a type, or the refusal."""
    shapes = shapes or {}
    try:
        ours = bound.op.typed(our_call(bound, shapes))
    except RuleRefused as refused:
        details = {"op": bound.op.name, **refused.details}
        assert "{" not in filled(refused.message.headline, details) + filled(refused.message.help, details)
        ours = refused
    with tf.Graph().as_default():
        try:
            theirs = described(invoke(bound.op, tf_arguments(bound, shapes, defaults)))
        except TF_REFUSALS as error:
            theirs = error
    return ours, theirs


def covers(ours, theirs):
    """Whether our type equals TensorFlow's, or is more precise."""
    if isinstance(ours, tuple) or isinstance(theirs, tuple):
        return (
            isinstance(ours, tuple)
            and isinstance(theirs, tuple)
            and len(ours) == len(theirs)
            and all(map(covers, ours, theirs))
        )
    if ours.dtype != theirs.dtype:
        return False
    if theirs.shape is None or ours.shape is None:
        return theirs.shape is None
    pairs = zip(ours.shape, theirs.shape)
    return len(ours.shape) == len(theirs.shape) and all(b in (None, a) for a, b in pairs)


def check(bound, shapes, defaults=False):
    ours, theirs = both(bound, shapes, defaults)
    shown = f"{bound.op.name} {shapes}: ours {ours!r} {getattr(ours, 'details', '')}, TensorFlow's {theirs!r}"
    if isinstance(ours, RuleRefused) and ours.message is RANK_UNKNOWN and bound.op.sliced:
        return  # only we check the sizes of slices, which requires a known rank
    assert isinstance(ours, RuleRefused) == isinstance(theirs, Exception), shown
    if not isinstance(ours, RuleRefused):
        assert ours == theirs or (bound.op.name in MORE_PRECISE and covers(ours, theirs)), shown


def weakened(name, bound, variants):
    """Variants of what is known about the tensors: masks of sizes, unknown ranks, remaining constants."""
    rng = random.Random(name)
    variable = {param.name for param in bound.op.params if param.kind == "variable"}
    inputs = [(param, position, value) for param, position, value in bound.inputs() if param not in variable]
    yield {(param, position): value.shape for param, position, value in inputs}
    yield {(param, position): None for param, position, value in inputs}
    for _ in range(variants):
        shapes = {}
        for param, position, value in inputs:
            way = rng.choice(["constant", "constant", "mask", "mask", "mask", "rank"])
            if way == "rank":
                shapes[param, position] = None
            elif way == "mask":
                shapes[param, position] = tuple(rng.choice([None, size]) for size in value.shape)
        yield shapes


EXAMPLES = [op.example for op in OPS.values()]

# --- The tests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPS)
def test_the_symbol_has_the_parameters(name):
    op = ALL_OPS[name]
    assert op.doc.endswith(".") and op.example.split("\n")[-1].startswith(f"{name}(")
    taken = inspect.signature(resolve(op.tf)).parameters
    if op.lowered and not {"name", *(param.name for param in op.params)} <= set(taken):
        return
    assert {param.name for param in op.params} <= set(taken)
    assert ("name" in taken) == op.named


@pytest.mark.parametrize("text", some([*EXAMPLES, *MORE_CALLS], [*EXAMPLES, *MORE_CALLS[::3]]))
def test_types_are_tensorflows(text, request):
    variants = VARIANTS if request.config.getoption("--long") else 1
    bound = Bound(evaluate(text))
    _, theirs = both(bound)
    assert not isinstance(theirs, Exception), theirs
    check(bound, {})
    check(bound, {}, defaults=True)
    for shapes in weakened(text, bound, variants):
        check(bound, shapes)


LETTERS = [
    (name, letter)
    for name, op in OPS.items()
    for letter in sorted({param.group for param in op.params if param.group} - set(DTYPES))
]


@pytest.mark.parametrize(("name", "letter"), some(LETTERS, LETTERS[::6]))
def test_dtypes_are_tensorflows(name, letter):
    example = evaluate(OPS[name].example)
    ours = {dtype.name for dtype in OPS[name].allowed(letter)} & set(DTYPES)
    accepted = {dtype.name for dtype in DTYPES.values() if takes(example, letter, dtype)}
    if (name, letter) == ("bitcast", "U"):
        ours.remove("complex128")  # four float32 would make one, but the example has two
    assert ours == accepted or (name in NARROWER and ours < accepted)


def takes(example, letter, dtype):
    """Whether TensorFlow builds the example with this dtype for the letter."""
    params = {param.name: param for param in example.op.params}
    given = {}
    for name, value in example.given.items():
        fits = params[name].group != letter or value is None
        given[name] = value if fits or params[name].kind == "dtype" else stand_in(value, params[name], dtype)
    copy = Example(example.op, (), given)
    bound = Bound(copy, **{letter: dtype})
    with tf.Graph().as_default():
        try:
            result = described(invoke(bound.op, tf_arguments(bound)))
        except (*TF_REFUSALS, KeyError, UnboundLocalError):  # tf.linalg.eig raises the last one
            return False
    if dtype in bound.op.allowed(letter):
        ours = bound.op.typed(our_call(bound, {}))
        assert (covers(ours, result) and covers(result, ours)) or bound.op.name in MORE_PRECISE, (ours, result)
    return True


def stand_in(value, param, dtype):
    """The same value in another dtype, if possible."""
    if dtype.name == "string":
        return (
            np.full(np.shape(value), b"1", object)
            if param.kind != "tensors"
            else [np.full(np.shape(v), b"1", object) for v in value]
        )
    if natural(value).name == "string":
        return value
    real = [np.real(v) for v in value] if param.kind == "tensors" else np.real(value)
    if dtype.kind == "uint":
        return [np.abs(v) for v in real] if param.kind == "tensors" else np.abs(real)
    return real


@pytest.mark.parametrize("code, text", FAILS_WHEN_RUN)
def test_calls_that_cannot_run_are_refused(code, text):
    example = evaluate(text)
    ours, _ = both(Bound(example))
    assert isinstance(ours, RuleRefused) and ours.message.code == code
    with pytest.raises(TF_REFUSALS):
        example.value()


@pytest.mark.parametrize("code, text", WRONG)
def test_wrong_calls_are_refused(code, text):
    ours, theirs = both(Bound(evaluate(text)))
    assert isinstance(theirs, Exception), theirs
    assert isinstance(ours, RuleRefused), ours
    assert ours.message.code == code


def test_named_sizes_are_kept():
    """A named size passes through an op that does not change it, and is unified with other sizes."""
    n, sizes = Size("n"), Sizes()
    f = DTYPES["float32"]

    def shape(op, values=None, **arguments):
        return OPS[op].typed(OpCall(OPS[op], arguments, values or {}, {"T": f}, sizes)).shape

    flags = dict.fromkeys(("transpose_a", "transpose_b", "adjoint_a", "adjoint_b"), False)
    assert shape("matmul", a=TensorType(f, (n, Size("k"))), b=TensorType(f, (3, 2)), **flags) == (n, 2)
    assert sizes.resolve(Size("k")) == 3
    assert shape("add", x=TensorType(f, (n, 4)), y=TensorType(f, (4,))) == (n, 4)
    assert shape("reduce_mean", input_tensor=TensorType(f, (n, 2)), axis=1, keepdims=False) == (n,)
    wanted = TensorType(DTYPES["int32"], (2,))
    assert shape("reshape", {"shape": [-1, 6]}, tensor=TensorType(f, (n, 2, 3)), shape=wanted) == (n, 6)


def test_import_is_light():
    code = "import sys, tfdsl.ops; print([m for m in ('tensorflow', 'numpy') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
