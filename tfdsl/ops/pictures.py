"""Measures of images, their edges and patches, and images as files in strings."""

from ..diagnostics import LENGTH, NEGATIVE, OPTION, RANK, WINDOW
from ..types import BOOL, DTYPES, FLOAT32, STRING, Dim, Nested, Shape, TensorType
from .batch import each, stacked, whole
from .op import Alike, OpCall
from .row import table
from .rules import (
    broadcast_shapes,
    clear_rank,
    given_shape,
    length,
    like_in,
    listed,
    number,
    product,
    same_size,
    wanted_rank,
)

OPS, row = table("images")

UINT8 = DTYPES["uint8"]


# --- Measures -----------------------------------------------------------------------------------


def total_variation(call: OpCall) -> TensorType:
    """A number for each image."""
    shape = clear_rank(call, "images")
    if len(shape) not in (3, 4):
        call.fail(RANK, "images", param="images", wanted="3 or 4", type=call["images"])
    return TensorType(call.dtype("T"), shape[:-3])


def compared(first: str, second: str, filter_size: str = ""):
    """A number for each pair of images, whose batches broadcast."""

    def rule(call: OpCall) -> TensorType:
        shapes: list[Shape] = []
        for name in (first, second):
            shape = call[name].shape
            if shape is not None and len(shape) < 3:
                call.fail(RANK, name, param=name, wanted="3 or more", type=call[name])
            shapes.append(shape)
        a, b = shapes
        if a is None or b is None:
            return TensorType(FLOAT32, None)
        for left, right in zip(a[-3:], b[-3:]):
            same_size(call, left, right, first, second)
        for axis in (-3, -2) if filter_size else ():
            size = number(call, a[axis])
            if size is not None and size < call[filter_size]:
                window = {"window": call[filter_size], "size": size, "axis": len(a) + axis, "type": call[first]}
                call.fail(WINDOW, first, filter_size, **window)
        return TensorType(FLOAT32, broadcast_shapes(call, a[:-3], b[:-3], first, second, a=call[first], b=call[second]))

    return rule


def multiscale(call: OpCall) -> TensorType:
    factors: Nested = call["power_factors"]
    if factors is not None and (not isinstance(factors, (list, tuple)) or not factors):
        call.fail(OPTION, "power_factors", param="power_factors", value="this", allowed="a list of numbers")
    return compared("img1", "img2", "filter_size")(call)


def _image_of(call: OpCall, least: int) -> tuple[Dim, ...]:
    """The shape of a batch of images, each at least so high and so wide."""
    shape = wanted_rank(call, "image", 4)
    for dim in shape[1:3]:
        size = number(call, dim)
        if size is not None and size < least:
            call.fail(NEGATIVE, "image", param="the size of an image", value=size, least=least)
    return shape


def gradients_of_image(call: OpCall) -> tuple[TensorType, TensorType]:
    clear_rank(call, "image")
    type = TensorType(call.dtype("T"), _image_of(call, 1))
    return type, type


def sobel_edges(call: OpCall) -> TensorType:
    """A last axis for the two directions."""
    shape = _image_of(call, 2)
    return TensorType(call.dtype("T"), None if call["image"].shape is None else (*shape, 2))


