"""The process that runs `tfdsl lift --verify`. TensorFlow may end it.

Input: a request, as JSON on standard input. Output: lines of JSON on standard output, one before each execution with
the names that it fetches, and one with the report.
"""

import argparse
import json
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..source import Source
from ..syntax.read import read
from . import tensorflow
from .lift import arrays_of, compiled, largest, lifted_by, options_of, report_json, write_arrays
from .orders import carry_out

if TYPE_CHECKING:
    from ..lift.graph import SavedGraph
    from ..lift.lifted import Lifted
    from ..lift.verify import VerifyReport


# The arguments come from the command line and have any type.
def _verify(arguments: dict[str, Any], program: str, avoid: list[str], one_by_one: bool) -> None:
    tensorflow.load()
    from ..lift.proof import Prover
    from ..lift.readable import lift_readable
    from ..lift.unfolded import ALL_FOLDED, unfolded_json
    from ..lift.verify import Verifier

    given = argparse.Namespace(**arguments)
    arrays = os.path.basename(arrays_of(program))
    graph, lifted = lifted_by(given, arrays)

    def running(side: str, names: Sequence[str]) -> None:
        print(json.dumps({"running": side, "names": list(names)}), flush=True)

    def report_on(original: "SavedGraph", made: "Lifted", source: Source, place: str) -> "VerifyReport":
        verifier = Verifier(original, made, compiled(source, place), shapes=dict(given.shapes), seed=given.seed,
                            avoid=frozenset(avoid), one_by_one=one_by_one, running=running)  # fmt: skip
        return verifier.verify()

    def compare(original: "SavedGraph", made: "Lifted", source: Source) -> "VerifyReport":
        """The report on a program other than the one to verify. The files of this program are in the folder of this
        process."""
        if made.arrays:
            write_arrays(arrays, made.arrays)
        return report_on(original, made, source, os.path.basename(program))

    report, failed, unfolded = None, None, ALL_FOLDED
    try:
        report = report_on(graph, lifted, read(program, largest()), program)
    except Exception as error:  # TensorFlow raises errors of many classes while it builds a graph
        failed = error
    if not lifted.is_exact and (report is None or not report.is_same):
        unfolded = Prover(graph, arrays, compare, options_of(given, graph)).unfolded()
    if unfolded != ALL_FOLDED:
        lifted = lift_readable(graph, arrays, unfolded, options_of(given, graph))
        other = compare(graph, lifted, Source(os.path.basename(program), lifted.source))
        if report is not None and unfolded.exact and not other.is_same:
            unfolded = ALL_FOLDED  # the readable form is not to blame
        else:
            report = other
    if report is None:
        assert failed is not None
        raise failed
    print(json.dumps({"report": report_json(report), "unfolded": unfolded_json(unfolded)}), flush=True)


if __name__ == "__main__":
    carry_out(_verify)
