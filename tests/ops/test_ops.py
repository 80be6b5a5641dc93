"""The op table against TensorFlow: every row's symbol, parameters, dtypes, types and refusals.

A row's example is called with its tensors replaced by placeholders of less and less known types, and with every dtype.
Our rule must agree with TensorFlow's static inference, and refuse what it refuses. With `--long` this is done with all rows,
and with more variants of their examples.
"""

import inspect
import os
import random
import subprocess
import sys

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf
from conftest import part_of, some
from op_calls import FAILS_WHEN_RUN, MORE_CALLS, MORE_PRECISE, NARROWER, WRONG
from op_examples import OPS, Bound, Example, described, evaluate, invoke, natural, our_call, resolve, tf_arguments

from tfdsl.diagnostics import RANK_UNKNOWN
from tfdsl.diagnostics.message import filled
from tfdsl.ops.op import OpCall, RuleRefused
from tfdsl.types import DTYPES, Size, Sizes, TensorType

MASKS = 8
TF_REFUSALS = (
    ValueError,
    TypeError,
    IndexError,
    NotImplementedError,
    AssertionError,
    AttributeError,
    tf.errors.InvalidArgumentError,
)


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
        return theirs  # only we check the sizes of slices, which requires a known rank
    assert isinstance(ours, RuleRefused) == isinstance(theirs, Exception), shown
    if not isinstance(ours, RuleRefused):
        assert ours == theirs or (bound.op.name in MORE_PRECISE and covers(ours, theirs)), shown
    return theirs


def weakened(name, bound):
    """Variants of what is known about the tensors: unknown ranks, masks of sizes with remaining constants, all sizes."""
    rng = random.Random(name)
    variable = {param.name for param in bound.op.params if param.kind == "variable"}
    inputs = [(param, position, value) for param, position, value in bound.inputs() if param not in variable]
    yield {(param, position): None for param, position, value in inputs}
    for _ in range(MASKS):
        shapes = {}
        for param, position, value in inputs:
            way = rng.choice(["constant", "constant", "mask", "mask", "mask", "rank"])
            if way == "rank":
                shapes[param, position] = None
            elif way == "mask":
                shapes[param, position] = tuple(rng.choice([None, size]) for size in value.shape)
        yield shapes
    yield {(param, position): value.shape for param, position, value in inputs}


EXAMPLES = [op.example for op in OPS.values()]

# --- The tests ----------------------------------------------------------------------------------


def test_each_row_has_a_sentence_and_an_example():
    for name, op in OPS.items():
        assert op.doc.endswith(".") and op.example.split("\n")[-1].startswith(f"{name}("), name


def test_the_symbol_has_the_parameters():
    for name, op in OPS.items():
        taken = inspect.signature(resolve(op.tf)).parameters
        params = {param.name for param in op.params}
        if not op.lowered or {"name", *params} <= set(taken):
            assert params <= set(taken) and ("name" in taken) == op.named, name


# `test_op_examples.py` compares the type of every example when all is known.
@pytest.mark.parametrize("text", some([*EXAMPLES, *MORE_CALLS], [*part_of(EXAMPLES, 4), *part_of(MORE_CALLS, 20)]))
def test_types_are_tensorflows(text, request):
    bound = Bound(evaluate(text))
    theirs = check(bound, {})
    assert not isinstance(theirs, Exception), theirs
    variants = weakened(text, bound)
    check(bound, next(variants))
    check(bound, next(variants), defaults=True)
    if request.config.getoption("--long"):
        check(bound, {}, defaults=True)
        for shapes in variants:
            check(bound, shapes)


LETTERS = [
    (name, letter)
    for name, op in OPS.items()
    for letter in sorted({param.group for param in op.params if param.group} - set(DTYPES))
]


@pytest.mark.parametrize(("name", "letter"), some(LETTERS, [one for one in LETTERS if part_of([" ".join(one)], 20)]))
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
        is_same = covers(ours, result) and covers(result, ours)
        on_purpose = "a row that knows more on purpose is in MORE_PRECISE of op_calls.py"
        assert is_same or bound.op.name in MORE_PRECISE, (ours, result, on_purpose)
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
