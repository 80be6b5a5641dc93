"""The batch rules of the op table against TensorFlow: what a rule claims of the parts of a batch is so.

The arguments of a call get rows of a batch, or means or sums over its rows. If the rule of the row says how the result
depends on the batch, TensorFlow computes it for the whole batch and for two uneven parts, and these must agree as the
rule says. The calls are the example of the row and other calls of it, also with other axes and flags.
"""

import contextlib
import copy
import itertools
import zlib

import numpy as np
import pytest
import tensorflow as tf
from conftest import part_of, some
from op_calls import MORE_CALLS
from op_examples import OPS, Bound, Example, evaluate, invoke, our_call, tf_arguments

from tfdsl.analysis.batch_kinds import batch_kind
from tfdsl.analysis.sessions.combination import Combinations, NotCombined
from tfdsl.ops import OPS as TABLE
from tfdsl.ops.batch import COLUMNS, FIXED, MEAN, ROWS, SIZES, SUM, linear, rows, stacked, total, whole
from tfdsl.ops.op import RuleRefused
from tfdsl.program import Literal, Node, Origin, Ref, Refs, Static
from tfdsl.record import replace
from tfdsl.source import Source, Span
from tfdsl.types import DTYPES, FLOAT64, Size, TensorType

PARTS = (3, 2)  # the rows of two parts of a batch

# Rows of which nothing can be tried like this, each with the reason.
UNTRIED = dict.fromkeys(
    (
        "conv1d_transpose",
        "conv2d_transpose",
        "conv3d_transpose",
        "fill",
        "ones",
        "random_normal",
        "random_uniform",
        "truncated_normal",
        "zeros",
    ),
    "the number of rows is a part of an argument",
)

# Rows that take no tensor.
UNGIVEN = ("constant", "linear_to_mel_weight_matrix", "no_op")

# Calls besides those of `op_calls.py`.
CALLS = ["where([true, false])", "dropout([1.0, 2.0, 3.0], rate=0.0)", "reshape([[1, 2, 3], [4, 5, 6]], [-1, 3, 1])"]

AXES = {"axis", "axes", "dim", "perm", "seq_axis", "batch_axis"}
FRONT = "front"  # rows, with the batch axis before the axes of the example
WAYS = (FIXED, ROWS, COLUMNS, FRONT, MEAN, SUM)  # what an argument can be


def calls(op):
    """The example of a row and other calls of it, also with each flag turned and with other axes."""
    known = CALLS if op.draws else [op.example, *MORE_CALLS, *CALLS]
    for text in [one for one in known if one.split("\n")[-1].startswith(f"{op.name}(")]:
        example = evaluate(text)
        yield example
        for param in op.params:
            for value in _others(param, example.given.get(param.name, param.default)):
                yield Example(op, (), {**example.given, param.name: value})


def _others(param, value):
    if param.kind == "flag":
        return [not value]
    if param.name not in AXES:
        return []
    if param.kind == "integer":
        return [0, 1, -1]
    if param.kind == "tensor":
        return [[0], [1], [-1], [0, 1]] if isinstance(value, list) else [0, 1, -1]
    if param.kind == "integers":
        return [0, 1, -1, [0], [1], [0, 1], *([None] if param.default is None else [])]
    return []


def wide(example):
    """The arguments of a call, in float64 where the row takes it."""
    bound = Bound(example)
    numbers = {
        param.group: FLOAT64
        for param in bound.op.params
        if param.is_tensor and param.group and param.group not in DTYPES
        and param.group in bound.groups and bound.groups[param.group].kind in ("float", "int", "uint") and FLOAT64 in bound.op.allowed(param.group)
    }  # fmt: skip
    return Bound(example, **numbers) if numbers else bound


def assignments(slots):
    """What each argument is. All ways if there are few arguments; else one, two or all of them depend on the batch."""
    if len(slots) <= 2:
        return [dict(zip(slots, ways)) for ways in itertools.product(WAYS, repeat=len(slots))][1:]
    fixed = dict.fromkeys(slots, FIXED)
    chosen = [some for count in {1, 2, len(slots)} for some in itertools.combinations(slots, count)]
    return [fixed | dict.fromkeys(some, way) for way in WAYS[1:] for some in chosen]


# --- what the rule claims ---------------------------------------------------------------------

ORIGIN = Origin(Span(Source("t", ""), 0, 0))


def frozen(value):
    return tuple(map(frozen, value)) if isinstance(value, (list, tuple)) else getattr(value, "name", value)


def flat(result):
    return [one for part in result for one in flat(part)] if isinstance(result, (list, tuple)) else [result]


