"""Initial values, made by TensorFlow's initializers.

`tf` names the class of the initializer. It is called with the parameters of the row; the resulting object is
called with the shape and the dtype.
"""

from ..diagnostics import NOT_COMPILE_TIME, RANK
from ..types import TensorType, shape_text
from .batch import whole
from .op import Alike, OpCall
from .row import table
from .rules import given_shape

OPS, row = table("initializers", alike=Alike.DRAWN)


def static_shaped(rank: int = 0):
    """A new tensor whose shape is known at compile time, with at least this rank."""

    def rule(call: OpCall) -> TensorType:
        shape, known = call.shape("shape"), call.known("shape")
        if shape is None or known is None or None in known:
            call.fail(NOT_COMPILE_TIME, "shape", param="shape", type=shape_text(known and tuple(known)))
        given_shape(call)
        result = TensorType(call["dtype"], shape)
        if len(shape) < rank:
            call.fail(RANK, "shape", param="a shape", wanted=f"{rank} or more", type=shape_text(shape))
        return result

    return rule


# fmt: off
# name, TensorFlow's class, its own parameters, what it gives, least rank of a shape
_INITIALIZERS = (
    ("glorot_uniform", "glorot_uniform_initializer", "", "Uniform numbers, scaled by both sides of a layer", 0),
    ("glorot_normal", "glorot_normal_initializer", "", "Normal numbers, scaled by both sides of a layer", 0),
    ("he_uniform", "initializers.he_uniform", "", "Uniform numbers, scaled for layers with relu", 0),
    ("he_normal", "initializers.he_normal", "", "Normal numbers, scaled for layers with relu", 0),
    ("lecun_uniform", "initializers.lecun_uniform", "", "Uniform numbers, scaled by the inputs of a layer", 0),
    ("lecun_normal", "initializers.lecun_normal", "", "Normal numbers, scaled by the inputs of a layer", 0),
    ("variance_scaling", "variance_scaling_initializer",
     ", scale: number = 1.0, mode: text = \"fan_in\", distribution: text = \"truncated_normal\"",
     "Numbers scaled by the inputs, the outputs or both sides of a layer", 0),
    ("uniform_unit_scaling", "uniform_unit_scaling_initializer", ", factor: number = 1.0",
     "Uniform numbers that keep the scale of a layer's inputs", 0),
    ("orthogonal", "orthogonal_initializer", ", gain: number = 1.0",
     "A matrix with orthogonal columns (or rows, if there are fewer)", 2),
)
_TINY = 5e-324  # the smallest number above 0
_OPTIONS = {
    "variance_scaling": {
        "scale": _TINY,
        "mode": ("fan_in", "fan_out", "fan_avg"),
        "distribution": ("truncated_normal", "untruncated_normal", "normal", "uniform"),
    }
}
for _name, _tf, _params, _what, _rank in _INITIALIZERS:
    _options = _OPTIONS.get(_name, {})
    row(_name, f"shape: shape{_params}, dtype: dtype T = float32, seed: integer = none", static_shaped(_rank),
        _tf,
        f"{_what}, in a shape known while compiling.", f"{_name}([3, 2], seed=42)", batch=whole,
        lowered="special.initializer",
        T="float16 float32 float64" if _name == "orthogonal" else "float", **_options)
# fmt: on
