"""That the work of a check grows with the length of a program, and not with its square."""

import sys

import pytest

from tfdsl.driver import check
from tfdsl.source import Source

FEW = 25  # parts of the shorter program; the longer one has three times as many
TRAINING = """optimize cost with adam(learning_rate=0.001)
session:
    train 3 steps:
        feed X = [[1.0, 2.0]]
"""


def layers(count: int) -> str:
    made = [f"scope layer{at}:\n    variable w: float32[2, 2] = random_normal(stddev=0.1)\n"
            f"    variable b: float32[2] = zeros\n    x = relu(x @ w + b) * 0.5 + x\n" for at in range(count)]  # fmt: skip
    return f"placeholder X: float32[batch, 2]\nx = X\n{''.join(made)}cost = reduce_mean(square(x))\n{TRAINING}"


def towers(count: int) -> str:
    made = [f"h{at} = nn.dense(X, 4, activation=relu) as head{at}\nm{at} = reduce_mean(square(h{at}))\n"
            for at in range(count)]  # fmt: skip
    total = " + ".join(f"m{at}" for at in range(count))
    return f"import nn\nplaceholder X: float32[batch, 2]\n{''.join(made)}cost = {total}\n{TRAINING}"


def functions(count: int) -> str:
    made = [f"def f{at}(x):\n    variable w = {at + 1}.0\n    return x * w\n" for at in range(count)]
    return f"placeholder X: float32[batch, 2]\nx = X\n{''.join(made)}" + "".join(
        f"x = f{at}(x)\n" for at in range(count)
    ) + f"cost = reduce_mean(x)\n{TRAINING}"  # fmt: skip


def steps(count: int) -> str:
    made = [f"variable w{at} = 2.0\nl{at} = reduce_mean(square(w{at} * X - 1.0))\n"
            f"optimize l{at} with gradient_descent(learning_rate=0.1) wrt w{at} as step{at}\n" for at in range(count)]  # fmt: skip
    training = TRAINING.partition("\n")[2]
    return f"placeholder X: float32[batch, 2]\n{''.join(made)}{training}" + "".join(
        f"        run step{at}\n" for at in range(count)
    )


def calls(text: str) -> int:
    """The calls of Python functions in a check."""
    count = 0

    def counted(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    source = Source("p.tfg", text)
    program, diagnostics = check(source)
    assert program is not None and not diagnostics
    sys.setprofile(counted)
    try:
        check(source)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("made", [layers, towers, functions, steps])
def test_three_times_as_long_a_program_takes_three_times_the_work(made):
    assert calls(made(3 * FEW)) < 3.3 * calls(made(FEW))
