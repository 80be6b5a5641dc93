"""How often somebody who follows the analysis of a training through the code goes from one file to another."""

from moves import TRAINING, moves_within

from tfdsl.driver import check
from tfdsl.source import Source


def test_a_training_is_analysed_in_few_moves_between_files():
    check(Source("t", TRAINING))  # records make their initializers at their first use
    with moves_within("_train") as calls:
        program, _ = check(Source("t", TRAINING))
    assert program is not None
    (found,) = calls
    assert ("_train", "checked_feeds") in found
    assert found.total() <= 60, found.most_common()
