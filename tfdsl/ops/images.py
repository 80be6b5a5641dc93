"""Images with the shape [batch, height, width, channels], or without the batch."""

import struct
from collections.abc import Callable, Sequence

from ..diagnostics import LENGTH, NEGATIVE, OPTION, RANK, SLICE
from ..limits import MAX_AXES
from ..types import FLOAT32, Dim, TensorType
from .batch import each, stacked, whole
from .flops import no_flops, per_result
from .op import Alike, OpCall
from .row import table
from .rules import as_dtype, clear_rank, least_rank, like, number, same_size, wanted_rank

OPS, row = table("images")


def pair_of_sizes(call: OpCall, param: str) -> tuple[Dim, ...]:
    """A height and a width."""
    size = call.shape(param)
    size = (None, None) if size is None else size
    if len(size) != 2:
        call.fail(LENGTH, param, param=param, wanted=2, count=len(size))
    for dim in size:
        if isinstance(dim, int) and dim < 0:
            call.fail(NEGATIVE, param, param=param, value=dim, least=0)
    return size


def resized(group: str = "T"):
    """The same images with a different height and width."""

    def rule(call: OpCall) -> TensorType:
        shape = wanted_rank(call, "images", 4)
        size = pair_of_sizes(call, "size")
        return TensorType(FLOAT32 if group == "float32" else call.dtype(group), (shape[0], *size, shape[3]))

    return rule


def image(param: str, channels: int | None = None, made: int | None = None, most: int | None = None, least: int = 1):
    """An image or a batch of images. `channels` is the required size of the last axis, `made` its new size. An image
    of `most` axes must have pixels. `least` is the least rank if `channels` is given."""

    def rule(call: OpCall) -> TensorType:
        shape = least_rank(call, param, 3 if channels is None else least)
        if channels is None and most is not None and len(shape or ()) > most:
            call.fail(RANK, param, param=param, wanted=f"3 or {most}", type=call[param])
        if channels is None and most is not None and 0 in (number(call, dim) for dim in (shape or ())[-3:]):
            call.fail(NEGATIVE, param, param="the size of an image", value=0, least=1)
        if shape is not None and channels is not None:
            last = same_size(call, shape[-1], channels, param)
            shape = (*shape[:-1], last if made is None else made)
        return TensorType(call.dtype("T"), shape)

    return rule


def standardized(call: OpCall) -> TensorType:
    """Always float32."""
    return TensorType(FLOAT32, image("image", most=MAX_AXES)(call).shape)


def crop_and_resize(call: OpCall) -> TensorType:
    """One crop per box."""
    shape, (boxes, four) = wanted_rank(call, "image", 4), wanted_rank(call, "boxes", 2)
    same_size(call, four, 4, "boxes")
    boxes = same_size(call, boxes, wanted_rank(call, "box_ind", 1)[0], "boxes", "box_ind")
    size = pair_of_sizes(call, "crop_size")
    return TensorType(FLOAT32, (boxes, *size, shape[3]))


def _spatial(call: OpCall, param: str) -> tuple[tuple[Dim, ...], int] | None:
    """The shape of an image or a batch of images, and the axis of the height. None for an unknown rank."""
    shape = image(param, most=4)(call).shape
    return None if shape is None else (shape, len(shape) - 3)


def turned(call: OpCall) -> TensorType:
    """Height and width are swapped by an odd number of quarters."""
    found = _spatial(call, "image")
    if found is None:
        return TensorType(call.dtype("T"), None)
    shape, at = found
    if "k" not in call.arguments or call["k"] % 2:
        shape = (*shape[:at], shape[at + 1], shape[at], shape[-1])
    return TensorType(call.dtype("T"), shape)


def central_crop(call: OpCall) -> TensorType:
    fraction = call["central_fraction"]
    if not 0 < fraction <= 1:
        allowed = "more than 0 and up to 1"
        call.fail(OPTION, "central_fraction", param="central_fraction", value=fraction, allowed=allowed)
    if fraction == 1:
        return call["image"]
    clear_rank(call, "image")
    shape, at = _spatial(call, "image") or ((None,) * 3, 0)

    def cropped(dim: Dim) -> Dim:
        size = number(call, dim)
        return None if size is None else size - 2 * int((size - size * fraction) / 2)

    return TensorType(call.dtype("T"), (*shape[:at], cropped(shape[at]), cropped(shape[at + 1]), shape[-1]))