def asked(bound, ways):
    """A node with the nodes of its arguments that depend on the batch and their kinds. None if it is no call."""
    values = {(name, position): value for name, position, value in bound.inputs()}
    types = {slot: _type(values[slot], way) for slot, way in ways.items() if way != FIXED}
    try:
        outputs = flat(bound.op.typed(our_call(bound, {slot: type.shape for slot, type in types.items()})))
    except RuleRefused:
        return None
    nodes = {id: Node(id, "placeholder", {}, None, (type,), ORIGIN) for id, type in enumerate(types.values())}
    kinds = {id: ROWS if ways[slot] == FRONT else ways[slot] for id, slot in enumerate(types)}
    refs = {slot: Ref(id) for id, slot in enumerate(types)}
    tensors = {slot: refs.get(slot, Literal(frozen(value.tolist()), _dtype(value))) for slot, value in values.items()}
    args = {name: Static(frozen(value)) for name, value in bound.given.items()}
    args |= {name: Refs(arg) if isinstance(arg, tuple) else arg for name, arg in by_argument(tensors, tuple).items()}
    return Node(len(nodes), bound.op.name, args, None, tuple(outputs), ORIGIN), nodes, kinds


def claimed(bound, ways):
    """The kind that the rule of a row gives to the result, or None."""
    found = asked(bound, ways)
    if found is None:
        return None
    node, nodes, kinds = found
    return batch_kind(nodes, node, kinds)


def by_argument(slots, kind):
    """The values of arguments from those of their slots, which are their names and perhaps positions in lists."""
    names = dict.fromkeys(name for name, _ in slots)
    return {
        name: slots[name, None]
        if (name, None) in slots
        else kind(one for slot, one in slots.items() if slot[0] == name)
        for name in names
    }


def _dtype(value):
    return "string" if value.dtype == object else tf.dtypes.as_dtype(value.dtype).name


def _type(value, way):
    if way == COLUMNS:
        return TensorType(DTYPES[_dtype(value)], (*value.shape[:1], Size("n"), *value.shape[2:]))
    shape = (Size("n"), *value.shape[1:]) if way == ROWS else (Size("n"), *value.shape) if way == FRONT else value.shape
    return TensorType(DTYPES[_dtype(value)], shape)


# --- what TensorFlow computes -----------------------------------------------------------------


def drawn(random, value, shape, is_wide=False):
    """Random values of the dtype of an array: near its own, or of all sizes and signs."""
    kind = value.dtype.kind
    if kind == "b":
        return random.integers(0, 2, shape).astype(bool)
    if kind == "c":
        return (random.normal(size=shape) + 1j * random.normal(size=shape)).astype(value.dtype)
    if kind == "f" or tf.dtypes.as_dtype(value.dtype).is_floating:
        low, high = np.float64(value.min()), np.float64(value.max())
        low, high = (low, high) if low < high else sorted((low / 2, low or 1.0))
        near = random.uniform(low, high, shape)
        return np.asarray(10 * random.normal(size=shape) if is_wide else near, value.dtype)
    return value.reshape(-1)[random.integers(value.size, size=shape)]


def parts_and_whole(random, value, way, is_wide):
    """An argument for both parts of a batch, and for all of it. None if there is no such argument."""
    if way == FIXED:
        return value, value, value
    if (
        way == FRONT and value.dtype.kind in "fc"
    ):  # the example itself in different sizes, as a matrix must stay what it is
        first, second = (
            (value * random.uniform(0.5, 1, (count, *[1] * value.ndim))).astype(value.dtype) for count in PARTS
        )
        return first, second, np.concatenate([first, second])
    if way in (ROWS, FRONT):
        if way == ROWS and not value.ndim:
            return None
        inner = value.shape[1:] if way == ROWS else value.shape
        first, second = (drawn(random, value, (count, *inner)) for count in PARTS)
        return first, second, np.concatenate([first, second])
    if way == COLUMNS:
        if value.ndim < 2:
            return None
        outer, inner = value.shape[:1], value.shape[2:]
        first, second = (drawn(random, value, (*outer, count, *inner)) for count in PARTS)
        return first, second, np.concatenate([first, second], axis=1)
    if value.dtype.kind not in ("fc" if way == MEAN else "fciu"):
        return None
    first, second = (np.asarray(drawn(random, value, value.shape, is_wide), value.dtype) for _ in PARTS)
    return first, second, np.asarray(combined(way, [first, second]), value.dtype)


def combined(kind, values):
    """The value for a batch, from those for its parts."""
    first, second = values
    if kind == ROWS:
        return np.concatenate([first, second])
    if kind == COLUMNS:
        return np.concatenate([first, second], axis=1)
    if kind == SIZES:
        return np.concatenate([first[:1] + second[:1], first[1:]])
    if kind == MEAN:
        return (PARTS[0] * first + PARTS[1] * second) / sum(PARTS)
    return first + second if kind == SUM else first


