"""Converts a frozen graph to ONNX with tf2onnx, in a child process.

tf2onnx imports the whole of TensorFlow, changes settings of the process, and can fail in many ways. What it has no op
for is reported at the line of the program that made the node.
"""

import json
import os
import sys
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from ..diagnostics import ONNX_ENDED, ONNX_FAILED, ONNX_LACKS, Diagnostic, TfgError
from ..diagnostics.spelling import listed
from .orders import carried_out
from .report import lacking

if TYPE_CHECKING:
    import numpy as np

    from ..lowering.built import BuiltGraph
    from ..runtime.files.frozen import FrozenGraph

_PACKAGES = "onnx", "tf2onnx"
_SHOWN = 20  # diagnostics
REPORT = '{"onnx"'  # how the line with the report begins


def check_installed() -> None:
    """Say which packages are missing, before anything else is done."""
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        raise lacking("an export to ONNX", missing[0], "'onnx>=1.19,<2' 'tf2onnx>=1.17,<2'")


def converted(note: Callable[[str], None], frozen: "FrozenGraph", built: "BuiltGraph") -> bytes:
    """Convert a frozen graph to ONNX. `note` is called with a line about outputs whose values differ from TensorFlow's
    for infinite, NaN or huge inputs."""
    tables = {name: [_listed(keys), _listed(values)] for name, (keys, values) in frozen.tables.items()}
    order = {"inputs": frozen.inputs, "outputs": frozen.outputs, "tables": tables, "prepare": frozen.prepare}
    with tempfile.TemporaryDirectory(prefix="tfdsl-onnx-") as work:
        with open(os.path.join(work, "frozen.pb"), "wb") as file:
            file.write(frozen.definition.SerializeToString())
        done = carried_out("onnx_child", order, work)
        report = next((json.loads(line) for line in done.stdout.splitlines() if line.startswith(REPORT)), None)
        if report is None:
            code = done.returncode
            sys.stderr.write(done.stderr if code > 0 else "")
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            raise TfgError([Diagnostic(ONNX_ENDED, None, {"how": how})])
        faults = [_fault(built, **one) for one in report["onnx"]]
        if faults:
            raise TfgError(list({(one.code, one.span, str(one.details)): one for one in faults}.values())[:_SHOWN])
        if report["apart"]:
            note(f"tfdsl: with infinite, NaN or huge inputs, ONNX computes other values of {listed(report['apart'])}")
        with open(os.path.join(work, "model.onnx"), "rb") as file:
            return file.read()


def _listed(values: "np.ndarray") -> list[object]:
    """The keys or values of a table in JSON."""
    found = values.tolist()
    return [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in found]


def _fault(built: "BuiltGraph", name: str, op: str, reason: str) -> Diagnostic:
    """What ONNX lacks, or what tf2onnx cannot convert, at the node of the program."""
    node = built.node_of(name) if name else None
    details = {"op": op, "what": (node.name or node.op) if node else name or "the graph", "reason": reason}
    message = ONNX_FAILED if reason else ONNX_LACKS
    if node is None:
        return Diagnostic(message, None, details)
    return Diagnostic(message, node.origin.span, details, chain=node.origin.chain).outside_libraries()