def patches(call: OpCall) -> TensorType:
    """A patch at each position, on the last axis."""
    batch, height, width, depth = wanted_rank(call, "images", 4)
    given = {name: length(call, name, listed(call[name]), 4) for name in ("sizes", "strides", "rates")}
    for name, (first, *inner, last) in given.items():
        if (first, last) != (1, 1):
            call.fail(OPTION, name, param=name, value="this", allowed="[1, height, width, 1]")
        for value in inner:
            if value < 1:
                call.fail(NEGATIVE, name, param=name, value=value, least=1)

    def positions(axis: int, dim: Dim) -> Dim:
        size = number(call, dim)
        window, step, rate = (given[name][axis] for name in ("sizes", "strides", "rates"))
        reach = window + (window - 1) * (rate - 1)
        if size is None:
            return None
        if call["padding"] == "SAME":
            return -(-size // step)
        if size < reach:
            call.fail(WINDOW, "images", window=reach, size=size, axis=axis, type=call["images"])
        return (size - reach) // step + 1

    made = product(call, (depth, given["sizes"][1], given["sizes"][2]))
    return TensorType(call.dtype("T"), (batch, positions(1, height), positions(2, width), made))


def glimpses(call: OpCall) -> TensorType:
    """A part of each image."""
    batch, _, _, channels = wanted_rank(call, "input", 4)
    rows, two = wanted_rank(call, "offsets", 2)
    same_size(call, two, 2, "offsets")
    size = given_shape(call, "size") or (None, None)
    if len(size) != 2:
        call.fail(LENGTH, "size", param="size", wanted=2, count=len(size))
    return TensorType(FLOAT32, (same_size(call, batch, rows, "input", "offsets"), *size, channels))


# --- Files --------------------------------------------------------------------------------------


def decoded(frames: bool = False):
    """An image, or several, from a string. Only the run knows its size."""

    def rule(call: OpCall) -> TensorType:
        wanted_rank(call, "contents", 0)
        channels = (call["channels"] or None) if "channels" in call.arguments else 3
        dtype = call.dtype("T") if call.groups.get("T") else UINT8
        if call.arguments.get("expand_animations", False):
            return TensorType(dtype, None)
        return TensorType(dtype, (*((None,) if frames else ()), None, None, channels))

    return rule


def cropped_file(call: OpCall) -> TensorType:
    """The size is the last two numbers of the window."""
    wanted_rank(call, "contents", 0)
    same_size(call, wanted_rank(call, "crop_window", 1)[0], 4, "crop_window")
    size = call.known("crop_window")
    return TensorType(UINT8, (*(size[2:] if size else (None, None)), call["channels"] or None))


def encoded(most: int | None = None):
    """A string for each image."""

    def rule(call: OpCall) -> TensorType:
        shape = call["image"].shape
        if shape is not None and (len(shape) < 3 or len(shape) > (most or len(shape))):
            call.fail(RANK, "image", param="image", wanted=most or "3 or more", type=call["image"])
        return TensorType(STRING, None if shape is None and not most else () if shape is None else shape[:-3])

    return rule


def jpeg_shape(call: OpCall) -> TensorType:
    wanted_rank(call, "contents", 0)
    return TensorType(call.dtype("U"), (3,))


def jpeg_again(call: OpCall) -> TensorType:
    """The image through a file of JPEG, which has one or three colours."""
    clear_rank(call, "image")
    *size, channels = wanted_rank(call, "image", 3)
    known = number(call, channels)
    if known is not None and known not in (1, 3):
        call.fail(OPTION, "image", param="the last axis", value=known, allowed="1 or 3")
    return TensorType(call.dtype("T"), (*size, channels))


def jpeg_at_random(call: OpCall) -> TensorType:
    low, high = call["min_jpeg_quality"], call["max_jpeg_quality"]
    if not low < high <= 100:
        allowed = f"more than min_jpeg_quality, {low}, and up to 100"
        call.fail(OPTION, "max_jpeg_quality", param="max_jpeg_quality", value=high, allowed=allowed)
    return jpeg_again(call)


# fmt: off
_IMAGE = "[[[1.0], [2.0], [4.0]], [[3.0], [5.0], [9.0]], [[2.0], [7.0], [8.0]]]"
_OTHER = "[[[1.0], [3.0], [4.0]], [[3.0], [4.0], [8.0]], [[1.0], [7.0], [9.0]]]"
row("total_variation", "images: T", total_variation, "image.total_variation",
    "The absolute differences of neighbours summed, for each image.", f"total_variation([{_IMAGE}])", batch=stacked(4),
    lowered="special.of_tensors", T="float int8 int16 int32 int64")
row("psnr", "a: T, b: T, max_val: number", compared("a", "b"), "image.psnr",
    "The peak signal-to-noise ratio of each pair of images, in decibels; `max_val` is the largest possible difference.",
    f"psnr({_IMAGE}, {_OTHER}, 10.0)", batch=stacked(4, "a", "b"), lowered="special.of_tensors", T="real")
_SSIM = "filter_size: integer = 11, filter_sigma: number = 1.5, k1: number = 0.01, k2: number = 0.03"
row("ssim", f"img1: T, img2: T, max_val: number, {_SSIM}", compared("img1", "img2", "filter_size"), "image.ssim",
    "The structural similarity of each pair of images, at most 1; `max_val` is the largest possible difference.",
    f"ssim({_IMAGE}, {_OTHER}, 10.0, filter_size=2)", batch=stacked(4, "img1", "img2"), named=False, filter_size=1,
    T="real")
row("ssim_multiscale", f"img1: T, img2: T, max_val: number, power_factors: static = none, {_SSIM}", multiscale,
    "image.ssim_multiscale", "The structural similarity of each pair of images at several scales, each half as large "
    "as the one before; `power_factors` has their weights.",
    f"ssim_multiscale({_IMAGE}, {_OTHER}, 10.0, power_factors=[0.4, 0.6], filter_size=2)", batch=whole, named=False,
    filter_size=1, T="real")
row("image_gradients", "image: T", gradients_of_image, "image.image_gradients",
    "The differences of the pixels below, and of those to the right, for a batch of images; 0 in the last row or "
    "column.",
    f"image_gradients([{_IMAGE}])",
    outputs="dy dx", batch=stacked(4), lowered="special.of_tensors", named=False, T="number")
row("sobel_edges", "image: T", sobel_edges, "image.sobel_edges",
    "How steep a batch of images is, down and to the right on a new last axis.", f"sobel_edges([{_IMAGE}])",
    batch=stacked(4), lowered="special.of_tensors", named=False, T="float")
row("extract_patches", "images: T, sizes: integers, strides: integers, rates: integers, padding: text", patches,
    "image.extract_patches", "The patches of a batch of images, with all numbers of one on the last axis. `sizes`, "
    "`strides` and `rates` are [1, height, width, 1]; with rates above 1 pixels in between are left out.",
    f"extract_patches([{_IMAGE}], [1, 2, 2, 1], [1, 1, 1, 1], [1, 1, 1, 1], \"VALID\")", batch=stacked(4),
    padding=("SAME", "VALID"), T="float int bool complex64 complex128")
row("extract_glimpse", "input: float32, size: shape, offsets: float32, centered: flag = true, normalized: flag = true, "
    "uniform_noise: flag = true", glimpses, "image.extract_glimpse",
    "A part of each image of a batch, around the offset of its row: from -1 to 1 if `normalized`, else in pixels; "
    "with `centered` from the middle. What lies outside is noise.",
    f"extract_glimpse([{_IMAGE}], [2, 2], [[0.0, 0.0]])",
    batch=whole, alike=Alike.DRAWN, no_gradient="*")

_BYTES = "decode_base64(\"{}\")"
_PNG = "encode_png(cast([[[1], [2]]], uint8))"
_JPEG = "encode_jpeg(cast([[[1], [2]], [[3], [4]]], uint8))"
_BMP = _BYTES.format("Qk06AAAAAAAAADYAAAAoAAAAAQAAAAEAAAABABgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
_GIF = _BYTES.format("R0lGODlhAQABAIAAAAAAAP___yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_WEBP = _BYTES.format("UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD-JaQAA3AAAAAA")
_JXL = _BYTES.format("_woIELASCAgQAFwASxLFgkWAHL0xqnCBCV0qDp901Te_5QM")
_CHANNELS = "channels: integer = 0"
_COLOURS = "`channels` is 1 for gray, 3 for colours, or 0 for what the file has."
row("encode_png", "image: T, compression: integer = -1", encoded(), "image.encode_png",
    "Images as the bytes of PNG files.", "encode_png(cast([[[1], [2]]], uint8))", batch=stacked(4), T="uint8 uint16")
row("encode_jpeg", "image: uint8, format: text = \"\", quality: integer = 95, progressive: flag = false, "
    "optimize_size: flag = false, chroma_downsampling: flag = true", encoded(3), "image.encode_jpeg",
    "An image as the bytes of a JPEG file.", _JPEG, batch=whole, format=("", "grayscale", "rgb"), quality=0)
row("decode_png", f"contents: string, {_CHANNELS}, dtype: dtype T = uint8", decoded(), "image.decode_png",
    f"The image in the bytes of a PNG file: [height, width, channels]. {_COLOURS}", f"decode_png({_PNG})", batch=whole,
    channels=0, T="uint8 uint16")
_DCT = "ratio: integer = 1, fancy_upscaling: flag = true, try_recover_truncated: flag = false, acceptable_fraction: " \
    "number = 1.0"
row("decode_jpeg", f"contents: string, {_CHANNELS}, {_DCT}", decoded(), "image.decode_jpeg",
    f"The image in the bytes of a JPEG file, its size divided by `ratio`: [height, width, channels]. {_COLOURS}",
    f"decode_jpeg({_JPEG})", batch=whole, channels=0)
row("decode_and_crop_jpeg", f"contents: string, crop_window: int32, {_CHANNELS}, {_DCT}", cropped_file,
    "image.decode_and_crop_jpeg", "A part of the image in the bytes of a JPEG file; the window is [top, left, height, "
    f"width]. {_COLOURS}", f"decode_and_crop_jpeg({_JPEG}, [0, 1, 2, 1])", batch=whole, channels=0)
row("decode_bmp", f"contents: string, {_CHANNELS}", decoded(), "image.decode_bmp",
    f"The image in the bytes of a BMP file: [height, width, channels]. {_COLOURS}", f"decode_bmp({_BMP})", batch=whole,
    channels=0)
row("decode_gif", "contents: string", decoded(frames=True), "image.decode_gif",
    "The images in the bytes of a GIF file: [frames, height, width, 3].", f"decode_gif({_GIF})", batch=whole)
row("decode_webp", f"contents: string, {_CHANNELS}", decoded(frames=True), "image.decode_webp",
    f"The images in the bytes of a WebP file: [frames, height, width, channels]. {_COLOURS}", f"decode_webp({_WEBP})",
    batch=whole, channels=0)
row("decode_jxl", f"contents: string, {_CHANNELS}", decoded(), "image.decode_jxl",
    f"The image in the bytes of a JPEG XL file: [height, width, channels]. {_COLOURS}", f"decode_jxl({_JXL})",
    batch=whole, channels=0)
row("decode_image", f"contents: string, {_CHANNELS}, dtype: dtype T = uint8, expand_animations: flag = true",
    decoded(), "image.decode_image",
    "The image in the bytes of a BMP, GIF, JPEG or PNG file; of a GIF all of its images on "
    f"a first axis, unless not `expand_animations`. {_COLOURS}", f"decode_image({_PNG})",
    batch=whole, channels=0, T="real")
row("is_jpeg", "contents: string", like_in("contents", BOOL), "image.is_jpeg",
    "Which strings begin as a JPEG file does.",
    f"is_jpeg({_JPEG})", batch=each)
row("extract_jpeg_shape", "contents: string, output_type: dtype U = int32", jpeg_shape, "image.extract_jpeg_shape",
    "The height, the width and the channels of the image in the bytes of a JPEG file, without its pixels.",
    f"extract_jpeg_shape({_JPEG})", batch=whole, U="int32 int64")
row("adjust_jpeg_quality", "image: T, jpeg_quality: integer", jpeg_again, "image.adjust_jpeg_quality",
    "An image as it is after it was written as a JPEG file of a quality from 0 to 100, and read again.",
    "adjust_jpeg_quality([[[0.1], [0.2]], [[0.3], [0.4]]], 50)", batch=whole, no_gradient="*", jpeg_quality=0, T="real")
row("random_jpeg_quality", "image: T, min_jpeg_quality: integer, max_jpeg_quality: integer, seed: integer = none",
    jpeg_at_random, "image.random_jpeg_quality",
    "adjust_jpeg_quality with a random quality from the first up to (not including) the second. The same `seed`, and "
    "seed of the graph, give the same in every run.",
    "random_jpeg_quality([[[0.1], [0.2]], [[0.3], [0.4]]], 50, 60, seed=1)", batch=whole, named=False,
    alike=Alike.DRAWN, picture="random", no_gradient="*", min_jpeg_quality=0, T="real")
# fmt: on