def computed(bound, arrays):
    """The results of TensorFlow for other tensors, as arrays."""
    call = copy.copy(bound)
    call.arrays = by_argument(arrays, list)
    return [np.asarray(one) for one in flat(invoke(bound.op, tf_arguments(call)))]


def agree(first, second):
    if first.dtype.kind not in "fc":
        return first.shape == second.shape and bool((first == second).all())
    near = 1e-8 if first.dtype.itemsize // (2 if first.dtype.kind == "c" else 1) == 8 else 1e-4
    return first.shape == second.shape and np.allclose(first, second, near, near, equal_nan=True)


def tried(name):
    """How often something was tried that the rule of a row claims, and what is not so."""
    random = np.random.default_rng(zlib.crc32(name.encode()))
    for widened in (wide, Bound):  # not every kernel has float64
        results = [one for example in calls(TABLE[name]) for one in tried_of(random, widened(example))]
        if results:
            break
    return len(results), [fault for fault in results if fault]


def tried_of(random, bound):
    """What is wrong with a claim, for each claim about the parts of a batch that TensorFlow can compute; "" if it is so."""
    tensors = {param.name for param in bound.op.params if param.kind in ("tensor", "tensors")}
    slots = {(name, position): value for name, position, value in bound.inputs()}
    for ways in assignments([slot for slot in slots if slot[0] in tensors]):
        kind = claimed(bound, ways)
        for is_wide in (False, True) if {MEAN, SUM} & set(ways.values()) else (False,):
            given = {
                slot: parts_and_whole(random, value, ways.get(slot, FIXED), is_wide) for slot, value in slots.items()
            }
            if kind is None or None in given.values():
                continue
            first, second, all_rows = ({slot: values[at] for slot, values in given.items()} for at in range(3))
            try:
                wanted = computed(bound, all_rows)
            except (tf.errors.OpError, ValueError, TypeError):
                continue  # no call of TensorFlow for so many rows
            fault = f"{kind} of {bound.op.name} {bound.given} with {ways}"
            yield "" if is_so(kind, bound, wanted, first, second) else fault


def is_so(kind, bound, wanted, first, second):
    try:
        parts = [computed(bound, first), computed(bound, second)]
        found = [np.asarray(combined(kind, values)) for values in zip(*parts, strict=True)]
    except (tf.errors.OpError, ValueError, TypeError):
        return False
    same = kind != FIXED or all(map(agree, *parts))
    return same and len(found) == len(wanted) and all(map(agree, found, wanted))


SPLIT = [op.name for op in OPS.values() if op.batch is not whole]


@pytest.mark.parametrize("name", some(SPLIT, part_of(SPLIT, 4)))
def test_what_rules_claim_is_so(name):
    count, faults = tried(name)
    assert not faults
    assert (count == 0) == (name in UNTRIED)


class Given(Combinations):
    """The combinations of a node whose arguments have given kinds."""

    def __init__(self, node, nodes, kinds):
        self.given = kinds
        super().__init__({**nodes, node.id: node}, [*nodes, node.id], (), (), (), ())

    def _kind(self, node):
        return self.given[node.id] if node.id in self.given else super()._kind(node)


def combined_or_refused(example):
    """How many kinds of arguments of a call a combination has an answer for."""
    count, bound = 0, Bound(example)
    slots = [(param, position) for param, position, _ in bound.inputs()]
    for way in (ROWS, COLUMNS, MEAN, SUM, SIZES):
        for chosen in (slots[:1], slots):
            found = asked(bound, dict.fromkeys(chosen, way))
            if found is not None and chosen:
                count += 1
                with contextlib.suppress(NotCombined):
                    Given(*found).combined(Ref(found[0].id))
    return count


def test_any_kinds_of_arguments_are_combined_or_refused(request):
    """Of every fourth op, or of all with `--long`."""
    names = list(OPS) if request.config.getoption("--long") else list(OPS)[::4]
    answered = {name: sum(map(combined_or_refused, calls(TABLE[name]))) for name in names}
    assert not [name for name, n in answered.items() if not (n or TABLE[name].draws or name in UNGIVEN)]


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("tanh", linear("x")),
        ("relu", linear("features")),
        ("reverse", rows("tensor")),
        ("sort", rows("values")),
        ("matrix_transpose", stacked(2)),
        ("softmax", rows("logits")),
        ("reduce_max", total("input_tensor")),
    ],
)
def test_wrong_rules_are_found(name, rule, monkeypatch):
    monkeypatch.setitem(TABLE, name, replace(TABLE[name], batch=rule))
    _, faults = tried(name)
    assert faults