def sized(method: str = ""):
    """An image with a given height and width. `method` is the argument that says how it is resized; then it becomes
    float32 unless that takes the nearest pixels."""

    def rule(call: OpCall) -> TensorType:
        found, size = _spatial(call, "image"), (call["target_height"], call["target_width"])
        dtype = FLOAT32 if method and call[method] != "nearest" else call.dtype("T")
        if found is None:
            return TensorType(dtype, (*size, None))
        shape, at = found
        height, width = number(call, shape[at]), number(call, shape[at + 1])
        if method and height and width:
            ratio = max(_single(width / size[1]), _single(height / size[0]))
            if _single(height / ratio) < 1 or _single(width / ratio) < 1:
                call.fail(NEGATIVE, "image", param="the size of the resized image", value=0, least=1)
        return TensorType(dtype, (*shape[:at], *size, shape[-1]))

    return rule


def boxed(is_cut: bool):
    """A part of an image, or an image around it. It fits."""

    def rule(call: OpCall) -> TensorType:
        found = _spatial(call, "image")
        for axis, before, after in ((-3, "offset_height", "target_height"), (-2, "offset_width", "target_width")):
            size = None if found is None else number(call, found[0][axis])
            if size is None:
                continue
            inner, outer = (call[after], size) if is_cut else (size, call[after])
            if call[before] + inner > outer:
                shown = len(found[0]) + axis if found else 0
                call.fail(SLICE, "image", after, end=call[before] + inner, axis=shown, type=call["image"], size=outer)
        return sized()(call)

    return rule


def _single(value: float) -> float:
    """A number as float32, with which TensorFlow computes sizes."""
    return struct.unpack("f", struct.pack("f", value))[0]


def _in_proportion(own: Sequence[int | None], size: Sequence[int | None]) -> tuple[int | None, int | None]:
    """The largest size with the proportions of another that is not above `size`."""
    (height, width), (most_height, most_width) = own, size
    if not height or not width or most_height is None or most_width is None:
        return None, None
    scale = min(_single(most_height / height), _single(most_width / width))
    return round(_single(scale * height)), round(_single(scale * width))


def resize(call: OpCall) -> TensorType:
    """Float32 unless the nearest pixels are taken, or the size is that of the images already."""
    shape = clear_rank(call, "images")
    least_rank(call, "images", 3)
    if len(shape) > 4:
        call.fail(RANK, "images", param="images", wanted="3 or 4", type=call["images"])
    size = pair_of_sizes(call, "size")
    own = tuple(number(call, dim) for dim in shape[-3:-1])
    if call["preserve_aspect_ratio"]:
        size = _in_proportion(own, [number(call, dim) for dim in size])
    is_kept = call["method"] == "nearest" or (None not in own and own == tuple(size))
    dtype = call.dtype("T") if is_kept else FLOAT32
    return TensorType(dtype, (*shape[:-3], *size, *shape[-1:]))


def colours(param: str = "images"):
    """Another space of colours. The rank must be known."""

    def rule(call: OpCall) -> TensorType:
        clear_rank(call, param)
        return image(param, 3)(call)

    return rule


def colourful(call: OpCall) -> TensorType:
    """Images of three colours."""
    shape = least_rank(call, "image", 3)
    if shape is not None:
        shape = (*shape[:-1], same_size(call, shape[-1], 3, "image"))
    return TensorType(call.dtype("T"), shape)


def between(low: str, high: str, rule: Callable[[OpCall], TensorType]):
    """One number is below another one."""

    def checked(call: OpCall) -> TensorType:
        if call[high] <= call[low]:
            call.fail(OPTION, high, param=high, value=call[high], allowed=f"more than {low}, {call[low]}")
        return rule(call)

    return checked


def at_most(param: str, most: float, rule: Callable[[OpCall], TensorType]):
    def checked(call: OpCall) -> TensorType:
        if call[param] > most:
            call.fail(OPTION, param, param=param, value=call[param], allowed=f"up to {most}")
        return rule(call)

    return checked


# fmt: off
_PIXELS = "float int8 uint8 int16 uint16 int32 int64"
_GRAY = "[[[[1.0], [2.0]], [[3.0], [4.0]]]]"
_RGB = "[[[0.1, 0.5, 0.9], [0.2, 0.4, 0.6]]]"

for _name, _what, _group in (
    ("resize_bilinear", "bilinear interpolation", "float32"),
    ("resize_bicubic", "bicubic interpolation", "float32"),
    ("resize_area", "the mean of the area", "float32"), ("resize_nearest_neighbor", "the nearest pixel", "T"),
):
    _corners = "" if _name == "resize_area" else ", half_pixel_centers: flag = false"
    row(_name, f"images: T, size: shape, align_corners: flag = false{_corners}", resized(_group),
        f"image.{_name}",
        f"A batch of images with a new [height, width], by {_what}"
        f"{', as float32' if _group == 'float32' else ''}.", f"{_name}({_GRAY}, [4, 6])",
        batch=stacked(4),
        no_gradient="*" if _name == "resize_area" else "", T=_PIXELS)
