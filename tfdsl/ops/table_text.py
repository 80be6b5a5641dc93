"""Rows of the op table: strings."""

from ..types import INT32, INT64, STRING
from . import shapes_index as index
from .row import table
from .shapes import like, like_in
from .shapes_array import as_dtype

ROWS, row = table("strings")

_UNITS = ("BYTE", "UTF8_CHAR")

row("as_string", "input: T, precision: integer = -1, scientific: flag = false, shortest: flag = false, "
    "width: integer = -1, fill: text = \"\"", like_in("input", STRING), "as_string",
    "Each element written as a string.",
    "as_string([1.5, 2.0], precision=2)", T="number bool string")
row("string_join", "inputs: [string], separator: text = \"\"", index.string_join, "string_join",
    "Element by element the strings of a list joined; scalars join with every element.",
    "string_join([[\"a\", \"b\"], \"c\"], separator=\"-\")")
row("reduce_join", "inputs: string, axis: integers = none, keepdims: flag = false, separator: text = \"\"",
    index.reduce_join, "strings.reduce_join", "The strings of all axes, or of those given, joined to one.",
    "reduce_join([[\"a\", \"b\"], [\"c\", \"d\"]], axis=1)")
row("string_length", "input: string, unit: text = \"BYTE\"", like_in("input", INT32), "strings.length",
    "How many bytes, or with \"UTF8_CHAR\" characters, each string has, int32.",
    "string_length([\"a\", \"bcd\"])", unit=_UNITS)
row("substr", "input: string, pos: T, len: T, unit: text = \"BYTE\"", index.substr, "strings.substr",
    "`len` bytes (or characters, with \"UTF8_CHAR\") of each string from `pos` on.",
    "substr([\"hello\", \"world\"], 1, 3)",
    T="int32 int64", unit=_UNITS)
row("string_to_number", "string_tensor: string, out_type: dtype T = float32",
    as_dtype("string_tensor", "out_type"),
    "string_to_number", "The number that each string holds.", "string_to_number([\"1.5\", \"2\"])",
    T="float32 float64 int32 int64 uint32 uint64")
for _name, _tf, _what in (("string_lower", "strings.lower", "in small letters"),
                          ("string_upper", "strings.upper", "in capital letters")):
    row(_name, "input: string, encoding: text = \"\"", like("input"), _tf, f"Each string {_what}.",
        f"{_name}([\"Ab\"])", encoding=("", "utf-8"))
row("string_strip", "input: string", like("input"), "string_strip",
    "Each string without the white space at its ends.",
    "string_strip([\" a \", \"b\"])")
row("regex_replace", "input: string, pattern: text, rewrite: text, replace_global: flag = true",
    like("input"),
    "strings.regex_replace", "Each string with what matches a regular expression replaced.",
    "regex_replace([\"a1b2\"], \"[0-9]\", \"#\")")
row("regex_full_match", "input: string, pattern: text", like_in("input", index.BOOL),
    "strings.regex_full_match",
    "Whether each string as a whole matches a regular expression.",
    "regex_full_match([\"a1\", \"b\"], \"[a-z][0-9]\")")
row("string_to_hash_bucket_fast", "input: string, num_buckets: integer", like_in("input", INT64),
    "string_to_hash_bucket_fast", "A number below `num_buckets` for each string, always the same one.",
    "string_to_hash_bucket_fast([\"a\", \"b\"], 10)", num_buckets=1)
row("encode_base64", "input: string, pad: flag = false", like("input"), "encode_base64",
    "The bytes of each string as web-safe base64.", "encode_base64([\"hello\"])")
row("decode_base64", "input: string", like("input"), "decode_base64",
    "The bytes that web-safe base64 stands for.",
    "decode_base64([\"aGVsbG8\"])")
row("decode_raw", "input_bytes: string, out_type: dtype T", index.decode_raw, "decode_raw",
    "The numbers that the bytes of each string hold, on a new last axis.",
    "decode_raw([\"abcd\", \"efgh\"], uint8)",
    T="inexact bool int8 int16 int32 int64 uint8 uint16")
row("unsorted_segment_join", "inputs: string, segment_ids: U, num_segments: V, separator: text = \"\"",
    index.unsorted_segment_join, "strings.unsorted_segment_join",
    "The strings that have one id joined. The result has `num_segments` strings.",
    "unsorted_segment_join([\"a\", \"b\", \"c\"], [1, 0, 1], 2)", U="int32 int64", V="int32 int64")
