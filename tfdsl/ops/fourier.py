"""Fourier transforms."""

from ..diagnostics import LENGTH, NEGATIVE, NO_NUMBERS
from ..types import Dim, TensorType
from .batch import stacked
from .op import OpCall
from .row import table
from .rules import clear_rank, complex_of, least_rank, length, like, listed, number, option, product, real_of

OPS, row = table("signals")


def rfft(call: OpCall) -> TensorType:
    """Half of the frequencies plus one, as complex numbers."""
    shape = least_rank(call, "input_tensor", 1)
    n = number(call, _length(call, None if shape is None else number(call, shape[-1])))
    last = number(call, shape[-1]) if shape else None
    if shape and ((n == 0 and last) or (last == 0 and n)) and product(call, shape[:-1]):
        call.fail(NO_NUMBERS, "input_tensor", type=call["input_tensor"])
    last = None if n is None else n // 2 + 1 if n else 0
    return TensorType(complex_of(call.dtype("T")), None if shape is None else (*shape[:-1], last))


def irfft(call: OpCall) -> TensorType:
    """Real numbers from half of the frequencies plus one."""
    shape = least_rank(call, "input_tensor", 1)
    if shape is None and call["fft_length"] is None:
        clear_rank(call, "input_tensor")
    size = None if shape is None else number(call, shape[-1])
    last = _length(call, None if size is None else max(0, 2 * (size - 1)))
    is_none = (last == 0 and size not in (0, None)) or (size == 0 and last)
    if shape and is_none and 0 not in (number(call, dim) for dim in shape[:-1] if dim is not None):
        call.fail(NO_NUMBERS, "input_tensor", type=call["input_tensor"])
    return TensorType(real_of(call.dtype("T")), None if shape is None else (*shape[:-1], last))


def _length(call: OpCall, default: int | None) -> Dim:
    if call["fft_length"] is None:
        return default
    given = call.shape("fft_length")
    if given is not None and len(given) != 1:
        call.fail(LENGTH, "fft_length", param="fft_length", wanted=1, count=len(given))
    if given and (number(call, given[0]) or 0) < 0:
        call.fail(NEGATIVE, "fft_length", param="fft_length", value=given[0], least=0)
    return given[0] if given else None


def _lengths(call: OpCall, axes: int, own: tuple[Dim, ...] | None, is_half: bool) -> tuple[Dim, ...]:
    """The sizes of the transformed axes, of real numbers. `own` are those of the input, whose last one may be half."""
    if call["fft_length"] is not None:
        given = length(call, "fft_length", listed(call["fft_length"]), axes)
        for size in given:
            if size < 1:
                call.fail(NEGATIVE, "fft_length", param="fft_length", value=size, least=1)
        return tuple(given)
    if own is None:
        return (None,) * axes
    last = number(call, own[-1])
    return own if not is_half else (*own[:-1], None if last is None else max(0, 2 * (last - 1)))


def rfft_of_axes(axes: int):
    """Half of the frequencies plus one on the last axis."""

    def rule(call: OpCall) -> TensorType:
        shape, dtype = least_rank(call, "input_tensor", axes), complex_of(call.dtype("T"))
        lengths = _lengths(call, axes, None if shape is None else shape[-axes:], False)
        last = number(call, lengths[-1])
        last = None if last is None else last // 2 + 1 if last else 0
        return TensorType(dtype, None if shape is None else (*shape[:-axes], *lengths[:-1], last))

    return rule


def irfft_of_axes(axes: int):
    """Real numbers from half of the frequencies plus one on the last axis."""

    def rule(call: OpCall) -> TensorType:
        shape, dtype = least_rank(call, "input_tensor", axes), real_of(call.dtype("T"))
        if call["fft_length"] is None:
            clear_rank(call, "input_tensor")
        lengths = _lengths(call, axes, None if shape is None else shape[-axes:], True)
        if number(call, lengths[-1]) == 0:
            call.fail(NO_NUMBERS, "input_tensor", type=call["input_tensor"])
        return TensorType(dtype, None if shape is None else (*shape[:-axes], *lengths))

    return rule


def inverse_dct(call: OpCall) -> TensorType:
    """The inverse of the transform of a type is one of another type."""
    return _dct(call, 2)


