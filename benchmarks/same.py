"""Compares generated trainings in the engines `step`, `loop` and `xla`: same values, same errors at the same lines.

    python benchmarks/same.py [--programs N] [--seed N] [--times N] [--keep DIR] [--log FILE]

`step` and `loop` must agree to the bit. `xla` must agree up to rounding in programs without random numbers, or refuse
the program (TFG715). With `--times 3` each engine runs three times, and must print the same each time; this is most
useful on a busy machine. Every program runs in a separate fork for each engine, so that a crash is detected too.
"""

import argparse
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT)]  # make `benchmarks` and `tfdsl` of this folder importable

from benchmarks.engines.judge import ENGINES, faults, ready  # noqa: E402
from benchmarks.engines.trainings import Trainings  # noqa: E402


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=1_000, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="begin with this program")
    parser.add_argument("--times", type=int, default=1, metavar="N", help="run each engine this many times")
    parser.add_argument("--keep", metavar="DIR", help="write failing programs to DIR")
    parser.add_argument("--log", metavar="FILE", help="append the lines to FILE")
    arguments = parser.parse_args()
    import tfdsl

    ready()
    out = open(arguments.log, "a", encoding="utf-8") if arguments.log else sys.stdout  # noqa: SIM115
    kinds: Counter[str] = Counter()
    started, done, number, failed = time.monotonic(), 0, arguments.first, 0
    while done < arguments.programs:
        random = Random(f"{arguments.seed} {number}")
        draws = random.random() < 0.3
        text = Trainings(draws).program(random)
        number += 1
        diagnostics = tfdsl.check(text)
        if any(one.severity == "error" for one in diagnostics):
            kinds["no programs"] += 1
            continue
        done += 1
        has_draws = "random_" in text
        engines = ENGINES[:2] if has_draws else ENGINES
        found, came = faults(text, engines, arguments.times)
        kinds["with random numbers"] += has_draws
        kinds["that end with an error"] += came["step"].get("error") is not None
        kinds["that xla refuses"] += (came.get("xla", {}).get("error") or [""])[0] == "TFG715"
        kinds["whose order a warning names"] += any(one.code in ORDER for one in diagnostics)
        if found:
            failed += 1
            print(f"program {number - 1}: " + " | ".join(found), file=out, flush=True)
            if arguments.keep:
                Path(arguments.keep).mkdir(parents=True, exist_ok=True)
                Path(arguments.keep, f"{arguments.seed}-{number - 1}.tfg").write_text(text, encoding="utf-8")
        if done % 50 == 0 or done == arguments.programs:
            rest = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()) if count)
            print(
                f"{done} programs in {time.monotonic() - started:.0f} s ({rest}): {failed} differ", file=out, flush=True
            )
    return 1 if failed else 0


ORDER = ("TFG915", "TFG916", "TFG917", "TFG918", "TFG919")  # warnings that the result depends on an order

if __name__ == "__main__":
    sys.exit(main())