for _name, _what in (("flip_left_right", "left and right"), ("flip_up_down", "up and down")):
    row(_name, "image: T", image("image", most=4), f"image.{_name}",
        f"An image, or a batch of them, with {_what} swapped.",
        f"{_name}({_GRAY})", batch=stacked(4), named=False, flops=no_flops, T="number bool string")
row("per_image_standardization", "image: T", standardized, "image.per_image_standardization",
    "Each image with mean 0 and variance 1, as float32.", f"per_image_standardization({_GRAY})",
    batch=stacked(4), named=False,
    T="real bool")
row("adjust_brightness", "image: T, delta: number", like("image"), "image.adjust_brightness",
    "Images with `delta` added everywhere; whole numbers are fractions of the largest number of their dtype.",
    f"adjust_brightness({_GRAY}, 0.1)", batch=stacked(2), named=False, T="real")
row("adjust_contrast", "images: T, contrast_factor: number", image("images"), "image.adjust_contrast",
    "Images with the distance of each pixel from the mean of its channel multiplied.",
    f"adjust_contrast({_GRAY}, 2.0)", batch=stacked(4),
    named=False, T="bfloat16 float32 float64 int", no_gradient="*")
row("rgb_to_grayscale", "images: T", image("images", 3, 1), "image.rgb_to_grayscale",
    "The brightness of colours: the last axis of size 3 becomes size 1.", f"rgb_to_grayscale({_RGB})",
    batch=stacked(2),
    T="real")
row("grayscale_to_rgb", "images: T", image("images", 1, 3, least=2), "image.grayscale_to_rgb",
    "Brightness as colours: the last axis of size 1 becomes size 3.", f"grayscale_to_rgb({_GRAY})",
    batch=stacked(2), lowered="special.of_tensors",
    T="float int8 int16 int32 int64 uint8 uint32 uint64 bool complex64 complex128", flops=no_flops)
row("rgb_to_hsv", "images: T", image("images", 3), "image.rgb_to_hsv",
    "Hue, saturation and value of red, green and blue, the last axis.", f"rgb_to_hsv({_RGB})",
    batch=stacked(2), T="float")
row("hsv_to_rgb", "images: T", image("images", 3), "image.hsv_to_rgb",
    "Red, green and blue of hue, saturation and value, the last axis.", f"hsv_to_rgb({_RGB})",
    batch=stacked(2), no_gradient="*",
    T="float")
row("crop_and_resize", "image: T, boxes: float32, box_ind: int32, crop_size: shape", crop_and_resize,
    "image.crop_and_resize",
    "For each box [top, left, bottom, right] (as fractions of the height and width) the part of the image that "
    "`box_ind` numbers, with a new size, as float32.",
    f"crop_and_resize({_GRAY}, [[0.0, 0.0, 1.0, 1.0]], [0], [3, 3])", batch=whole,
    T="float16 float32 float64 int8 uint8 int16 uint16 "
    "int32 int64")
_SIZE = "target_height: integer, target_width: integer"
_OFFSETS = "offset_height: integer, offset_width: integer"
_METHODS = ("bilinear", "nearest", "bicubic", "area")
_RANKS = "An image [height, width, channels], or a batch of them,"
row("rot90", "image: T, k: integer = 1", turned, "image.rot90",
    f"{_RANKS} turned by `k` quarters against the clock.", f"rot90({_GRAY}, k=3)", batch=stacked(4))
row("transpose_image", "image: T", turned, "image.transpose", f"{_RANKS} with height and width swapped.",
    f"transpose_image({_GRAY})", batch=stacked(4))
row("central_crop", "image: T, central_fraction: number", central_crop, "image.central_crop",
    f"The middle of {_RANKS[0].lower() + _RANKS[1:]} of this fraction of the height and of the width.",
    f"central_crop({_GRAY}, 0.5)", batch=stacked(4), named=False)
row("pad_to_bounding_box", f"image: T, {_OFFSETS}, {_SIZE}", boxed(False), "image.pad_to_bounding_box",
    f"{_RANKS} with zeros around it, so that it begins at the offsets of a larger one.",
    f"pad_to_bounding_box({_GRAY}, 1, 0, 4, 3)", batch=stacked(4), named=False, offset_height=0, offset_width=0,
    target_height=1, target_width=1)
row("crop_to_bounding_box", f"image: T, {_OFFSETS}, {_SIZE}", boxed(True), "image.crop_to_bounding_box",
    f"The part of {_RANKS[0].lower() + _RANKS[1:]} that begins at the offsets.",
    f"crop_to_bounding_box({_GRAY}, 1, 0, 1, 2)", batch=stacked(4), named=False, offset_height=0, offset_width=0,
    target_height=1, target_width=1)
