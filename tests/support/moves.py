"""Moves: the calls from one file of the package into another while a function runs, which a reader has to follow."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tfdsl

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
_PACKAGE = str(Path(tfdsl.__file__).parent)
Moves = Counter[tuple[str, str]]  # by the names of both functions


@contextmanager
def moves_within(function: str) -> Iterator[list[Moves]]:
    """The moves of each call of a function in the block, by its qualified name."""
    calls: list[Moves] = []
    is_inside = False

    def profile(frame, event, arg):
        nonlocal is_inside
        if frame.f_code.co_qualname == function and event in ("call", "return"):
            is_inside = event == "call"
            if is_inside:
                calls.append(Counter())
        elif is_inside and event == "call":
            caller, callee = frame.f_back.f_code, frame.f_code
            files = {caller.co_filename, callee.co_filename}
            if len(files) == 2 and all(file.startswith(_PACKAGE) for file in files):
                calls[-1][caller.co_qualname, callee.co_qualname] += 1

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(before)
