"""Rows of the op table: images, [batch, height, width, channels] or without the batch."""

from . import shapes_nn as nn
from .row import table
from .shapes import like

ROWS, row = table("images")

_PIXELS = "float int8 uint8 int16 uint16 int32 int64"
_GRAY = "[[[[1.0], [2.0]], [[3.0], [4.0]]]]"
_RGB = "[[[0.1, 0.5, 0.9], [0.2, 0.4, 0.6]]]"

for _name, _what, _group in (
    ("resize_bilinear", "bilinear interpolation", "float32"),
    ("resize_bicubic", "bicubic interpolation", "float32"),
    ("resize_area", "the mean of the area", "float32"), ("resize_nearest_neighbor", "the nearest pixel", "T"),
):
    _corners = "" if _name == "resize_area" else ", half_pixel_centers: flag = false"
    row(_name, f"images: T, size: shape, align_corners: flag = false{_corners}", nn.resized(_group),
        f"image.{_name}",
        f"A batch of images with another [height, width], by {_what}"
        f"{', as float32' if _group == 'float32' else ''}.", f"{_name}({_GRAY}, [4, 6])",
        no_gradient="*" if _name == "resize_area" else "", T=_PIXELS)
for _name, _what in (("flip_left_right", "left and right"), ("flip_up_down", "up and down")):
    row(_name, "image: T", nn.image("image", most=4), f"image.{_name}",
        f"An image, or a batch of them, with {_what} swapped.",
        f"{_name}({_GRAY})", named=False, T="number bool string")
row("per_image_standardization", "image: T", nn.standardized, "image.per_image_standardization",
    "Each image with mean 0 and variance 1, as float32.", f"per_image_standardization({_GRAY})", named=False,
    T="real bool")
row("adjust_brightness", "image: T, delta: number", like("image"), "image.adjust_brightness",
    "Images with `delta` added everywhere; whole numbers stand for shares of the largest that their dtype holds.",
    f"adjust_brightness({_GRAY}, 0.1)", named=False, T="real")
row("adjust_contrast", "images: T, contrast_factor: number", nn.image("images"), "image.adjust_contrast",
    "Images with the distance of each pixel from the mean of its channel multiplied.",
    f"adjust_contrast({_GRAY}, 2.0)",
    named=False, T="bfloat16 float32 float64 int", no_gradient="*")
row("rgb_to_grayscale", "images: T", nn.image("images", 3, 1), "image.rgb_to_grayscale",
    "The brightness of colours: the last axis of size 3 becomes size 1.", f"rgb_to_grayscale({_RGB})",
    T="real")
row("grayscale_to_rgb", "images: T", nn.image("images", 1, 3, least=2), "image.grayscale_to_rgb",
    "Brightness as colours: the last axis of size 1 becomes size 3.", f"grayscale_to_rgb({_GRAY})", special=True,
    T="float int8 int16 int32 int64 uint8 uint32 uint64 bool complex64 complex128")
row("rgb_to_hsv", "images: T", nn.image("images", 3), "image.rgb_to_hsv",
    "Hue, saturation and value of red, green and blue, the last axis.", f"rgb_to_hsv({_RGB})", T="float")
row("hsv_to_rgb", "images: T", nn.image("images", 3), "image.hsv_to_rgb",
    "Red, green and blue of hue, saturation and value, the last axis.", f"hsv_to_rgb({_RGB})", no_gradient="*",
    T="float")
row("crop_and_resize", "image: T, boxes: float32, box_ind: int32, crop_size: shape", nn.crop_and_resize,
    "image.crop_and_resize",
    "For each box [top, left, bottom, right] (as shares of the height and width) the part of the image that "
    "`box_ind` numbers, with another size, as float32.",
    f"crop_and_resize({_GRAY}, [[0.0, 0.0, 1.0, 1.0]], [0], [3, 3])",
    T="float16 float32 float64 int8 uint8 int16 uint16 "
    "int32 int64")