def dct(call: OpCall) -> TensorType:
    return _dct(call, 3)


def _dct(call: OpCall, scaled: int) -> TensorType:
    """The last axis is cut or padded to `n` if that is given. The type `scaled` divides by its size."""
    option(call, "type", 1, 2, 3, 4)
    shape = least_rank(call, "input", 1)
    if call["type"] == 1 and call["norm"] is not None:
        call.option("norm", None)
    if call["type"] == 1 and shape and number(call, shape[-1]) in (0, 1):
        call.fail(NEGATIVE, "input", param="the last axis", value=number(call, shape[-1]), least=2)
    if call["n"] is not None:
        shape = clear_rank(call, "input")
        shape = (*shape[:-1], call["n"])
    is_refused = call["norm"] is not None or (call["type"] == scaled and shape and product(call, shape[:-1]))
    if shape and number(call, shape[-1]) == 0 and is_refused:
        call.fail(NO_NUMBERS, "input", type=call["input"])
    return TensorType(call.dtype("T"), shape)


# fmt: off
for _name, _axes in (("fft", 1), ("ifft", 1), ("fft2d", 2), ("ifft2d", 2), ("fft3d", 3), ("ifft3d", 3)):
    _what = "inverse Fourier transform" if _name.startswith("i") else "Fourier transform"
    _open, _close = "[" * (_axes - 1), "]" * (_axes - 1)
    row(_name, "input: T", like("input", _axes), f"signal.{_name}",
        f"The {_what} over the last axis of complex numbers." if _axes == 1
        else f"The {_what} over the last {_axes} axes of complex numbers.",
        f"{_name}(complex({_open}[1.0, 2.0, 3.0]{_close}, 0.0))", batch=stacked(_axes + 1), T="complex64 complex128")
row("rfft", "input_tensor: T, fft_length: shape? = none", rfft, "signal.rfft",
    "The Fourier transform of real numbers over the last axis: n of them give n // 2 + 1 complex ones.",
    "rfft([1.0, 2.0, 3.0, 4.0])", batch=stacked(2), lowered="special.rfft", T="float32 float64")
row("irfft", "input_tensor: T, fft_length: shape? = none", irfft, "signal.irfft",
    "Real numbers from half of their Fourier transform: n of it give 2 * (n - 1) unless `fft_length` says "
    "more.",
    "irfft(complex([1.0, 2.0, 3.0], 0.0))", batch=stacked(2), lowered="special.irfft", T="complex64 complex128")
row("dct", "input: T, type: integer = 2, n: integer = none, norm: text = none", dct, "signal.dct",
    "The discrete cosine transform of a type from 1 to 4 over the last axis.", "dct([1.0, 2.0, 3.0, 4.0])",
    batch=stacked(2), lowered="special.dct", T="float32 float64", norm=("ortho",), n=1)
row("idct", "input: T, type: integer = 2, n: integer = none, norm: text = none", inverse_dct, "signal.idct",
    "The inverse of dct of a type from 1 to 4 over the last axis, but for a factor unless `norm` is \"ortho\".",
    "idct([1.0, 2.0, 3.0, 4.0])", batch=stacked(2), lowered="special.dct", T="float32 float64", norm=("ortho",), n=1)
for _axes, _example in ((2, "[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]"), (3, "[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]")):
    _fft = "input_tensor: T, fft_length: integers = none"
    row(f"rfft{_axes}d", _fft, rfft_of_axes(_axes), f"signal.rfft{_axes}d",
        f"The Fourier transform of real numbers over the last {_axes} axes: n of the last axis give n // 2 + 1 complex "
        "ones.", f"rfft{_axes}d({_example})", batch=stacked(_axes + 1), T="float32 float64")
    row(f"irfft{_axes}d", _fft, irfft_of_axes(_axes), f"signal.irfft{_axes}d",
        f"Real numbers from half of their Fourier transform over the last {_axes} axes: n of the last axis give "
        "2 * (n - 1) unless `fft_length` says more.", f"irfft{_axes}d(complex({_example}, 0.0))",
        batch=stacked(_axes + 1), lowered="special.irfft_of_axes", T="complex64 complex128")
# fmt: on
