"""Measures ratios side by side in one run: the engines of tfdsl, the chapter's loop, and other frameworks.

    python benchmarks/run.py [--loads NAME ...] [--repeats N] [--json FILE] [--plot FILE] [--quick]
    python benchmarks/run.py --from FILE [--plot FILE]

Prints Markdown tables, and its progress on standard error. `benchmarks/README.md` says what is measured and how.
"""

import argparse
import json
import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT)]  # make `benchmarks` and `tfdsl` of this folder importable; workers get the same path

from benchmarks.loads import LOADS  # noqa: E402
from benchmarks.measure import Settings  # noqa: E402
from benchmarks.plot import plot  # noqa: E402
from benchmarks.report import table  # noqa: E402
from benchmarks.result import LoadResult  # noqa: E402
from benchmarks.workers import Failed  # noqa: E402

PACKAGES = ("tensorflow", "numpy", "pandas", "scikit-learn", "keras", "torch", "jax")
BUSY = 0.3  # from this number of processes that want to run, a machine is busy


def machine() -> dict[str, object]:
    """The machine and software of the measurement."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": versions,
    }


def processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def described(machine: dict) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items() if number)
    text = "{processor}, {cores} cores, {system}, Python {python}".format(**machine)
    return f"{text}; {versions}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--loads", nargs="+", choices=LOADS, default=list(LOADS), metavar="NAME",
                        help=f"which loads (default: all): {', '.join(LOADS)}")  # fmt: skip
    parser.add_argument("--repeats", type=int, help="runs of each contender, for the median (default: 7)")
    parser.add_argument("--json", metavar="FILE", help="save all measurements, including every repeat")
    parser.add_argument("--plot", metavar="FILE", nargs="?", const=str(ROOT / "docs" / "benchmarks.svg"),
                        help="plot the speeds (default: docs/benchmarks.svg)")  # fmt: skip
    parser.add_argument("--from", dest="saved", metavar="FILE", help="measure nothing: show results saved by --json")
    parser.add_argument("--quick", action="store_true", help="short runs, only to test that it works")
    arguments = parser.parse_args()

    if arguments.saved:
        saved = json.loads(Path(arguments.saved).read_text(encoding="utf-8"))
        results = [LoadResult.from_json(name, one) for name, one in saved["loads"].items()]
        print(described(saved["machine"]) + "\n", *map(table, results), sep="\n")
        if arguments.plot:
            plot(results, described(saved["machine"]), arguments.plot)
        return

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if arguments.plot and find_spec("matplotlib") is None:
        parser.error('--plot needs matplotlib: pip install ".[benchmarks]"')
    settings = Settings(repeats=arguments.repeats or 7, say=say)
    if arguments.quick:
        settings = Settings(repeats=arguments.repeats or 2, seconds=0.1, limit=20_000, check=100, say=say)
    here = machine()
    print(described(here) + "\n", flush=True)
    if here["load"] and here["load"] > BUSY:
        print(f"The machine was busy before: a load of {here['load']}. Ratios may be far off.\n", flush=True)
    results, failed = [], []
    for name in arguments.loads:
        try:
            results.append(LOADS[name].measure(settings))
        except Failed as error:  # others are compared with this one; a contender that fails is in the table
            failed.append(name)
            print(f"### {name}\n\nfailed: {error}\n", flush=True)
            say(error.details)
            continue
        print(table(results[-1]), flush=True)
        if arguments.json:  # after each load, so that an interrupted run keeps its results
            saved = {"machine": here, "repeats": settings.repeats, "loads": {r.name: r.to_json() for r in results}}
            Path(arguments.json).write_text(json.dumps(saved, indent=2) + "\n", encoding="utf-8")
    if arguments.plot:
        plot(results, described(here), arguments.plot)
    if failed:
        sys.exit(1)


if __name__ == "__main__":
    main()
