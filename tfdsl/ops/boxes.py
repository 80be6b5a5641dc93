"""Boxes [top, left, bottom, right] in images, as fractions of the height and the width."""

from ..diagnostics import OPTION
from ..types import FLOAT32, INT32, Dim, TensorType
from .batch import rows, whole
from .op import Alike, OpCall
from .row import table
from .rules import count, least_rank, length, listed, number, same_size, wanted_rank

OPS, row = table("images")


def _scored(call: OpCall) -> None:
    """Boxes of four numbers, and a score for each."""
    (boxes, four), (scores,) = wanted_rank(call, "boxes", 2), wanted_rank(call, "scores", 1)
    same_size(call, four, 4, "boxes")
    same_size(call, boxes, scores, "boxes", "scores")
    wanted_rank(call, "max_output_size", 0)


def selected(outputs: int = 1):
    """The numbers of boxes, and perhaps their scores. Only the run knows how many there are."""

    def rule(call: OpCall) -> TensorType | tuple[TensorType, ...]:
        _scored(call)
        numbers = TensorType(INT32, (None,))
        return numbers if outputs == 1 else (numbers, TensorType(call.dtype("T"), (None,)))

    return rule


def overlaps(call: OpCall) -> TensorType:
    """How much any two of some boxes overlap, and a score for each."""
    (left, right), (scores,) = wanted_rank(call, "overlaps", 2), wanted_rank(call, "scores", 1)
    side = same_size(call, left, right, "overlaps")
    same_size(call, side, scores, "overlaps", "scores")
    wanted_rank(call, "max_output_size", 0)
    return TensorType(INT32, (None,))


def padded(call: OpCall) -> tuple[TensorType, TensorType]:
    """The numbers of boxes, and how many there are; for a batch and its size if they are padded."""
    boxes, scores = least_rank(call, "boxes", 2), least_rank(call, "scores", 1)
    most = count(call, "max_output_size")
    if not call["pad_to_max_output_size"]:
        _scored(call)
        return TensorType(INT32, (None,)), TensorType(INT32, ())
    if boxes is None or scores is None:
        return TensorType(INT32, None), TensorType(INT32, None)
    same_size(call, boxes[-1], 4, "boxes")
    batch = tuple(same_size(call, a, b, "boxes", "scores") for a, b in zip(boxes[:-1], scores))[:-1]
    return TensorType(INT32, (*batch, most)), TensorType(INT32, batch)


def combined(call: OpCall) -> tuple[TensorType, ...]:
    """For each row of the batch: boxes, their scores and classes, and how many there are."""
    batch, boxes, classes, four = wanted_rank(call, "boxes", 4)
    own, scored, known = wanted_rank(call, "scores", 3)
    same_size(call, four, 4, "boxes")
    same_size(call, boxes, scored, "boxes", "scores")
    batch = same_size(call, batch, own, "boxes", "scores")
    size: Dim = call["max_total_size"]
    shown, most = number(call, known), call["max_output_size_per_class"]
    if call["pad_per_class"]:
        size = None if shown is None else min(call["max_total_size"], most * shown)
    given = number(call, classes)
    if given is not None and shown is not None and given not in (1, shown):
        call.fail(OPTION, "boxes", param="the third axis", value=given, allowed=f"1 or {shown}")
    wide = [TensorType(FLOAT32, shape) for shape in ((batch, size, 4), (batch, size), (batch, size))]
    return (*wide, TensorType(INT32, (batch,)))


def drawn(call: OpCall) -> TensorType:
    """The images. Each has its boxes."""
    batch, _, _, channels = wanted_rank(call, "images", 4)
    own, _, four = wanted_rank(call, "boxes", 3)
    same_size(call, four, 4, "boxes")
    same_size(call, batch, own, "images", "boxes")
    known = number(call, channels)
    if known is not None and known not in (1, 3, 4):
        call.fail(OPTION, "images", param="the last axis", value=known, allowed="1, 3 or 4")
    if call["colors"] is not None:
        wanted_rank(call, "colors", 2)
    return call["images"]


def distorted(call: OpCall) -> tuple[TensorType, ...]:
    """Where a part of the image begins, its size, and it as a box."""
    same_size(call, wanted_rank(call, "image_size", 1)[0], 3, "image_size")
    *_, four = wanted_rank(call, "bounding_boxes", 3)
    same_size(call, four, 4, "bounding_boxes")
    if call["seed"] == 0:
        call.fail(OPTION, "seed", param="seed", value=0, allowed="numbers but 0, which TensorFlow takes for no seed")
    for name in ("aspect_ratio_range", "area_range"):
        if call[name] is not None:
            low, high = length(call, name, listed(call[name]), 2)
            if not 0 < low <= high:
                call.fail(OPTION, name, param=name, value="this", allowed="two numbers above 0, the smaller first")
    three = TensorType(call.dtype("T"), (3,))
    return three, three, TensorType(FLOAT32, (1, 1, 4))


