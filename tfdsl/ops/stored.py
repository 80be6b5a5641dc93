"""Constants in files beside the program."""

from typing import NoReturn

from .batch import whole
from .flops import no_flops
from .op import Alike, OpCall
from .row import table

OPS, row = table("graph", flops=no_flops)


# fmt: off
def _by_the_analysis(call: OpCall) -> NoReturn:
    raise AssertionError("the analysis takes the type of this op from the header of the file")


row("stored", "name: text = \"\", from: text", _by_the_analysis, "constant",
    "A constant whose value is an array in a file beside the program: the array with this name in an .npz file, or the "
    "only array in an .npy file. The graph contains the value. The path is relative to the folder of the file with the "
    "call.",
    "stored(\"conv1/weights\", from=\"lenet.npz\")", batch=whole, lowered="stored.stored", alike=Alike.NEVER, T="any")
# fmt: on
