"""How often somebody who follows the analysis of a training through the code goes from one file to another."""

from moves import moves_within

from tfdsl.driver import check
from tfdsl.source import Source

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
"""


def test_a_training_is_analysed_in_few_moves_between_files():
    check(Source("t", TRAINING))  # records make their initializers at their first use
    with moves_within("_train") as calls:
        program, _ = check(Source("t", TRAINING))
    assert program is not None
    (found,) = calls
    assert ("_train", "checked_feeds") in found
    assert found.total() <= 60, found.most_common()
