"""Op determinism: the same bits in every run if the owner of the process asks for it, but still random numbers."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import forked
import pytest
from conftest import some

import tfdsl
from tfdsl.lowering.tf import op_determinism, tf, v1
from tfdsl.runtime.checkpoint.machine import machine
from tfdsl.runtime.options import Options

pytestmark = pytest.mark.loops

# Several threads add up the gradients of gathered rows in any order.
EMBEDDING = """
seed 1
data rows = moons(20000, noise=0.3, seed=3)
placeholder X: float32[batch, 2]
placeholder y: float32[batch, 1]
variable table = random_normal([50, 16], seed=3)
variable w = random_normal([16, 1], seed=4)
ids = cast(floor(abs(X[:, 0]) * 37.0), int32) % 50
optimize reduce_mean(square(gather(table, ids) @ w - y)) with gradient_descent(learning_rate=0.1)
session:
    train 30 steps with engine="{engine}":
        feed X = rows.features, y = rows.target
    print table
"""


def table(engine, deterministic=True):
    compiled = tfdsl.compile(EMBEDDING.format(engine=engine))
    variables = compiled.run(options=Options(write=lambda line: None, deterministic=deterministic)).variables
    return hashlib.sha256(variables["table"].tobytes()).hexdigest()


@pytest.mark.parametrize("engine", some(["step", "loop", "xla"], ["step", "loop"]))
def test_gathered_gradients_have_the_same_bits_in_every_run(engine):
    assert len({table(engine) for _ in range(2)}) == 1


@pytest.mark.parametrize("start", some([forked.run, subprocess.run], [forked.run]))
def test_the_command_line_is_deterministic(start, tmp_path):
    text = EMBEDDING.format(engine="loop").replace("print table", 'save to "at"')
    (tmp_path / "p.tfg").write_text(text, encoding="utf-8")
    root = str(Path(__file__).resolve().parents[3])
    command = [sys.executable, "-m", "tfdsl", "run", "p.tfg"]
    found = set()
    for run in (start, forked.run):
        done = run(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": root}, capture_output=True)
        assert done.returncode == 0, done.stderr
        found.add(hashlib.sha256(tf.train.load_variable(str(tmp_path / "at"), "table").tobytes()).hexdigest())
    assert found == {table("loop")}


SEEN = """
variable w = {initial}
noise = {noise}
session:
    {first}
    print noise, w
    print noise, w
"""


@pytest.mark.parametrize("initial, noise, first, expected", [
    ("zeros([2])", "random_uniform([2], seed=1)", 'print "go"', True),
    ("random_normal([2])", "random_uniform([2], seed=1)", 'print "go"', True),
    ("random_normal([2])", "random_uniform([2], seed=1)", "init", False),
    ("zeros([2])", "random_uniform([2])", 'print "go"', False),
    ("zeros([2])", "random_gamma([2], 1.0)", 'print "go"', False),
    ("zeros([2])", "random_shuffle([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0])", 'print "go"', False),
])  # fmt: skip
def test_the_switch_is_on_unless_an_op_without_a_seed_is_executed(initial, noise, first, expected):
    seen = []

    def watch(line):
        seen.append(op_determinism.is_enabled())

    text = SEEN.format(initial=initial, noise=noise, first=first)
    compiled = tfdsl.compile(text)
    first, second = (compiled.run(options=Options(write=watch, deterministic=True)) for _ in range(2))
    assert set(seen) == {expected}
    assert not op_determinism.is_enabled()
    assert (first.printed[-1] == second.printed[-1]) is ("seed=" in noise and "random" not in initial)
    assert first.printed[-1] != first.printed[-2]


def test_loops_without_a_seed_are_random():
    text = """
i = constant(0)
x = constant(0.0)
while i < 3:
    i = i + 1
    x = x + random_uniform([])
session:
    print x
"""
    compiled = tfdsl.compile(text)
    lines = {compiled.run(options=Options(write=lambda line: None, deterministic=True)).printed[0] for _ in range(3)}
    assert len(lines) == 3


def test_iterations_that_draw_do_not_overlap():
    """Otherwise their numbers would depend on which iteration comes first."""
    text = """
seed 3
k = constant(0)
s = constant(0.0)
t = constant(0.0)
while k < 6:
    s = s * 0.5 + random_normal([])
    k = k + 1
while t < 3.0: t = t + 1.0
"""
    loops = [op for op in tfdsl.compile(text).graph.get_operations() if op.type in ("While", "StatelessWhile")]
    entered = {op.name: op.get_attr("parallel_iterations") for op in loops}
    assert entered == {"while": 1, "while_1": 10}


def test_the_library_does_not_set_the_switch():
    seen = []
    tfdsl.compile("session:\n    print 1\n").run(
        options=Options(write=lambda line: seen.append(op_determinism.is_enabled()))
    )
    assert seen == [False]


def test_the_switch_is_reset_after_an_error():
    with pytest.raises(tfdsl.TfgError):
        tfdsl.compile("x = constant(1)\nsession:\n    expect x == 2\n").run(options=Options(deterministic=True))
    assert not op_determinism.is_enabled()


def test_machine(monkeypatch):
    before = machine()
    assert all(isinstance(value, str) for value in before.values())
    assert before["tensorflow"] == tf.__version__
    assert before["instructions"].split()[0] == os.uname().machine
    assert int(before["intra_op_threads"]) == len(os.sched_getaffinity(0))
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "7")
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "nonsense")
    given = machine()
    changed = {name for name in before if before[name] != given[name]}
    assert changed == {"intra_op_threads"} and given["intra_op_threads"] == "7"
    config = v1.ConfigProto(intra_op_parallelism_threads=3, inter_op_parallelism_threads=5)
    assert [machine(config)[name] for name in ("intra_op_threads", "inter_op_threads")] == ["3", "5"]
