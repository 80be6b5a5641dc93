"""A script that runs programs shows nothing of TensorFlow's log."""

import subprocess
import sys

import forked
import pytest

pytestmark = pytest.mark.loops

SCRIPT = '''
import tfdsl

program = tfdsl.compile("""
import nn

placeholder X: float32[n, 4]
placeholder y: int32[n]
x = nn.batch_norm(nn.dense(X, 4, activation=relu))
logits = nn.dense(nn.dropout(x, 0.5), 3)
loss nn.sparse_softmax_cross_entropy(y, logits)
optimize with adam(learning_rate=0.01)
summary scalar nn.accuracy(y, logits) as "accuracy"
row = [0.5, 1.0, 1.5, 2.0]

session:
    log to "logs"
    train 2 steps:
        feed X = [row, row], y = [0, 1]
        log
    save to "m.ckpt"
    export logits with X to "served"
    print shape(logits) with X = [row]
""")
for engine in ENGINES:
    program.run(options=tfdsl.Options(engine=engine))
with program.session() as session:
    session.run("logits", {"X": [[0.5] * 4]})
print(len(program.graph.get_operations()) > 0)
'''


@pytest.mark.parametrize(
    ("run", "engines"),
    [
        pytest.param(forked.run, ("loop",), id="TensorFlow is imported"),
        pytest.param(subprocess.run, ("step", "loop", "xla"), id="fresh", marks=pytest.mark.long),
    ],
)
def test_a_script(run, engines, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.replace("ENGINES", repr(engines)), encoding="utf-8")
    done = run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == ["[1 3]"] * len(engines) + ["True"]
