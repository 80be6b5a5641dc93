"""The op table covers TensorFlow's public functions, or `left_out.py` says what to write instead."""

import inspect
import os

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf
from tensorflow.compat import v1
from tensorflow.python.util import tf_decorator

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.lowering.tf import resolve
from tfdsl.ops import OPS
from tfdsl.ops.left_out import MODULES, REASONS, ROWS
from tfdsl.ops.raw import find

WALKED = ("math", "linalg", "losses", "image", "nn", "random", "signal", "strings")


def functions(module):
    """The public functions of a module by name."""
    members = {name: getattr(module, name) for name in dir(module) if not name.startswith("_")}
    return {name: one for name, one in members.items() if callable(one) and not inspect.isclass(one)}


def identity(function):
    """The same for all names of a function, which TensorFlow may wrap in different ways."""
    return id(tf_decorator.unwrap(function)[1])


SAME: dict[int, set[str]] = {}
for _op in OPS.values():
    SAME.setdefault(identity(resolve(_op.tf)), set()).add(_op.name)


def left(module):
    """The functions of a module that have neither a row nor a valid reason, each with what is wrong."""
    for name, function in functions(getattr(v1, module)).items():
        rows, qualified = SAME.get(identity(function), set()), f"{module}.{name}"
        if name in rows or qualified in REASONS:
            continue
        said = ROWS.get(qualified, ROWS.get(name))
        if rows and said not in rows:
            yield f"{qualified} is the row {' or '.join(rows)}, and the table says {said}"
        elif not rows and (name in OPS or not (said or name in REASONS)):
            yield f"{qualified} is neither a row nor in the table"


@pytest.mark.parametrize("module", WALKED)
def test_every_function_of_a_module_is_a_row_or_has_a_reason(module):
    assert not list(left(module))


def test_a_function_that_is_neither_is_found(monkeypatch):
    monkeypatch.setattr(v1.math, "another", lambda x: x, raising=False)
    monkeypatch.delitem(ROWS, "det")
    assert list(left("math")) == ["math.another is neither a row nor in the table"]
    assert list(left("linalg")) == ["linalg.det is the row matrix_determinant, and the table says None"]


OTHERS = [v1, tf, *(getattr(tf, name) for name in WALKED if name != "losses")]  # those are of Keras


@pytest.mark.parametrize("module", OTHERS, ids=lambda one: one.__name__)
def test_every_function_of_tensorflow_itself_is_a_row_or_has_a_reason(module):
    """Also those of TensorFlow 2, whose functions are others of the same names."""
    known = {*OPS, *(op.tf.rpartition(".")[2] for op in OPS.values()), *ROWS, *REASONS}
    assert not [name for name, one in functions(module).items() if name not in known and identity(one) not in SAME]


def test_the_table_is_of_functions_without_a_row():
    walked = [v1, tf, *(getattr(version, name) for version in (v1, tf) for name in MODULES if name != "losses")]
    known = {name for module in (*walked, v1.losses) for name in functions(module)}
    assert not [name for name in (*ROWS, *REASONS) if name.rpartition(".")[2] not in known]
    assert not [name for name in (*ROWS, *REASONS) if name in OPS]
    assert not set(ROWS) & set(REASONS) and set(ROWS.values()) <= set(OPS)
    assert len(REASONS) == sum(len(names.split()) for names in tfdsl.ops.left_out._REASONS.values()), (
        "one has two reasons"
    )


@pytest.mark.parametrize(
    ("call", "help"),
    [
        ("det([[1.0]])", "write: matrix_determinant([[1.0]])"),
        ("to_float([1])", "write: cast(x, float32), or another dtype"),
        ("linalg.det([[1.0]])", "ops are written without a module: matrix_determinant([[1.0]])"),
        ("nn.ctc_loss([1])", REASONS["ctc_loss"]),
        ("nn.max_pool_v2([1])", "write: max_pool(...)"),
    ],
)
def test_a_program_is_told_what_to_write(call, help):
    with pytest.raises(TfgError) as caught:
        tfdsl.compile(f"import nn\nx = {call}\n")
    assert [one.help_line for one in caught.value.diagnostics] == [help]


def test_ops_of_raw_in_reasons_exist():
    words = " ".join({*REASONS.values()}).replace("(", " ").replace(",", " ").split()
    named = [word.removeprefix("raw.") for word in words if word.startswith("raw.") and word != "raw."]
    assert named and all(find(name) is not None for name in named)


def test_the_table_is_large():
    assert len(OPS) > 380
