"""Strings."""

from ..diagnostics import NEEDED, NEGATIVE, NOT_COMPILE_TIME, OPTION, SHAPES_DIFFER
from ..types import BOOL, INT32, INT64, STRING, Nested, Shape, TensorType
from .batch import each, reduced, rows, stacked, whole
from .flops import no_flops
from .op import Alike, OpCall
from .reductions import per_segment
from .row import table
from .rules import (
    as_dtype,
    broadcast,
    clear_rank,
    least_rank,
    length,
    like,
    like_in,
    listed,
    number,
    reduced_shape,
    same_size,
)

OPS, row = table("strings", flops=no_flops)


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


def string_format(call: OpCall) -> TensorType:
    """One tensor for each placeholder."""
    if not call["placeholder"]:
        call.option("placeholder", "a text that is not empty")
    length(call, "inputs", call["inputs"], call["template"].count(call["placeholder"]))
    return TensorType(STRING, ())


def ngrams(call: OpCall) -> TensorType:
    """The last axis has another size, which depends on the widths."""
    pads: Nested = call["pad_values"]
    is_pair = isinstance(pads, (list, tuple)) and [type(one) for one in pads] == [str, str]
    if pads is not None and not is_pair and not isinstance(pads, str):
        call.fail(OPTION, "pad_values", param="pad_values", value="this", allowed="a text, or a list of two")
    if call["padding_width"] is not None and pads is None:
        call.fail(NEEDED, "padding_width", param="pad_values", dtype="padding_width", value='" "')
    for width in listed(call["ngram_width"]):
        if width < 1:
            call.fail(NEGATIVE, "ngram_width", param="ngram_width", value=width, least=1)
    shape = clear_rank(call, "data")
    least_rank(call, "data", 1)
    return TensorType(STRING, (*shape[:-1], None))


def strong_hash(call: OpCall) -> TensorType:
    length(call, "key", listed(call["key"]), 2)
    return TensorType(INT64, call["input"].shape)


def unicode_encode(call: OpCall) -> TensorType:
    """A string for each vector of characters."""
    shape = clear_rank(call, "input")
    least_rank(call, "input", 1)
    if len(shape) > 2 and None in (number(call, dim) for dim in shape[:-1]):
        call.fail(NOT_COMPILE_TIME, "input", param="each size but the last", type=call["input"])
    return TensorType(STRING, shape[:-1])


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
row("string_format", "template: text, inputs: [T], placeholder: text = \"{}\", summarize: integer = 3",
    string_format, "strings.format",
    "A text with a tensor in place of each placeholder, of whose axes it shows `summarize` elements at "
    "each end (all for -1).", "string_format(\"x is {}\", [[1.0, 2.0]])", batch=whole)
row("ngrams", "data: string, ngram_width: integers, separator: text = \" \", pad_values: static = none, "
    "padding_width: integer = none, preserve_short_sequences: flag = false", ngrams, "strings.ngrams",
    "Neighbours on the last axis joined, `ngram_width` at a time, or each of several widths. `pad_values` stand before "
    "and after them: a text, or a list of two.", "ngrams([\"a\", \"b\", \"c\"], 2)", batch=stacked(2),
    padding_width=1)
row("string_to_hash_bucket", "string_tensor: string, num_buckets: integer", like_in("string_tensor", INT64),
    "string_to_hash_bucket",
    "A number from 0 up to (not including) `num_buckets` for each string, which another version of TensorFlow may make "
    "differently; string_to_hash_bucket_fast keeps its numbers.", "string_to_hash_bucket([\"a\", \"b\"], 10)",
    batch=each, num_buckets=1)
row("string_to_hash_bucket_strong", "input: string, num_buckets: integer, key: integers", strong_hash,
    "strings.to_hash_bucket_strong",
    "Like string_to_hash_bucket_fast, with a secret `key` of two numbers, so that nobody can choose strings of one "
    "number.",
    "string_to_hash_bucket_strong([\"a\", \"b\"], 10, [1, 2])", batch=each, num_buckets=1)
_CODES = ("UTF-8", "UTF-16-BE", "UTF-32-BE")
_ERRORS = "errors: text = \"replace\", replacement_char: integer = 65533"
_REPLACED = ("Characters that are wrong become `replacement_char`, unless `errors` is \"ignore\", or \"strict\", which "
             "stops the run.")
row("unicode_encode", f"input: int32, output_encoding: text, {_ERRORS}", unicode_encode, "strings.unicode_encode",
    f"The characters with the numbers on the last axis, as a string each. {_REPLACED}",
    "unicode_encode([[72, 105], [228, 33]], \"UTF-8\")", batch=stacked(2), output_encoding=_CODES,
    errors=("ignore", "replace", "strict"), replacement_char=0)
row("unicode_transcode", f"input: string, input_encoding: text, output_encoding: text, {_ERRORS}, "
    "replace_control_characters: flag = false", like("input"), "strings.unicode_transcode",
    f"Strings of one encoding in another one. {_REPLACED}",
    "unicode_transcode([\"a\", \"b\"], \"UTF-8\", \"UTF-16-BE\")",
    batch=each, output_encoding=_CODES, errors=("ignore", "replace", "strict"), replacement_char=0)
row("unicode_script", "input: int32", like("input"), "strings.unicode_script",
    "The number of the script, such as 25 for Latin, of the characters with these numbers; -1 if there is none.",
    "unicode_script([97, 945])", batch=each)
row("unsorted_segment_join", "inputs: string, segment_ids: U, num_segments: V, separator: text = \"\"",
    unsorted_segment_join, "strings.unsorted_segment_join",
    "The strings that have one id joined. The result has `num_segments` strings.",
    "unsorted_segment_join([\"a\", \"b\", \"c\"], [1, 0, 1], 2)", batch=whole, U="int32 int64", V="int32 int64")
# fmt: on
