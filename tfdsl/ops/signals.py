"""Pieces of signals, their spectra, and windows."""

from collections.abc import Sequence

from ..diagnostics import NEGATIVE, NO_NUMBERS, NOT_COMPILE_TIME, NOT_MULTIPLE, OPTION
from ..types import Dim, TensorType
from .batch import along, stacked, whole
from .flops import no_flops
from .op import OpCall
from .row import table
from .rules import along_axis, axis_in, clear_rank, complex_of, count, least_rank, number, real_of, wanted_rank

OPS, row = table("signals")


def frames(call: OpCall, size: Dim) -> Dim:
    """How many pieces there are of an axis of this size."""
    known, step = number(call, size), call["frame_step"]
    if known is None:
        return None
    return max(0, -(-known // step) if call["pad_end"] else 1 + (known - call["frame_length"]) // step)


def frame(call: OpCall) -> TensorType:
    """One axis becomes two: the pieces, and the numbers in each."""
    shape = least_rank(call, "signal", 1)
    if call["pad_value"] is not None:
        wanted_rank(call, "pad_value", 0)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    axis = axis_in(call, call["axis"], len(shape), "signal")
    return TensorType(
        call.dtype("T"), (*shape[:axis], frames(call, shape[axis]), call["frame_length"], *shape[axis + 1 :])
    )


def joined(call: OpCall, shape: Sequence[Dim], length: int | None, step: int) -> tuple[Dim, ...]:
    """The shape of pieces of this length put together, one every `step` numbers."""
    pieces = number(call, shape[-2])
    total = None if pieces is None or length is None else max(0, length + step * (pieces - 1))
    return (*shape[:-2], total)


def overlap_and_add(call: OpCall) -> TensorType:
    shape = least_rank(call, "signal", 2)
    if shape is None:
        return TensorType(call.dtype("T"), None)
    return TensorType(call.dtype("T"), joined(call, shape, number(call, shape[-1]), call["frame_step"]))


def stft(call: OpCall) -> TensorType:
    """A spectrum for each piece: half of its frequencies plus one."""
    shape, dtype = least_rank(call, "signals", 1), complex_of(call.dtype("T"))
    length = call["fft_length"] or 1 << (call["frame_length"] - 1).bit_length()
    if shape is None:
        return TensorType(dtype, None)
    return TensorType(dtype, (*shape[:-1], frames(call, shape[-1]), length // 2 + 1))


def inverse_stft(call: OpCall) -> TensorType:
    """The signal of spectra."""
    shape, dtype = least_rank(call, "stfts", 2), real_of(call.dtype("T"))
    if shape is None:
        return TensorType(dtype, None)
    return TensorType(dtype, joined(call, shape, call["frame_length"], call["frame_step"]))


def mdct(call: OpCall) -> TensorType:
    """Half as many numbers for each piece, of which one begins in the middle of the other."""
    shape, length = clear_rank(call, "signals"), call["frame_length"]
    least_rank(call, "signals", 1)
    if length % 4:
        call.option("frame_length", "a multiple of 4")
    known = number(call, shape[-1])
    pieces = None
    if known is not None:
        pieces = -(-known // (length // 2)) if call["pad_end"] else max(0, 1 + (known - length) // (length // 2))
    return TensorType(call.dtype("T"), (*shape[:-1], pieces, length // 2))


def inverse_mdct(call: OpCall) -> TensorType:
    shape = least_rank(call, "mdcts", 2)
    half = None if shape is None else number(call, shape[-1])
    if shape is None or half is None:
        call.fail(NOT_COMPILE_TIME, "mdcts", param="the last axis", type=call["mdcts"])
    if half < 2:
        call.fail(NEGATIVE, "mdcts", param="the last axis", value=half, least=2)
    if half % 2:
        call.fail(NOT_MULTIPLE, "mdcts", factor=2, axis=len(shape) - 1, type=call["mdcts"], size=half)
    return TensorType(call.dtype("T"), joined(call, shape, 2 * half, half))


def mfccs(call: OpCall) -> TensorType:
    shape = least_rank(call, "log_mel_spectrograms", 1)
    if shape and number(call, shape[-1]) == 0:
        call.fail(NO_NUMBERS, "log_mel_spectrograms", type=call["log_mel_spectrograms"])
    return TensorType(call.dtype("T"), shape)


def mel_weights(call: OpCall) -> TensorType:
    """From each frequency to each band."""
    low, high, rate = call["lower_edge_hertz"], call["upper_edge_hertz"], call["sample_rate"]
    if not low < high <= rate / 2:
        allowed = f"more than lower_edge_hertz, {low}, and up to half of sample_rate, {rate / 2}"
        call.fail(OPTION, "upper_edge_hertz", param="upper_edge_hertz", value=high, allowed=allowed)
    return TensorType(call.dtype("T"), (call["num_spectrogram_bins"], call["num_mel_bins"]))


def shifted(call: OpCall) -> TensorType:
    """The type of the tensor, whose axes must be known if all of them are shifted."""
    if call["axes"] is None:
        clear_rank(call, "x")
    return along_axis("x", 1, "axes")(call)


def window(call: OpCall) -> TensorType:
    return TensorType(call.dtype("T"), (count(call, "window_length"),))


def even_window(call: OpCall) -> TensorType:
    """Two halves of one size."""
    size = number(call, count(call, "window_length"))
    return TensorType(call.dtype("T"), (None if size is None else size // 2 * 2,))


# fmt: off
_LENGTH = "window_length: int32"
for _name, _params, _rule in (
    ("hann_window", "periodic: flag = true", window), ("hamming_window", "periodic: flag = true", window),
    ("kaiser_window", "beta: number = 12.0", window), ("vorbis_window", "", window),
    ("kaiser_bessel_derived_window", "beta: number = 12.0", even_window),
):
    _what = _name.removesuffix("_window").replace("_derived", "-derived").replace("kaiser_bessel", "Kaiser-Bessel")
    row(_name, ", ".join(filter(None, (_LENGTH, _params, "dtype: dtype T = float32"))), _rule, f"signal.{_name}",
        f"The weights of a {_what[0].upper() + _what[1:]} window, a vector.", f"{_name}(8)", batch=whole,
        T="float")

_WINDOWS = ("hann_window", "hamming_window", "kaiser_window", "kaiser_bessel_derived_window", "vorbis_window")
_PIECES = "frame_length: integer, frame_step: integer"
_LEAST = {"frame_length": 1, "frame_step": 1}
_FN = "`window_fn` names the window of their weights, such as \"hann_window\", or is none."
row("frame", f"signal: T, {_PIECES}, pad_end: flag = false, pad_value: T? = none, axis: integer = -1", frame,
    "signal.frame", "Pieces of an axis that begin every `frame_step` elements, all of the same length: the axis "
    "becomes two. With `pad_end` a piece begins as long as there is an element, and `pad_value` (0 unless given) "
    "fills it.",
    "frame([1.0, 2.0, 3.0, 4.0, 5.0], 2, 1)", batch=along("axis", "signal"), **_LEAST, flops=no_flops)
row("overlap_and_add", "signal: T, frame_step: integer", overlap_and_add, "signal.overlap_and_add",
    "The pieces on the last two axes added up, each `frame_step` elements after the one before.",
    "overlap_and_add([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], 2)", batch=stacked(3), frame_step=1, T="number")
row("stft", f"signals: T, {_PIECES}, fft_length: integer = none, window_fn: text = \"hann_window\", "
    "pad_end: flag = false", stft, "signal.stft",
    "The spectra of pieces of the last axis, complex numbers: [n] becomes [pieces, frequencies]. The pieces are "
    f"filled with zeros to `fft_length`, the next power of two unless given. {_FN}",
    "stft([1.0, 2.0, 3.0, 4.0, 5.0], 4, 1)", batch=stacked(2), lowered="special.windowed", window_fn=_WINDOWS,
    fft_length=1, T="float32 float64", **_LEAST)
row("inverse_stft", f"stfts: T, {_PIECES}, fft_length: integer = none, window_fn: text = \"hann_window\", "
    "forward_window_fn: text = none", inverse_stft, "signal.inverse_stft",
    f"The signal of spectra as from stft. {_FN} With `forward_window_fn`, the window of stft, it is the one that "
    "undoes that.", "inverse_stft(stft([1.0, 2.0, 3.0, 4.0, 5.0], 4, 1), 4, 1, forward_window_fn=\"hann_window\")",
    batch=stacked(3), lowered="special.windowed", window_fn=_WINDOWS, forward_window_fn=_WINDOWS, fft_length=1,
    T="complex64 complex128", **_LEAST)
row("mdct", "signals: T, frame_length: integer, window_fn: text = \"vorbis_window\", pad_end: flag = false, "
    "norm: text = none", mdct, "signal.mdct",
    "The modified discrete cosine transform of pieces of the last axis, each of which begins in the middle of the one "
    f"before: [n] becomes [pieces, frame_length / 2]. {_FN}", "mdct([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 4)",
    batch=stacked(2), lowered="special.windowed", window_fn=_WINDOWS, norm=("ortho",), frame_length=4,
    T="float32 float64")
row("inverse_mdct", "mdcts: T, window_fn: text = \"vorbis_window\", norm: text = none", inverse_mdct,
    "signal.inverse_mdct", f"The signal of which mdct made pieces. {_FN}",
    "inverse_mdct([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])", batch=stacked(3), lowered="special.windowed",
    window_fn=_WINDOWS, norm=("ortho",), T="float32 float64")
row("linear_to_mel_weight_matrix", "num_mel_bins: integer = 20, num_spectrogram_bins: integer = 129, "
    "sample_rate: number = 8000, lower_edge_hertz: number = 125.0, upper_edge_hertz: number = 3800.0, "
    "dtype: dtype T = float32", mel_weights, "signal.linear_to_mel_weight_matrix",
    "A matrix that takes the magnitudes of a spectrum to bands of the mel scale: [num_spectrogram_bins, "
    "num_mel_bins].",
    "linear_to_mel_weight_matrix(4, 9)", batch=whole, num_mel_bins=1, num_spectrogram_bins=2, lower_edge_hertz=0.0,
    T="float")
row("mfccs_from_log_mel_spectrograms", "log_mel_spectrograms: T", mfccs, "signal.mfccs_from_log_mel_spectrograms",
    "The mel frequency cepstral coefficients of the logarithms of bands of the mel scale, on the last axis.",
    "mfccs_from_log_mel_spectrograms([1.0, 2.0, 3.0])", batch=stacked(2), T="float32 float64")
for _name, _what in (
    ("fftshift", "the frequency 0 in the middle"), ("ifftshift", "the frequency 0 first, after fftshift"),
):
    row(_name, "x: T, axes: integers = none", shifted, f"signal.{_name}",
        f"Axes (all unless given) of a spectrum turned, with {_what}.", f"{_name}([0.0, 1.0, 2.0, -2.0, -1.0])",
        batch=along("axes", "x", 0), flops=no_flops)
# fmt: on
