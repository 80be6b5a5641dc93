"""Commands import TensorFlow's modules one by one, with the same symbols, graphs and values as the whole package."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tfdsl
from tfdsl.cli import lazy_tensorflow
from tfdsl.driver import compile_source
from tfdsl.lowering.tf import resolve, tf, v1
from tfdsl.ops import OPS
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.source import Source

ROOT = Path(__file__).parents[2]
PROGRAMS = ["basics", "relu_repeated", "shared_by_reuse", "momentum"]
PATHS = sorted({*(path for row in OPS.values() if (path := row.tf) and "." not in path[:1]), "gradients", "Session"})


def seen(names: list[str]) -> dict[str, object]:
    """The results of a process with TensorFlow: graphs and printed lines of programs, and the origins of symbols."""
    graphs, lines = {}, {}
    for name in names:
        compiled = compile_source(Source(f"{name}.tfg", (ROOT / "models" / f"{name}.tfg").read_text()))
        serialized = compiled.built().graph.as_graph_def().SerializeToString(deterministic=True)
        graphs[name] = hashlib.sha256(serialized).hexdigest()
        lines[name] = compiled.run().printed
    with tf.Graph().as_default():  # what a Python function of a program may call
        lines["by hand"] = [v1.get_variable(f"v{use}", [2], use_resource=use).name for use in (True, False)]
    found = {path: _place(resolve(path)) for path in PATHS}
    optimizers = {row.tf: _place(getattr(v1.train, row.tf)) for row in OPTIMIZERS.values()}
    from tensorflow.python.framework import ops

    gradients = sorted(name for name in ops.gradient_registry.list() if not name.startswith("CustomGradient"))
    return {"graphs": graphs, "lines": lines, "symbols": found | optimizers, "gradients": gradients,
            "version": tf.__version__}  # fmt: skip


def _place(symbol: object) -> str:
    return f"{getattr(symbol, '__module__', '')}.{getattr(symbol, '__qualname__', symbol)}"


CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from tfdsl.cli import lazy_tensorflow, tensorflow
tensorflow.load()
begun = [lazy_tensorflow.is_lazy(), "tensorflow.python.training.optimizer" in sys.modules]
from test_lazy_tensorflow import PROGRAMS, seen
found = seen(PROGRAMS)
begun.append(lazy_tensorflow.is_lazy())
import tensorflow as tf
assert not hasattr(tf, "no_symbol")  # in no list
begun.append(lazy_tensorflow.is_lazy())
begun.append(tf.Tensor is sys.modules["tensorflow"].Tensor)
again = seen(["basics"])
print(json.dumps([begun, found, again["lines"]]))
"""


def child(code: str, **environment: str) -> str:
    command = [sys.executable, "-c", code, str(Path(__file__).parent)]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment}, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_graphs_values_and_symbols_are_those_of_the_whole_package():
    begun, found, again = json.loads(child(CHILD).splitlines()[-1])
    assert begun == [True, False, True, False, True]
    assert not lazy_tensorflow.is_lazy()
    whole = seen(PROGRAMS)
    # Programs reach these ops only through `raw`, and only other parts of TensorFlow import their modules.
    others = {"AudioMicrofrontend", "DebugGradientIdentity", "DebugGradientRefIdentity", "DebugIdentityV2"}
    assert {*whole.pop("gradients")} - {*found.pop("gradients")} <= others
    assert found == json.loads(json.dumps(whole))
    assert again["basics"] == whole["lines"]["basics"]


@pytest.mark.long
def test_the_environment_can_ask_for_the_whole_package():
    code = "from tfdsl.cli import lazy_tensorflow, tensorflow; tensorflow.load(); print(lazy_tensorflow.is_lazy())"
    assert child(code, TFDSL_TENSORFLOW="whole") == "False\n"


def test_another_tensorflow_is_imported_as_a_whole(monkeypatch, tmp_path):
    monkeypatch.delenv("TFDSL_TENSORFLOW", raising=False)
    root = Path(tf.__file__).parent
    assert lazy_tensorflow._root() == str(root)
    monkeypatch.setattr(lazy_tensorflow, "_VERSION", "2.99")
    assert lazy_tensorflow._root() is None
    monkeypatch.undo()
    (tmp_path / "tensorflow-plugins").mkdir()
    monkeypatch.setattr(lazy_tensorflow.site, "getsitepackages", lambda: [str(tmp_path)])
    assert lazy_tensorflow._root() is None


@pytest.mark.parametrize("name", ["TF_PLUGGABLE_DEVICE_LIBRARY_PATH", "TF_USE_MODULAR_FILESYSTEM"])
def test_plugins_need_the_whole_package(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert lazy_tensorflow._root() is None


def test_in_a_process_of_others_it_stays_whole():
    assert "tensorflow" in sys.modules and tfdsl.compile("x = 1.0 + 2.0\n")
    assert not lazy_tensorflow.load()
