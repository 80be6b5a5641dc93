"""Sends millions of accidental programs through `check` and `fmt`.

    python benchmarks/fuzz.py mutate [--programs N] [--seed N] [--longest N] [--log FILE] [--keep DIR]
    python benchmarks/fuzz.py derived [--programs N] [--seed N] [--log FILE] [--keep DIR] [--hypothesis]
    python benchmarks/fuzz.py ops [--programs N] [--seed N] [--log FILE] [--keep DIR] [--only OP ...]
    python benchmarks/fuzz.py guided [--programs N] [--seed N] --keep DIR     (needs atheris: pip install atheris)

Every program must satisfy these conditions: each error has a place, and its text is safe to print; no exception leaves
the front end; `fmt` does not change its own output, and keeps the meaning of the program; checking takes less than a
second of processor time and 512 MiB. Programs that violate one are written to the folder of `--keep`.

`ops` generates programs of one call of one op, and compares each with the same call of TensorFlow's function: it
returns the same values, with the types in the program, or `check` refuses what TensorFlow refuses.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path[:1] = [str(ROOT)]  # make `benchmarks` and `tfdsl` of this folder importable

from benchmarks.fuzzing.children import Children, Tally  # noqa: E402
from benchmarks.fuzzing.corpus import LONGEST, Corpus, surroundings  # noqa: E402
from benchmarks.fuzzing.mutator import Mutator  # noqa: E402


def revision() -> str:
    said = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, cwd=ROOT)
    return said.stdout.strip() or "unknown"


def summary(tally: Tally, seconds: float) -> str:
    kinds = ", ".join(f"{number:,} {kind}s" for kind, number in sorted(tally.kinds.items()))
    return (
        f"{tally.programs:,} programs ({tally.distinct:,} distinct, {kinds}), "
        f"{tally.characters / max(tally.programs, 1):.0f} characters each, in {seconds:,.0f} s: "
        f"{tally.programs / seconds:,.0f} a second; slowest {tally.slowest:.2f} s, memory {tally.memory >> 10} MiB; "
        f"{len(tally.found)} failures"
    )


def mutate(arguments: argparse.Namespace) -> int:
    return by_number(arguments, Mutator(Corpus(arguments.longest)).program)


def derived(arguments: argparse.Namespace) -> int:
    from benchmarks.fuzzing.grammar import Grammar, by_hypothesis

    if not arguments.hypothesis:
        return by_number(arguments, Grammar().program)
    import hypothesis

    from benchmarks.fuzzing.target import judge

    @hypothesis.seed(arguments.seed)
    @hypothesis.settings(max_examples=arguments.programs, deadline=None, database=None,
                         suppress_health_check=list(hypothesis.HealthCheck))  # fmt: skip
    @hypothesis.given(by_hypothesis())
    def holds(text: str) -> None:
        judge(text)

    holds()
    print(f"{arguments.programs:,} programs, no failure")
    return 0


def by_number(arguments: argparse.Namespace, program: Callable[[Random], str]) -> int:
    """Judge the programs with these numbers in child processes."""
    from benchmarks.fuzzing.target import judge

    out = open(arguments.log, "a", encoding="utf-8") if arguments.log else sys.stdout  # noqa: SIM115
    keep = Path(arguments.keep).absolute() if arguments.keep else None
    children = Children(lambda number: program(Random(f"{arguments.seed} {number}")), judge, keep)
    started = time.monotonic()
    print(f"revision {revision()}, seed {arguments.seed}, process {os.getpid()}", file=out, flush=True)

    def progress(tally: Tally) -> None:
        print(summary(tally, time.monotonic() - started), file=out, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        surroundings(Path(folder))
        os.chdir(folder)
        judge("a = 1\n")  # parser and tables are made once, before the child processes
        children.run(0, arguments.programs, progress)
        os.chdir("/")
    for what in sorted({found.what for found in children.tally.found}):
        print(f"  {what}", file=out)
    return 1 if children.tally.found else 0


LATE = 0.002  # the share of programs that may be refused while building, though their sizes are known


def ops(arguments: argparse.Namespace) -> int:
    from benchmarks.fuzzing.calls import Calls
    from benchmarks.fuzzing.processes import Campaign

    out = open(arguments.log, "a", encoding="utf-8") if arguments.log else sys.stdout  # noqa: SIM115
    calls = Calls(arguments.only)
    campaign = Campaign(lambda number: calls.call(number, arguments.seed))
    started = time.monotonic()
    print(f"revision {revision()}, seed {arguments.seed}, process {os.getpid()}", file=out, flush=True)

    def progress(number: int) -> None:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in campaign.counts.most_common())
        print(f"{number:,} programs in {time.monotonic() - started:,.0f} s: {counts}", file=out, flush=True)
        for one in campaign.found[said[0] :]:
            text = one["text"].rstrip().replace("\n", "\n    ")
            print(f"{one['kind']}: {one['op']} ({one['number']}): {one['why']}\n    {text}", file=out, flush=True)
            if arguments.keep:
                Path(arguments.keep).mkdir(parents=True, exist_ok=True)
                name = f"{one['kind'].replace(',', '').replace(' ', '-')}-{one['op']}-{one['number']}.tfg"
                (Path(arguments.keep) / name).write_text(one["text"], encoding="utf-8")
        said[0] = len(campaign.found)

    said = [0]
    campaign.run(0, arguments.programs, progress)
    late = campaign.counts["late"]
    others = sum(campaign.counts[kind] for kind in ("wrong", "bug", "wrongly refused", "lenient", "abort", "hang"))
    return 1 if others or late > LATE * arguments.programs else 0


def guided(arguments: argparse.Namespace) -> int:
    from benchmarks.fuzzing.corpus import surroundings
    from benchmarks.fuzzing.guided import run

    keep = Path(arguments.keep).absolute()
    with tempfile.TemporaryDirectory() as folder:
        surroundings(Path(folder))
        os.chdir(folder)
        return run(keep, arguments.programs, arguments.seed)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ways = parser.add_subparsers(dest="way", required=True)
    for name, run, programs, help in (
        ("mutate", mutate, 10_000_000, "mutated pieces of the project's programs"),
        ("derived", derived, 20_000, "texts that the grammar allows"),
    ):
        way = ways.add_parser(name, help=help)
        way.add_argument("--programs", type=int, default=programs, metavar="N")
        way.add_argument("--seed", type=int, default=1, metavar="N")
        way.add_argument("--longest", type=int, default=LONGEST, metavar="N", help="maximum characters of a piece")
        way.add_argument("--log", metavar="FILE", help="append a line per 20,000 programs to FILE")
        way.add_argument("--keep", metavar="DIR", help="write failing texts to DIR")
        way.set_defaults(run=run)
    way.add_argument("--hypothesis", action="store_true", help="drawn by hypothesis.extra.lark, a few per second")
    way = ways.add_parser("ops", help="one call of one op, compared with TensorFlow by hand")
    way.add_argument("--programs", type=int, default=20_000, metavar="N")
    way.add_argument("--seed", type=int, default=1, metavar="N")
    way.add_argument("--log", metavar="FILE", help="append a line per 200 programs and the findings to FILE")
    way.add_argument("--keep", metavar="DIR", help="write failing texts to DIR")
    way.add_argument("--only", nargs="+", metavar="OP", help="only these rows")
    way.set_defaults(run=ops)
    way = ways.add_parser("guided", help="inputs that reach new code: atheris, instrumented")
    way.add_argument("--programs", type=int, default=1_000_000, metavar="N")
    way.add_argument("--seed", type=int, default=1, metavar="N")
    way.add_argument("--keep", required=True, metavar="DIR", help="keep the corpus and failing texts in DIR")
    way.set_defaults(run=guided)
    arguments = parser.parse_args()
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
