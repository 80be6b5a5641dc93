"""Runs one program in each engine, each in its own process, and compares the outcomes."""

import json
import os
import select
import signal
import sys
import time
import traceback

ENGINES = ("step", "loop", "xla")
_LONGEST = 240.0  # seconds for one program in all engines, on a busy machine
_CLOSE = {"rtol": 2e-4, "atol": 2e-5}  # tolerances for XLA


def ready() -> None:
    """Import all that a run needs, before this process forks."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    os.environ["TFDSL_LOOP_ALWAYS"] = "1"  # the trainings are short
    from tfdsl.cli import tensorflow

    tensorflow.load()
    import tfdsl.runtime.run
    import tfdsl.runtime.training.graph_loop
    import tfdsl.runtime.training.train  # noqa: F401


def came(text: str, engine: str) -> dict:
    """Run a program in an engine. Returns the printed lines, the variables at the end, the code and line of its error,
    and the engines of its trainings."""
    import numpy as np

    import tfdsl

    lines: list[str] = []
    said: dict[str, object] = {"printed": lines, "variables": {}, "error": None, "engines": []}
    options = tfdsl.Options(write=lines.append, engine=engine, deterministic=True)
    try:
        result = tfdsl.compile(text).run(options=options)
        said["engines"] = list(result.engines)
        said["variables"] = {name: np.asarray(value).tolist() for name, value in result.variables.items()}
    except tfdsl.TfgError as error:
        first = error.diagnostics[0]
        said["error"] = [first.code, first.span.line if first.span else 0]
    return said


def in_child(text: str, engine: str) -> dict:
    """`came` in a fork of this process. If the process dies, that is the outcome."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 2)
            said = came(text, engine)
        except BaseException:
            said = {"traceback": traceback.format_exc()}
        with os.fdopen(writer, "w") as out:
            json.dump(said, out)
        os._exit(0)
    os.close(writer)
    parts, until = [], time.monotonic() + _LONGEST
    with os.fdopen(reader, "rb", buffering=0) as said:
        while select.select([said], [], [], max(0.0, until - time.monotonic()))[0]:
            part = said.read(1 << 16)
            if not part:
                break
            parts.append(part)
        else:
            os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if status or not parts:
        return {"traceback": f"the process ended with status {status}"}
    return json.loads(b"".join(parts))


def faults(text: str, engines: tuple[str, ...] = ENGINES, times: int = 1) -> tuple[list[str], dict[str, dict]]:
    """The differences between a program's engines, in words, and the outcome of each engine."""
    all_came: dict[str, dict] = {}
    found = []
    for engine in engines:
        first = all_came[engine] = in_child(text, engine)
        if "traceback" in first:
            found.append(f"{engine}: {first['traceback'].strip().splitlines()[-1][:200]}")
        for _ in range(times - 1):
            if in_child(text, engine) != first:
                found.append(f"{engine}: the outcome differs between runs")
                break
    if found:
        return found, all_came
    step, loop = all_came["step"], all_came["loop"]
    for what in ("error", "printed", "variables"):
        if step[what] != loop[what]:
            found.append(f"loop: {what}: {_difference(step[what], loop[what])}")
    xla = all_came.get("xla")
    if xla is not None and not _is_refused(xla):
        if step["error"] != xla["error"]:
            found.append(f"xla: error: {step['error']} but {xla['error']}")
        elif not _is_close(step, xla):
            found.append(f"xla: {_difference(step['printed'], xla['printed'])}")
    return found, all_came


def _is_refused(came: dict) -> bool:
    """Whether XLA refused the training with an error."""
    return came["error"] is not None and came["error"][0] == "TFG715"


def _is_close(a: dict, b: dict) -> bool:
    import numpy as np

    if len(a["printed"]) != len(b["printed"]):
        return False
    for left, right in zip(a["printed"], b["printed"]):
        numbers = [[float(word) for word in line.replace("[", " ").replace("]", " ").split()] for line in (left, right)]
        if len(numbers[0]) != len(numbers[1]) or not np.allclose(*numbers, equal_nan=True, **_CLOSE):
            return False
    if a["variables"].keys() != b["variables"].keys():
        return False
    return all(np.allclose(a["variables"][k], b["variables"][k], equal_nan=True, **_CLOSE) for k in a["variables"])


def _difference(a: object, b: object) -> str:
    if isinstance(a, list) and isinstance(b, list):
        for at, (left, right) in enumerate(zip(a, b)):
            if left != right:
                return f"line {at}: {left} but {right}"
        return f"{len(a)} lines but {len(b)}"
    if isinstance(a, dict) and isinstance(b, dict):
        return "; ".join(f"{k}: {a.get(k)} but {b.get(k)}" for k in sorted(a.keys() | b.keys()) if a.get(k) != b.get(k))
    return f"{a} but {b}"


def main() -> None:
    """Judge the program on standard input, to examine one that failed."""
    ready()
    found, all_came = faults(sys.stdin.read())
    for engine, one in all_came.items():
        print(engine, json.dumps(one, indent=1))
    print("\n".join(found) or "the same")


if __name__ == "__main__":
    main()
