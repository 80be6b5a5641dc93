"""Constants whose values are arrays of files beside the program."""

import io
import zipfile

import ml_dtypes
import numpy as np
import pytest
import tensorflow as tf

import tfdsl
from tfdsl.data import DataError
from tfdsl.data.constant import ONLY
from tfdsl.data.constants import constants_in, declared
from tfdsl.data.sources.npz.headers import ArrayHeader
from tfdsl.diagnostics import TfgError
from tfdsl.runtime.checkpoint.identity import differences, identity

ARRAYS = {
    "conv/w": np.arange(6, dtype=np.float32).reshape(2, 3),
    "big_endian": np.array([1.0, -2.0], ">f8"),
    "by_columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "half": np.array([1.5], np.float16),
    "brain": np.array([1.5, 2.0], ml_dtypes.bfloat16),
    "whole": np.array([[-1]], np.int16),
    "unsigned": np.array([2**64 - 1], np.uint64),
    "complex": np.array([1 + 2j], np.complex64),
    "flags": np.array([True, False]),
    "quantized": np.array([1, 255], tf.quint8.as_numpy_dtype),
    "nothing": np.zeros((0, 3), np.float32),
    "one": np.float32(3.5),
    "bytes": np.array([b"\xff\x00a", b""]),
    "text": np.array("é"),
}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_every_dtype_is_one_constant_with_its_bits(save):
    save("all.npz", **ARRAYS)
    names = {name: f"x{at}" for at, name in enumerate(ARRAYS)}
    program = tfdsl.compile("".join(f'{one} = stored("{name}", from="all.npz")\n' for name, one in names.items()))
    graph = program.graph
    assert [op.type for op in graph.get_operations()] == ["Const"] * len(ARRAYS)
    assert sorted(op.name for op in graph.get_operations()) == sorted(names.values())
    for name, array in ARRAYS.items():
        found = tf.make_ndarray(program[names[name]].op.get_attr("value"))
        assert found.shape == array.shape, name
        if array.dtype.kind in "SU":
            wanted = [one if isinstance(one, bytes) else one.encode() for one in array.ravel().tolist()]
            assert found.ravel().tolist() == wanted
        else:
            plain = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
            assert found.tobytes() == plain.tobytes() and found.dtype == plain.dtype, name


def test_an_npy_file_is_one_array():
    np.save("k.npy", np.arange(3.0))
    program = tfdsl.compile('y = stored(from="k.npy") * 2.0\nsession: print y')
    assert program.run().printed == ["[0. 2. 4.]"]


def test_names_are_filled_in_and_nodes_take_whole_names():
    np.savez("w.npz", **{f"block{i}/w": np.float32([i]) for i in range(2)})
    program = tfdsl.compile("""
def block(i):
    w = stored("block{i}/w", from="w.npz") as "whole/{i}"
    return w * 2.0
r = [block(i) for i in range(2)]
session: print r
""")
    assert program.run().printed == ["[[0.]\n [2.]]"]
    assert {"whole/0", "whole/1"} <= {op.name for op in program.graph.get_operations()}


def test_paths_are_relative_to_the_file_that_has_them(here):
    (here / "parts").mkdir()
    np.savez("parts/w.npz", w=np.float32([7]))
    (here / "parts/layer.tfg").write_text('k = stored("w", from="w.npz")\ndef f(): return stored("w", from="w.npz")\n')
    (here / "main.tfg").write_text('import "parts/layer.tfg" as layer\nsession: print layer.k + layer.f()\n')
    assert tfdsl.compile(here / "main.tfg").run().printed == ["[14.]"]


@pytest.mark.parametrize("call", ['stored("w", from="w.npz")', 'stored(from="k.npy")'])
def test_a_file_that_changes_after_the_check_is_an_error(call):
    np.savez("w.npz", w=np.float32([1]))
    np.save("k.npy", np.float32([1]))
    program = tfdsl.compile(f"a = {call}\nsession: print a")
    np.savez("w.npz", w=np.float32([2]))
    np.save("k.npy", np.float32([2]))
    with pytest.raises(TfgError, match="has changed since") as error:
        program.run()
    assert [(one.code, one.span.line) for one in error.value.diagnostics] == [("TFG699", 1)]


def test_a_training_from_other_arrays_is_another_program():
    text = 'a = stored("w", from="w.npz")\nsession: print a'
    np.savez("w.npz", w=np.float32([1]))
    first, again = (identity(tfdsl.compile(text).program) for _ in range(2))
    assert differences({**first, "contents": {}}, {**again, "contents": {}}) == []
    np.savez("w.npz", w=np.float32([2]))
    other = identity(tfdsl.compile(text).program)
    assert differences({**first, "contents": {}}, {**other, "contents": {}}) == ["the array 'w' of w.npz changed"]


def test_only_headers_are_unpacked(here):
    """The content of the array is wrong, which only the build sees."""
    np.savez("w.npz", w=np.ones(1000, np.float32))
    content = bytearray((here / "w.npz").read_bytes())
    content[2000] ^= 1
    (here / "w.npz").write_bytes(content)
    program = tfdsl.compile('a = stored("w", from="w.npz")\nsession: print a')
    with pytest.raises(TfgError, match="cannot read") as error:
        program.run()
    assert error.value.diagnostics[0].code == "TFG616"


def npz(members, compression=zipfile.ZIP_STORED):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    made.seek(0)
    return made


def npy(array):
    made = io.BytesIO()
    np.save(made, array)
    return made.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (npy(np.zeros(3))[:-1], "TFG618"),
        (npy(np.zeros(3)) + b"0", "TFG618"),
        (npy(np.zeros(3))[:40], "TFG618"),
        (b"\x93NUMPY", "TFG618"),
        (b"", "TFG618"),
        (npy(np.array([None])), "TFG697"),
        (npy(np.zeros(2, [("a", "f4"), ("b", "i4")])), "TFG697"),
        (npy(np.zeros(2, "M8[s]")), "TFG697"),
        (npy(np.zeros(2, "V3")), "TFG697"),
        (npy(np.zeros(3)).replace(b"(3,)", b"(-3)"), "TFG618"),
        (npy(np.zeros(3)).replace(b"'<f8'", b"'f4 '"), "TFG697"),
    ],
)
def test_damaged_arrays_are_errors(content, code):
    good = npy(np.zeros(2))
    arrays = constants_in(npz({"bad.npy": content, "good.npy": good}), "x.npz")
    assert isinstance(arrays["bad"], DataError) and arrays["bad"].message.code == code
    assert arrays["good"].shape == (2,)
    if content.startswith(b"\x93NUMPY"):
        try:
            found = constants_in(io.BytesIO(content), "x.npy")[ONLY]
        except DataError as error:
            found = error
        assert found.message.code == code


def test_an_array_larger_than_a_constant_is_refused():
    found = declared(ArrayHeader("<f4", (2**29,), 2**31), "w", "x.npz", 0)
    assert found.message.code == "TFG698"
    assert declared(ArrayHeader("<f4", (2**29 - 1,), 2**31 - 4), "w", "x.npz", 0).shape == (2**29 - 1,)