# fmt: off
_BOXES = "[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.9, 1.0], [0.5, 0.5, 1.0, 1.0]]"
_SCORES = "[0.9, 0.8, 0.7]"
_LIMITS = "max_output_size: int32, iou_threshold: number = 0.5, score_threshold: number = none"
_BEST = ("the boxes with the largest scores, without those that overlap one before by more than `iou_threshold`, or "
         "have a smaller score than `score_threshold`")
row("non_max_suppression", f"boxes: T, scores: T, {_LIMITS}", selected(), "image.non_max_suppression",
    f"The numbers of {_BEST}, int32.", f"non_max_suppression({_BOXES}, {_SCORES}, 2)", batch=whole, T="float16 float32")
row("non_max_suppression_with_scores", f"boxes: T, scores: T, {_LIMITS}, soft_nms_sigma: number = 0.0", selected(2),
    "image.non_max_suppression_with_scores",
    f"The numbers, int32, and the scores of {_BEST}. With `soft_nms_sigma` boxes that overlap stay, with smaller "
    "scores.",
    f"non_max_suppression_with_scores({_BOXES}, {_SCORES}, 2)",
    outputs="indices scores", batch=whole, soft_nms_sigma=0.0, no_gradient="*",
    T="float32")
row("non_max_suppression_overlaps", "overlaps: float32, scores: float32, max_output_size: int32, overlap_threshold: "
    "number = 0.5, score_threshold: number = none", overlaps, "image.non_max_suppression_overlaps",
    "Like non_max_suppression, for any measure of how much each two boxes overlap.",
    "non_max_suppression_overlaps([[1.0, 0.9], [0.9, 1.0]], [0.9, 0.8], 2)", batch=whole)
row("non_max_suppression_padded", f"boxes: float32, scores: float32, {_LIMITS}, pad_to_max_output_size: flag = false",
    padded, "image.non_max_suppression_padded",
    f"The numbers of {_BEST}, and how many there are, int32. With `pad_to_max_output_size` zeros follow, and axes "
    "before are a batch.", f"non_max_suppression_padded({_BOXES}, {_SCORES}, 2)", outputs="indices count", batch=whole,
    lowered="special.of_tensors")
row("combined_non_max_suppression", "boxes: float32, scores: float32, max_output_size_per_class: integer, "
    "max_total_size: integer, iou_threshold: number = 0.5, score_threshold: number = none, "
    "pad_per_class: flag = false, clip_boxes: flag = true", combined, "image.combined_non_max_suppression",
    "The best boxes of each row of a batch, among those of all classes: `boxes` is [batch, n, classes or 1, 4], "
    "`scores` [batch, n, classes]. The result is boxes, scores, classes, and how many there are.",
    "combined_non_max_suppression([[[[0.0, 0.0, 1.0, 1.0]], [[0.5, 0.5, 1.0, 1.0]]]], [[[0.9], [0.8]]], 2, 2)",
    outputs="boxes scores classes counts", batch=rows("boxes", "scores"),
    no_gradient="*", max_output_size_per_class=1, max_total_size=1)
row("draw_bounding_boxes", "images: T, boxes: float32, colors: float32? = none", drawn, "image.draw_bounding_boxes",
    "A batch of images with boxes drawn on them, [batch, n, 4], in the colours given in turn.",
    "draw_bounding_boxes([[[[0.0], [0.0]], [[0.0], [0.0]]]], [[[0.0, 0.0, 1.0, 1.0]]])", batch=rows("images", "boxes"),
    no_gradient="*", T="float16 float32")
row("sample_distorted_bounding_box", "image_size: T, bounding_boxes: float32, seed: integer = none, "
    "min_object_covered: number = 0.1, aspect_ratio_range: static = none, area_range: static = none, "
    "max_attempts: integer = none, use_image_if_no_bounding_boxes: flag = false", distorted,
    "image.sample_distorted_bounding_box",
    "A random part of an image of the size [height, width, channels] that has at least the fraction "
    "`min_object_covered` of one of the boxes: where it begins, its size, both as slice takes them, and it as a box.",
    "sample_distorted_bounding_box([4, 4, 3], [[[0.0, 0.0, 1.0, 1.0]]], seed=1)",
    outputs="begin size box", batch=whole, alike=Alike.DRAWN,
    no_gradient="*", picture="random", draws_alone=True, max_attempts=1, T="uint8 int8 int16 int32 int64")
# fmt: on
