"""Chooses strings to feed that the ops that use them can read: examples, rows of CSV, pictures, and keys of tables."""

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from ..lowering.tf import DataType, Example, Operand, tf, v1
from .tables import LOOKUPS, known_keys

_USUAL = b"1"  # is also a number


def fed_strings(tensor: Operand) -> list[bytes]:
    """Strings that an op can read that uses a tensor, one or more."""
    return next(_strings(tensor), [_USUAL])


def _strings(tensor: Operand) -> Iterator[list[bytes]]:
    for user in tensor.consumers():
        if user.type in LOOKUPS and (keys := list(known_keys(user.inputs[0]))):
            yield [keys[0], _USUAL, keys[-1]]
        if user.inputs[0] is not tensor:
            continue
        match user.type:
            case "DecodeCSV":
                yield [b",".join([_USUAL] * (len(user.inputs) - 1))]
            case "ParseExample" | "ParseExampleV2" | "ParseSingleExample":
                yield [_example(user)]
            case "DecodeJpeg" | "DecodeAndCropJpeg" | "DecodeImage" | "DecodePng" | "ExtractJpegShape":
                yield [_picture("Jpeg" in user.type)]
            case _:
                pass


def _picture(is_jpeg: bool) -> bytes:
    """A coded picture of 4 times 4 pixels in three colours."""
    pixels = np.arange(0, 240, 5, dtype=np.uint8).reshape(4, 4, 3)
    with tf.Graph().as_default(), v1.Session() as session:
        return session.run(v1.image.encode_jpeg(pixels) if is_jpeg else v1.image.encode_png(pixels))


def _example(parser: Operand) -> bytes:
    """An example with all features that an op looks for."""
    made = Example()
    sparse, dense = _keys(parser)
    if len(sparse) + len(dense) < len(parser.get_attr("sparse_types")) + len(parser.get_attr("Tdense")):
        return _USUAL  # their names are computed
    shapes = [[max(dim.size, 1) for dim in shape.dim] for shape in parser.get_attr("dense_shapes")]
    for key, dtype, shape in zip(
        (*sparse, *dense),
        (*parser.get_attr("sparse_types"), *parser.get_attr("Tdense")),
        (*([1] for _ in sparse), *shapes),
        strict=True,
    ):
        feature, count = made.features.feature[key.decode()], prod(shape)
        match dtype.as_datatype_enum:
            case DataType.DT_FLOAT:
                feature.float_list.value.extend(np.linspace(-1.0, 1.0, count).tolist())
            case DataType.DT_INT64:
                feature.int64_list.value.extend([1] * count)
            case _:
                feature.bytes_list.value.extend([_USUAL] * count)
    return made.SerializeToString()


def _keys(parser: Operand) -> tuple[Sequence[bytes], Sequence[bytes]]:
    """The names of the sparse and of the dense features that an op looks for."""
    match parser.type:
        case "ParseSingleExample":
            return parser.get_attr("sparse_keys"), parser.get_attr("dense_keys")
        case "ParseExampleV2":
            return _constant(parser.inputs[2]), _constant(parser.inputs[3])
        case _:
            first, second = parser.get_attr("Nsparse"), parser.get_attr("Ndense")
            keys = [key for tensor in parser.inputs[2 : 2 + first + second] for key in _constant(tensor)]
            return keys[:first], keys[first:]


def _constant(tensor: Operand) -> list[bytes]:
    is_constant = tensor.op.type == "Const"
    return v1.make_ndarray(tensor.op.get_attr("value")).reshape(-1).tolist() if is_constant else []