row("resize_with_crop_or_pad", f"image: T, {_SIZE}", sized(), "image.resize_with_crop_or_pad",
    f"{_RANKS} cut at its sides or with zeros around it, to have this size.",
    f"resize_with_crop_or_pad({_GRAY}, 1, 4)", batch=stacked(4), named=False, target_height=1, target_width=1)
row("resize_image_with_pad", f"image: T, {_SIZE}, method: text = \"bilinear\", align_corners: flag = false",
    sized("method"), "image.resize_image_with_pad",
    f"{_RANKS} resized without changing its proportions, with zeros around it, to have this size; float32 unless the "
    "method is \"nearest\".", f"resize_image_with_pad({_GRAY}, 4, 6)", batch=stacked(4), named=False, method=_METHODS,
    target_height=1, target_width=1, T=_PIXELS)
row("resize", "images: T, size: shape, method: text = \"bilinear\", align_corners: flag = false, "
    "preserve_aspect_ratio: flag = false", resize, "image.resize",
    f"{_RANKS} with a new [height, width]; float32 unless the method is \"nearest\", or the size is the same. With "
    "`preserve_aspect_ratio`, the largest of its proportions that fits.", f"resize({_GRAY}, [4, 6])", batch=stacked(4),
    lowered="special.resize", method=_METHODS, T=_PIXELS)

row("convert_image_dtype", "image: T, dtype: dtype U, saturate: flag = false", as_dtype("image"),
    "image.convert_image_dtype", "Images in another dtype: floats from 0 to 1 for whole numbers from 0 to the largest "
    "of their dtype. `saturate` moves others to the nearest.", f"convert_image_dtype({_RGB}, uint8)",
    batch=each, T="real", U="real")
row("adjust_gamma", "image: T, gamma: number = 1, gain: number = 1", like("image"), "image.adjust_gamma",
    "Each element to the power of `gamma`, times `gain`; whole numbers are fractions of the largest of their dtype.",
    f"adjust_gamma({_GRAY}, gamma=0.5)", batch=each, named=False, flops=per_result(2), gamma=0.0,
    T="float16 bfloat16 float32 int")  # TensorFlow computes with float32
for _name, _params, _what in (
    ("adjust_hue", "delta: number", "their hue, from 0 to 1, turned by `delta`"),
    ("adjust_saturation", "saturation_factor: number", "their saturation multiplied"),
):
    row(_name, f"image: T, {_params}", colourful, f"image.{_name}", f"Images of red, green and blue with {_what}.",
        f"{_name}({_RGB}, 0.3)", batch=stacked(4), T="real", no_gradient="*")
for _name in ("rgb_to_yiq", "yiq_to_rgb", "rgb_to_yuv", "yuv_to_rgb"):
    _from, _to = (" ".join(space).upper() for space in _name.split("_to_"))
    row(_name, "images: T", colours(), f"image.{_name}", f"The colours {_from} on the last axis as {_to}.",
        f"{_name}({_RGB})", batch=stacked(2), named=False, T="inexact")

_SEEDED = "The same `seed`, and seed of the graph, give the same in every run."
for _name, _params, _rule, _tried, _what, _dtypes, _facts in (
    ("random_brightness", "max_delta: number", like("image"), "0.2", "a random number added, of at most `max_delta`",
     "real", {"max_delta": 0.0}),
    ("random_contrast", "lower: number, upper: number", between("lower", "upper", image("image")), "0.5, 2.0",
     "the contrast multiplied by a random number from `lower` to `upper`", "bfloat16 float32 float64 int",
     {"lower": 0.0, "no_gradient": "*"}),
    ("random_saturation", "lower: number, upper: number", between("lower", "upper", colourful), "0.5, 2.0",
     "the saturation multiplied by a random number from `lower` to `upper`", "real",
     {"lower": 0.0, "no_gradient": "*"}),
    ("random_hue", "max_delta: number", at_most("max_delta", 0.5, colourful), "0.2",
     "the hue turned by a random number of at most `max_delta`", "real", {"max_delta": 0.0, "no_gradient": "*"}),
    ("random_flip_left_right", "", image("image", most=4), "", "left and right swapped, or not, each by itself",
     "number", {}),
    ("random_flip_up_down", "", image("image", most=4), "", "up and down swapped, or not, each by itself", "number",
     {}),
):
    row(_name, ", ".join(filter(None, ("image: T", _params, "seed: integer = none"))), _rule, f"image.{_name}",
        f"Images with {_what}. {_SEEDED}", f"{_name}({_RGB}{_tried and ', ' + _tried}, seed=1)", batch=whole,
        named=False, alike=Alike.DRAWN, picture="random", T=_dtypes, **_facts)
# fmt: on
