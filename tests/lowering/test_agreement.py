"""Types of the program and of the graph: they agree, and a disagreement is an internal error."""

import os
import re
from dataclasses import replace

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import tensorflow as tf

import tfdsl
from tfdsl.diagnostics import TfgError
from tfdsl.lowering.graph import build
from tfdsl.program import Node
from tfdsl.types import DTYPES, Size, TensorType

# The fourth node is a copy of the third, made from a template.
TEXT = """placeholder x: float32[n, 3]
a, b = unique([1, 2, 2])
c = x * 2.0
d = c * 2.0
e = d * 2.0
no_op()
"""


def built(line: int, **changes):
    """The graph of TEXT, in which the node of one line has other outputs than the compiler found."""
    (graph,) = tfdsl.compile(TEXT).program.graphs
    items = tuple(
        replace(item, **changes) if isinstance(item, Node) and item.origin.span.line == line else item
        for item in graph.items
    )
    return build(replace(graph, items=items), {}.__getitem__)


def type(dtype: str, *shape) -> TensorType:
    return TensorType(DTYPES[dtype], shape)


@pytest.mark.parametrize(
    "line, outputs",
    [
        (3, (type("float64", None, 3),)),
        (4, (type("float32", None, 4),)),
        (5, (type("float32", Size("n"), 3, 1),)),
        (5, (type("int32", Size("n"), 3),)),
        (2, (type("int32", None),)),
        (2, (type("int32", None), type("int64", 3))),
        (2, (type("int32", None), type("int32", 4))),
        (6, (type("int32"),)),
        (5, ()),
    ],
)
def test_a_disagreement_is_an_internal_error_at_its_line(line, outputs):
    with pytest.raises(TfgError) as caught:
        built(line, outputs=outputs)
    (found,) = caught.value.diagnostics
    assert found.code == "TFG899" and found.span.line == line and "please report" in found.message.help


@pytest.mark.parametrize(
    "outputs",
    [(type("float32", None, None),), (TensorType(DTYPES["float32"], None),), (type("float32", Size("n"), 3),),
     (type("float32", 7, 3),)],
)  # fmt: skip
def test_either_side_may_be_more_precise(outputs):
    built(3, outputs=outputs)


def printed(text: str) -> list[str]:
    return tfdsl.compile(text).run().printed


def test_zeros_and_ones_like_have_the_dtype_of_the_tensor():
    for dtype in ("int32", "int64", "uint8", "float64", "complex64", "bool"):
        program = tfdsl.compile(f"placeholder x: {dtype}[2]\nz, o = [zeros_like(x), ones_like(x)]")
        assert program["z"].dtype == program["o"].dtype == tf.as_dtype(dtype)
    with pytest.raises(TfgError, match=r"1\.5 cannot become int32"):
        tfdsl.compile("x = constant([1, 2])\ny = zeros_like(x) + 1.5")
    text = "placeholder p: int32[2]\nb = p + ones_like(p)\nsession: print b, zeros_like(p, dtype=half) with p = [1, 2]"
    assert printed(text) == ["[2 3] [0. 0.]"]


def test_clip_by_global_norm_returns_a_list_and_the_norm():
    text = """
    a = constant([3.0, 4.0])
    clipped, norm = clip_by_global_norm([a, [[12.0]]], 6.5)
    same, given = clip_by_global_norm([a], 5.0, use_norm=10.0)
    session: print clipped[0], clipped[1], norm, same[0], given
    """
    assert printed(text.replace("\n    ", "\n")) == ["[1.5 2. ] [[6.]] 13.0 [1.5 2. ] 10.0"]


def test_bool_is_accepted_as_a_dtype():
    text = """
placeholder p: bool[?]
a = constant([true, false], dtype=bool)
b = cast([1, 0], bool)
c = zeros([2], dtype=bool)
d = raw.Cast(x=[2, 0], DstT=bool)
e = logical_and(p, a)
same = [p.dtype == bool, e.dtype != bool, e.dtype in [int32, bool], bool == p.dtype, bool(2)]
session: print a, b, c, d, e, same with p = [true, true]
"""
    expected = "[ True False] [ True False] [False False] [ True False] [ True False] [True, False, True, True, True]"
    assert printed(text) == [expected]


def test_half_and_quantized_dtypes():
    text = """
placeholder h: half[2]
q = cast([1, 255], quint8)
r = bitcast(q, qint8)
big = [cast(1, qint16), cast(2, quint16), cast(3, qint32)]
f = raw.Dequantize(input=q, min_range=0.0, max_range=51.0)
session: print h + cast([1, 2], half), q, r, cast(r, int32), big, f, h.dtype == float16 with h = [1, 2]
"""
    program = tfdsl.compile(text)
    assert program["h"].dtype == tf.float16 and program["q"].dtype == tf.quint8 and program["r"].dtype == tf.qint8
    assert program.run().printed == ["[2. 4.] [  1 255] [ 1 -1] [ 1 -1] [1 2 3] [ 0.2 51. ] True"]


def test_python_functions_take_dtypes_by_name():
    def made(dtype):
        return tf.zeros([2], dtype)

    for name, dtype in (("bool", tf.bool), ("half", tf.float16), ("quint8", tf.quint8)):
        program = tfdsl.compile(f"z = made({name})", ops={"made": made})
        assert program["z"].dtype == dtype


def test_rare_dtypes_of_literals_placeholders_and_variables(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = """
placeholder p: quint8[2]
variable v: qint8[2] = [-128, 127]
variable w: float8_e5m2 = 2.5
narrow = constant([-8, 7], dtype=int4)
session:
    save to "rare.ckpt"
    restore from "rare.ckpt"
    print identity(p), v, cast(v, int32), w, narrow, bitcast(p, qint8) with p = [255, 1]
"""
    program = tfdsl.compile(text)
    assert [program[name].dtype for name in ("p", "w", "narrow")] == list(
        map(tf.as_dtype, ("quint8", "float8_e5m2", "int4"))
    )
    assert program.run().printed == ["[255   1] [-128  127] [-128  127] 2.5 [-8 7] [-1  1]"]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("c = constant(256, dtype=quint8)", "quint8 holds 0 to 255"),
        ("c = constant(8, dtype=int4)", "int4 holds -8 to 7"),
        ("c = constant(1.5, dtype=qint32)", "write a whole number"),
        ("placeholder p: variant", "raw.Placeholder(dtype=variant)"),
    ],
)
def test_a_rare_dtype_refuses_what_it_cannot_hold(text, hint):
    with pytest.raises(TfgError, match=re.escape(hint)):
        tfdsl.compile(text)
