"""How often somebody who follows the analysis of a training through the code goes from one file to another."""

import sys
from collections import Counter
from pathlib import Path

import tfdsl
from tfdsl.driver import check
from tfdsl.source import Source

PACKAGE = str(Path(tfdsl.__file__).parent)
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


def moves(text: str, function: str) -> Counter[tuple[str, str]]:
    """The calls from one file of the package into another while `function` analyses a program, by both functions."""
    found: Counter[tuple[str, str]] = Counter()
    is_inside = False

    def profile(frame, event, arg):
        nonlocal is_inside
        if frame.f_code.co_name == function and event in ("call", "return"):
            is_inside = event == "call"
        elif is_inside and event == "call":
            caller, callee = frame.f_back.f_code, frame.f_code
            files = {caller.co_filename, callee.co_filename}
            if len(files) == 2 and all(file.startswith(PACKAGE) for file in files):
                found[caller.co_qualname, callee.co_qualname] += 1

    check(Source("t", text))  # records make their initializers at their first use
    sys.setprofile(profile)
    try:
        program, _ = check(Source("t", text))
    finally:
        sys.setprofile(None)
    assert program is not None
    return found


def test_a_training_is_analysed_in_few_moves_between_files():
    found = moves(TRAINING, "_train")
    assert ("_train", "checked_feeds") in found
    assert found.total() <= 60, found.most_common()
