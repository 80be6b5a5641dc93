"""The pytest plugin in another project: its own folder, its own pytest processes."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

import forked
import pytest
from tensorflow.compat.v1.train import write_graph

import tfdsl

MODEL = """\
param size = 2
placeholder x: float32[n, size]
scope loss:
    mse = reduce_mean(square(x))
"""
TESTS = """\
def test_model(golden_graph):
    golden_graph("models/model.tfg")

def test_wide(golden_graph):
    golden_graph("models/model.tfg", golden="wide", size=3)
"""
ONE = "tests/test_model.py::test_model"
GOLDEN = """\
loss/Const = Const() value=[0, 1] -> int32[2]
loss/Square = Square(x) -> float32[?, 2]
loss/mse = Mean(loss/Square, loss/Const) -> float32
x = Placeholder() -> float32[?, 2]
"""


@pytest.fixture
def project(here):
    """A project with one program and two tests of it."""
    for path, text in {"models/model.tfg": MODEL, "tests/test_model.py": TESTS, "pytest.ini": "[pytest]\n"}.items():
        Path(path).parent.mkdir(exist_ok=True)
        Path(path).write_text(text, encoding="utf-8")
    return here


OF_CI = ("CI", "BUILD_NUMBER")  # with these set, pytest shortens nothing


def run(*arguments: str) -> tuple[int, str]:
    """The exit code and the output of pytest, run in this process."""
    output = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(output), redirect_stderr(output):
        for name in [name for name in os.environ if name in OF_CI or name.startswith("PYTEST_")]:
            patch.delenv(name)
        patch.setattr(sys, "path", list(sys.path))
        # The last one collects the garbage of this whole process five times.
        without = [
            word
            for name in ("cacheprovider", "hypothesispytest", "unraisableexception")
            for word in ("-p", f"no:{name}")
        ]
        # This process, or the one it is forked from, may have imported tfdsl as a plain module; pytest reports that.
        quiet = ["-W", "ignore:Module already imported so cannot be rewritten"]
        code = pytest.main([*without, *quiet, "--color=no", *arguments])
    sys.modules.pop("test_model", None)
    return int(code), output.getvalue()


def run_process(*arguments: str, start=forked.run) -> tuple[int, str]:
    """The exit code and the output of pytest, run as a user runs it."""
    environment = {k: v for k, v in os.environ.items() if k not in OF_CI and not k.startswith(("PYTEST_", "COV_"))}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}  # quiet, and a second faster
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", *arguments]
    done = start(command, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def golden(name: str) -> Path:
    return Path("tests/golden", f"{name}.graph.txt")


def test_the_life_of_a_golden_file(project):
    code, output = run()
    assert code == 1 and "2 failed" in output
    assert "there is no tests/golden/model.graph.txt to compare models/model.tfg with" in output
    assert "write it with: pytest --update-golden" in output
    assert not golden("model").exists()

    code, output = run("--update-golden")
    assert code == 0, output
    assert golden("model").read_text(encoding="utf-8") == GOLDEN
    assert golden("wide").read_text(encoding="utf-8") == GOLDEN.replace("float32[?, 2]", "float32[?, 3]")
    assert sorted(os.listdir("tests/golden")) == ["model.graph.txt", "wide.graph.txt"]

    # Also from another folder.
    code, output = run("--rootdir", str(project), "tests/test_model.py")
    assert code == 0, output

    model = Path("models/model.tfg")
    model.write_text(MODEL.replace("square(x)", "abs(x) * 2.0"), encoding="utf-8")
    code, output = run(ONE)
    assert code == 1
    for line in (
        "the graph of models/model.tfg is not the one in tests/golden/model.graph.txt: "
        "3 nodes added, 1 removed, 1 changed: loss/Abs, loss/mul, loss/mul/y, loss/Square, loss/mse",
        "--- tests/golden/model.graph.txt",
        "+++ models/model.tfg",
        "-loss/mse = Mean(loss/Square, loss/Const) -> float32",
        "+loss/mse = Mean(loss/mul, loss/Const) -> float32",
        "If this change is intended, accept it with: pytest --update-golden",
    ):
        assert line in output.splitlines(), output
    assert "Traceback" not in output and "pytest_plugin.py" not in output

    assert run("--update-golden")[0] == 0
    assert run()[0] == 0


@pytest.mark.long
def test_workers_of_xdist_write_golden_files(project):
    code, output = run_process("--update-golden", "-n", "1", start=partial(forked.run, forks=True))
    assert code == 0 and golden("model").read_text(encoding="utf-8") == GOLDEN, output


def test_wrong_uses_in_a_test(project):
    Path("tests/test_model.py").write_text(
        'def test_none(golden_graph):\n    golden_graph("models/other.tfg")\n'
        'def test_param(golden_graph):\n    golden_graph("models/model.tfg", sise=3)\n'
        'def test_a(golden_graph):\n    golden_graph("models/model.tfg")\n'
        'def test_b(golden_graph):\n    golden_graph("models/model.tfg", size=3)\n',
        encoding="utf-8",
    )
    code, output = run("--update-golden")
    assert code == 1 and "3 failed, 1 passed" in output
    assert "models/other.tfg cannot be read" in output
    assert output.count("there is no param 'sise'") == 1 and "did you mean 'size'?" in output
    assert "During handling" not in output
    assert 'two different graphs belong to tests/golden/model.graph.txt; give one of them golden="..."' in output
    assert golden("model").read_text(encoding="utf-8") == GOLDEN


@pytest.mark.long
def test_a_long_difference_is_truncated(project):
    assert run("--update-golden", ONE)[0] == 0
    lines = "".join(f"y{i} = x + {i}.0\n" for i in range(60))
    Path("models/model.tfg").write_text(MODEL + lines, encoding="utf-8")
    code, output = run(ONE)
    assert code == 1
    assert "120 nodes added: y0, y0/y, y1, y1/y, y2, y2/y, y3, y3/y and 112 more" in output
    assert "and 64 more lines" in output
    assert "y59" not in output.partition("short test summary")[0]


@pytest.mark.long
def test_only_the_order_of_lines(project):
    assert run("--update-golden", ONE)[0] == 0
    golden("model").write_text("".join(reversed(GOLDEN.splitlines(keepends=True))), encoding="utf-8")
    assert "only the order or the spacing of its lines changed" in run(ONE)[1]


def test_several_graphs(project):
    text = 'a = constant(1)\ngraph other:\n    a = constant("{}")\n'
    Path("models/model.tfg").write_text(text.format("b"), encoding="utf-8")
    assert run("--update-golden", ONE)[0] == 0
    Path("models/model.tfg").write_text(text.format("c"), encoding="utf-8")
    assert "1 node changed: other.a" in run(ONE)[1]


def test_an_unused_plugin_costs_nothing(project):
    Path("tests/test_model.py").write_text(
        "import sys\n\ndef test_nothing():\n"
        "    heavy = {'tensorflow', 'numpy', 'lark', 'tfdsl.driver'}\n    assert not heavy & set(sys.modules)\n",
        encoding="utf-8",
    )
    code, output = run_process("-p", "no:hypothesispytest", start=subprocess.run)
    assert code == 0, output


def test_a_graph_that_tensorflow_wrote(project):
    Path("tests/test_model.py").write_text(
        "def test_saved(golden_graph):\n    golden_graph('models/saved.pb')\n\n"
        "def test_given(golden_graph):\n    golden_graph('models/saved.pb', size=3)\n"
    )
    write_graph(tfdsl.compile("models/model.tfg").built().graph, "models", "saved.pb", as_text=False)
    code, text = run("-q", "--update-golden", "tests/test_model.py")
    assert code == 1 and "saved.pb is a graph, which takes no size" in text
    assert golden("saved").read_text(encoding="utf-8") == GOLDEN
    write_graph(tfdsl.compile("models/model.tfg", size=3).built().graph, "models", "saved.pb", as_text=False)
    code, text = run("-q", "tests/test_model.py::test_saved")
    assert code == 1 and "2 changed: loss/Square, x" in text.replace("nodes changed", "changed")
