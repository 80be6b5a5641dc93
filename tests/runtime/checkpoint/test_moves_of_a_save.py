"""How often somebody who follows a checkpoint through the code goes from one file to another."""

from moves import TRAINING, moves_within

import tfdsl
from tfdsl.runtime.options import Options


def test_a_checkpoint_is_saved_in_few_moves_between_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    program = tfdsl.compile(f'{TRAINING}        checkpoint every 1 epochs in "kept"\n')
    with moves_within("CheckpointManager.save") as calls:
        program.run(options=Options(engine="step"))
    first, second, third, fourth = calls
    assert ("CheckpointManager.save", "CheckpointStore.put") in second
    assert first.total() <= 73, first.most_common()  # what does not change in a run is found once
    assert second.total() <= 27, second.most_common()
    assert third == fourth
    assert third.total() <= 45, third.most_common()  # these remove an old one
