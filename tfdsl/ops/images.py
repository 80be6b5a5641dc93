"""Images with the shape [batch, height, width, channels], or without the batch."""

from ..diagnostics import LENGTH, NEGATIVE, RANK
from ..limits import MAX_AXES
from ..types import FLOAT32, Dim, TensorType
from .batch import stacked, whole
from .op import OpCall
from .row import table
from .rules import least_rank, like, number, same_size, wanted_rank

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
        f"{_name}({_GRAY})", batch=stacked(4), named=False, T="number bool string")
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
    T="float int8 int16 int32 int64 uint8 uint32 uint64 bool complex64 complex128")
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
# fmt: on
