"""Strings."""

from ..diagnostics import SHAPES_DIFFER
from ..types import BOOL, INT32, INT64, STRING, Shape, TensorType
from .batch import each, reduced, rows, whole
from .op import Alike, OpCall
from .reductions import per_segment
from .row import table
from .rules import as_dtype, broadcast, like, like_in, number, reduced_shape, same_size

OPS, row = table("strings")


def string_join(call: OpCall) -> TensorType:
    """Element by element. Scalars join with every element."""
    shape: Shape = ()
    for tensor in call["inputs"]:
        if tensor.shape is None or tensor.shape == ():
            continue
        if shape and len(shape) != len(tensor.shape):
            a = TensorType(STRING, shape)
            call.fail(SHAPES_DIFFER, "inputs", first="the first", second="the others", a=a, b=tensor)
        shape = tuple(same_size(call, a, b, "inputs") for a, b in zip(shape or (), tensor.shape)) or tensor.shape
    if not shape and any(tensor.shape is None for tensor in call["inputs"]):
        shape = None
    return TensorType(STRING, shape)


def reduce_join(call: OpCall) -> TensorType:
    return TensorType(STRING, reduced_shape(call, "inputs", call["axis"], call["keepdims"]))


def substr(call: OpCall) -> TensorType:
    """One position and length for all strings, or one per string."""
    place, lengths = call["pos"].shape, call["len"].shape
    if place is None:
        return TensorType(STRING, None)
    # TensorFlow treats an unknown size as different.
    lengths = (None,) * len(place) if lengths is None else lengths
    if [number(call, dim) for dim in place] != [number(call, dim) for dim in lengths]:
        call.fail(SHAPES_DIFFER, "pos", "len", first="pos", second="len", a=call["pos"], b=call["len"])
    return TensorType(STRING, broadcast(call, "input", "pos"))


def decode_raw(call: OpCall) -> TensorType:
    """A new last axis for the numbers in a string."""
    shape = call["input_bytes"].shape
    return TensorType(call["out_type"], None if shape is None else (*shape, None))


def unsorted_segment_join(call: OpCall) -> TensorType:
    return per_segment(call, "inputs", STRING)


# fmt: off
_UNITS = ("BYTE", "UTF8_CHAR")

row("as_string", "input: T, precision: integer = -1, scientific: flag = false, shortest: flag = false, "
    "width: integer = -1, fill: text = \"\"", like_in("input", STRING), "as_string",
    "Each element written as a string.",
    "as_string([1.5, 2.0], precision=2)", batch=each, T="number bool string")
row("string_join", "inputs: [string], separator: text = \"\"", string_join, "string_join",
    "Element by element the strings of a list joined; scalars join with every element.",
    "string_join([[\"a\", \"b\"], \"c\"], separator=\"-\")", batch=each)
row("reduce_join", "inputs: string, axis: integers = none, keepdims: flag = false, separator: text = \"\"",
    reduce_join, "strings.reduce_join", "The strings of all axes, or of those given, joined into one.",
    "reduce_join([[\"a\", \"b\"], [\"c\", \"d\"]], axis=1)", batch=reduced("inputs"), alike=Alike.BY_TYPES)
row("string_length", "input: string, unit: text = \"BYTE\"", like_in("input", INT32), "strings.length",
    "How many bytes, or with \"UTF8_CHAR\" characters, each string has, int32.",
    "string_length([\"a\", \"bcd\"])", batch=each, unit=_UNITS)
row("substr", "input: string, pos: T, len: T, unit: text = \"BYTE\"", substr, "strings.substr",
    "`len` bytes (or characters, with \"UTF8_CHAR\") of each string from `pos` on.",
    "substr([\"hello\", \"world\"], 1, 3)", batch=each,
    T="int32 int64", unit=_UNITS)
row("string_to_number", "string_tensor: string, out_type: dtype T = float32",
    as_dtype("string_tensor", "out_type"),
    "string_to_number", "The number in each string.", "string_to_number([\"1.5\", \"2\"])", batch=each,
    T="float32 float64 int32 int64 uint32 uint64")
for _name, _tf, _what in (("string_lower", "strings.lower", "in lower case"),
                          ("string_upper", "strings.upper", "in upper case")):
    row(_name, "input: string, encoding: text = \"\"", like("input"), _tf, f"Each string {_what}.",
        f"{_name}([\"Ab\"])", batch=each, encoding=("", "utf-8"))
row("string_strip", "input: string", like("input"), "string_strip",
    "Each string without the white space at its ends.",
    "string_strip([\" a \", \"b\"])", batch=each)
row("regex_replace", "input: string, pattern: text, rewrite: text, replace_global: flag = true",
    like("input"),
    "strings.regex_replace", "Each string with the matches of a regular expression replaced.",
    "regex_replace([\"a1b2\"], \"[0-9]\", \"#\")", batch=each)
row("regex_full_match", "input: string, pattern: text", like_in("input", BOOL),
    "strings.regex_full_match",
    "Whether each string as a whole matches a regular expression.",
    "regex_full_match([\"a1\", \"b\"], \"[a-z][0-9]\")", batch=each)
row("string_to_hash_bucket_fast", "input: string, num_buckets: integer", like_in("input", INT64),
    "string_to_hash_bucket_fast", "A number below `num_buckets` for each string, always the same one.",
    "string_to_hash_bucket_fast([\"a\", \"b\"], 10)", batch=each, num_buckets=1)
row("encode_base64", "input: string, pad: flag = false", like("input"), "encode_base64",
    "The bytes of each string as web-safe base64.", "encode_base64([\"hello\"])", batch=each)
row("decode_base64", "input: string", like("input"), "decode_base64",
    "The bytes encoded by web-safe base64.",
    "decode_base64([\"aGVsbG8\"])", batch=each)
row("decode_raw", "input_bytes: string, out_type: dtype T", decode_raw, "decode_raw",
    "The numbers in the bytes of each string, on a new last axis.",
    "decode_raw([\"abcd\", \"efgh\"], uint8)", batch=rows("input_bytes"),
    T="inexact bool int8 int16 int32 int64 uint8 uint16")
row("unsorted_segment_join", "inputs: string, segment_ids: U, num_segments: V, separator: text = \"\"",
    unsorted_segment_join, "strings.unsorted_segment_join",
    "The strings that have one id joined. The result has `num_segments` strings.",
    "unsorted_segment_join([\"a\", \"b\", \"c\"], [1, 0, 1], 2)", batch=whole, U="int32 int64", V="int32 int64")
# fmt: on
