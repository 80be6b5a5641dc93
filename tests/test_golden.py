"""The graph of each model and of the programs in `golden/`, and the tree and the typed program of the latter.

`pytest --long --update-golden tests/test_golden.py` writes the files again; read the changes before committing them.
"""

import functools
import json
import os
import re
import subprocess
import sys
from itertools import product

import hypothesis
import pytest
from conftest import some
from programs import GOLDEN, HERE, MODELS, UNHURRIED, WITH_DATA, programs

from tfdsl.driver import check, compile_source
from tfdsl.lowering.text import graph_def_text, graph_text, graphs_text
from tfdsl.program.serialize import fingerprint, from_yaml, to_yaml
from tfdsl.source import Source
from tfdsl.syntax.outline import outline
from tfdsl.syntax.parse import parse

# The graph of one model is 14,000 lines: an unrolled loop, and its formulas.
PATHS = [*(path for path in MODELS if path.stem != "autodiff_passes"), *GOLDEN]


def source(path) -> Source:
    """A program under a name that does not depend on the place of the checkout."""
    return Source(f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8"))


def graphs(path) -> str:
    """The text of all graphs of a program, rebuilt."""
    compiled = compile_source(source(path))
    return graphs_text([compiled.built(graph.name) for graph in compiled.program.graphs])


first_graphs = functools.cache(graphs)  # several tests compare with them


@pytest.fixture
def golden(request):
    """Compares a text with its file, or writes the file."""

    def compare(path, kind: str, text: str) -> None:
        file = HERE / "golden" / f"{path.stem}.{kind}"
        if request.config.getoption("--update-golden"):
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8"), "if this is intended: pytest --update-golden"

    return compare


def program_of(path):
    program, diagnostics = check(source(path))
    assert program is not None, diagnostics
    return program


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_tree(path, golden):
    golden(path, "tree.txt", outline(parse(source(path))))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_program(path, golden):
    golden(path, "program.yaml", to_yaml(program_of(path)))


# Their graphs are large, and are compared with those of the same programs by hand.
LARGE = {"transformer", "bidirectional_lstm", "language_model"}


@pytest.mark.parametrize(
    "path", some([*PATHS, *WITH_DATA], [path for path in [*PATHS, *WITH_DATA] if path.stem not in LARGE]),
    ids=lambda path: path.stem,
)  # fmt: skip
def test_graph(path, golden_graph):
    golden_graph(path)


def test_every_golden_file_belongs_to_a_program():
    paths = [*PATHS, *WITH_DATA]
    stems = {path.stem for path in paths}
    files = [path.name for path in (HERE / "golden").iterdir()]
    assert [name for name in files if name.split(".")[0] not in stems] == []
    assert len(stems) == len(paths)


# --- the same every time --------------------------------------------------------------------------


@pytest.mark.parametrize("path", some(PATHS, [*GOLDEN, PATHS[0]]), ids=lambda path: path.stem)
def test_graph_is_the_same_when_built_again(path):
    assert first_graphs(path) == graphs(path)


def test_graph_of_a_run_program_is_the_same_as_before():
    compiled = compile_source(source(next(path for path in GOLDEN if path.stem == "variables")))
    before = graph_text(compiled.built())
    compiled.run()
    assert graph_text(compiled.built()) == before


_ELSEWHERE = """
import json, sys
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/support"]
from test_golden import PATHS, graphs, program_of
from tfdsl.program.serialize import fingerprint, to_yaml
result = {}
for path in PATHS[int(sys.argv[2])::9]:
    program = program_of(path)
    result[path.stem] = [graphs(path), to_yaml(program), fingerprint(program.graphs)]
print(json.dumps(result))
"""


# The golden files are compared in many processes, each of which hashes in its own way.
@pytest.mark.long
@pytest.mark.parametrize(("seed", "first"), list(product(("0", "4242"), range(9))))
def test_graph_and_program_are_the_same_in_another_process(seed, first, tmp_path):
    """Of every ninth program, starting with the first."""
    command = [sys.executable, "-c", _ELSEWHERE, str(HERE), str(first)]
    environment = {**os.environ, "PYTHONHASHSEED": seed, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    elsewhere = json.loads(done.stdout)
    for path in PATHS[first::9]:
        program = program_of(path)
        assert elsewhere[path.stem] == [first_graphs(path), to_yaml(program), fingerprint(program.graphs)]


# --- YAML and back --------------------------------------------------------------------------------


def assert_loads_back(program) -> None:
    text = to_yaml(program)
    loaded = from_yaml(text)
    assert to_yaml(loaded) == text
    if "nan" not in text:  # NaN is not equal to itself
        assert loaded == program
    assert fingerprint(loaded.graphs) == fingerprint(program.graphs)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_program_loads_back(path):
    assert_loads_back(program_of(path))


ODD = [
    'a = constant(["$1", "^1.1-2", "no", "1e3", "null", "", " x ", "- a", "a: b", "#", "é\\u2028\\x85\\r\\n\\t\\0"])\n',
    "a = constant([1e-6, 1e20, 1e400, -0.0, 0.1])\nb = constant((-8) ** 0.5)\nsession:\n    print a, b\n",
    "placeholder x: float32[...]\nz = x[..., none]\n",
    "placeholder y: string[?, n, 3]\nz = y[:, :, k]\n".replace("k", "-1"),
    'param p = [1, [2.0, "x", none], true]\nparam none_at_all = none\na = constant(p[0])\n',
    "a = constant(1)  # odd \u2028 line \u0085 ends\t\n",
    'a = constant(1)\nsession:\n    print (a +\n        1), "{now} {{}}"\n    expect a == 1 and not a > 2\n',
]


@pytest.mark.parametrize("text", ODD)
def test_odd_values_load_back(text):
    program, diagnostics = check(Source("odd.tfg", text))
    assert diagnostics == []
    assert_loads_back(program)


def repaired(text: str):
    """A program without the lines that have errors, or None if that is not even valid text."""
    for _ in range(12):
        program, diagnostics = check(Source("generated.tfg", text))
        if program is not None:
            return program
        wrong = {d.span.line for d in diagnostics if d.severity == "error" and d.span}
        text = "\n".join(line for at, line in enumerate(text.split("\n"), 1) if at not in wrong)
    return None


@pytest.mark.long
@pytest.mark.parametrize("chunk", range(8))
def test_generated_programs_load_back(chunk):
    loaded = []

    @hypothesis.seed(chunk)
    @hypothesis.settings(UNHURRIED, max_examples=10)
    @hypothesis.given(programs)
    def holds(text):
        program = repaired(text)
        if program is not None and any(graph.nodes for graph in program.graphs):
            assert_loads_back(program)
            loaded.append(program)

    holds()
    assert len(loaded) > 2


def test_fingerprint_does_not_depend_on_places():
    plain, moved = (check(Source("a.tfg", text))[0] for text in ("a = constant(1)\n", "\n\n# moved\na = constant(1)\n"))
    changed = check(Source("a.tfg", "a = constant(2)\n"))[0]
    assert plain != moved
    assert fingerprint(plain.graphs) == fingerprint(moved.graphs) != fingerprint(changed.graphs)


@pytest.mark.parametrize("name", ["loops", "functions", "scopes", "operators"])
def test_a_graph_on_disk_has_the_text_of_its_program(name):
    """Functions of `while` and `if` included. A program leaves some seeds open."""
    built = compile_source(source(HERE / "golden" / f"{name}.tfg")).built()
    text = graph_def_text(built.graph.as_graph_def())
    assert re.sub(r" seed=\S+", "", text) == re.sub(r" seed=\S+", "", graph_text(built))
