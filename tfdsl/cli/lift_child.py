"""The process of `tfdsl lift --verify`, which TensorFlow can end.

Input: a request, as JSON on standard input. Output: lines of JSON on standard output, one before each execution with
the names that it fetches, and one with the report.
"""

import argparse
import json
import os
from collections.abc import Sequence
from typing import Any

from ..access import Access
from ..driver import compile_source
from ..inputs import CompileInputs
from ..syntax.read import read
from . import tensorflow
from .lift import arrays_of, largest, lifted_by, report_json
from .orders import carry_out


# The arguments come from the command line and have any type.
def _verify(arguments: dict[str, Any], program: str, avoid: list[str], one_by_one: bool) -> None:
    tensorflow.load()
    from ..lift.verify import Verifier

    given = argparse.Namespace(**arguments)
    graph, lifted = lifted_by(given, os.path.basename(arrays_of(program)))
    inputs = CompileInputs(limits=largest(), foreign=tensorflow.foreign(), access=Access(program))
    compiled = compile_source(read(program, largest()), inputs)

    def running(side: str, names: Sequence[str]) -> None:
        print(json.dumps({"running": side, "names": list(names)}), flush=True)

    verifier = Verifier(graph, lifted, compiled, shapes=dict(given.shapes), seed=given.seed, avoid=frozenset(avoid),
                        one_by_one=one_by_one, running=running)  # fmt: skip
    print(json.dumps({"report": report_json(verifier.verify())}), flush=True)


if __name__ == "__main__":
    carry_out(_verify)
