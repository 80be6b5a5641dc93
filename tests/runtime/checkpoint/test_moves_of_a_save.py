"""How often somebody who follows a checkpoint through the code goes from one file to another."""

from moves import moves_within

import tfdsl
from tfdsl.runtime.options import Options

TRAINING = """
data d = moons(100, noise=0.1, seed=42)
placeholder X: float32[batch, d.columns]
placeholder y: float32[batch, 1]
variable theta: float32[d.columns, 1] = zeros
loss reduce_mean(square(X @ theta - y))
optimize with gradient_descent(learning_rate=0.1)
session:
    train 5 epochs on d in batches of 10 as batch:
        feed X = batch.features, y = batch.target
        checkpoint every 1 epochs in "kept"
"""


def test_a_checkpoint_is_saved_in_few_moves_between_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = tfdsl.compile(TRAINING)
    with moves_within("CheckpointManager.save") as calls:
        program.run(options=Options(engine="step"))
    first, second, third, fourth = calls
    assert ("CheckpointManager.save", "CheckpointStore.put") in second
    assert first.total() <= 73, first.most_common()  # what does not change in a run is found once
    assert second.total() <= 27, second.most_common()
    assert third == fourth
    assert third.total() <= 45, third.most_common()  # these remove an old one
