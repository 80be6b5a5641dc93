"""What the bits of a run depend on besides its program and data: the build of TensorFlow, and the machine."""

import os
import platform

import numpy as np

from ...lowering.tf import is_onednn_on, tf, v1

# The instruction set extensions by which TensorFlow, Eigen, oneDNN and XLA choose kernels.
_EXTENSIONS = ("sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni", "avx512", "amx", "sve", "asimd")


def machine(config: v1.ConfigProto | None = None) -> dict[str, str]:
    """The properties to compare before a training resumes elsewhere, by name. `config` is that of the session."""
    used = config or v1.ConfigProto()
    model, extensions = _processor()
    return {
        "tensorflow": tf.version.VERSION,
        "build": f"{tf.version.GIT_VERSION}, {tf.version.COMPILER_VERSION}",
        "numpy": np.__version__,  # another version of `default_rng` may draw other permutations
        "processor": model,
        "instructions": extensions,
        "intra_op_threads": str(_threads(used.intra_op_parallelism_threads, "TF_NUM_INTRAOP_THREADS")),
        "inter_op_threads": str(_threads(used.inter_op_parallelism_threads, "TF_NUM_INTEROP_THREADS")),
        "onednn": "on" if is_onednn_on() else "off",
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
    }


def _threads(configured: int, variable: str) -> int:
    """The number of threads that TensorFlow uses: set by the session or the environment, or one for each processor that
    this process may use."""
    if configured > 0:
        return configured
    try:
        given = int(os.environ.get(variable, "0"))
    except ValueError:
        given = 0
    if given > 0:
        return given
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _processor() -> tuple[str, str]:
    """The model of the processor, and the relevant part of its instruction set."""
    fields: dict[str, str] = {}
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                name, _, value = line.partition(":")
                fields.setdefault(name.strip().lower(), value.strip())
    except OSError:  # the file exists only on Linux
        pass
    model = fields.get("model name") or platform.processor() or "unknown"
    known = sorted(
        one for one in fields.get("flags", fields.get("features", "")).split() if one.startswith(_EXTENSIONS)
    )
    return model, " ".join([platform.machine(), *known])
