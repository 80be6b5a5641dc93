"""Deep Q-learning with carts that move: takes the steps of dqn.tfg with what they have just done."""

from pathlib import Path

import numpy as np
from carts import Carts

import tfdsl

MOVES = ["state", "action", "next_state", "has_fallen"]


def main(n_steps=3000):
    program = tfdsl.compile(Path(__file__).with_name("dqn.tfg"))
    learned = program.run().variables
    carts = Carts()
    with program.session(variables=learned) as session:
        moves = carts.moves(lambda state: session.run("best", {"state": state}))
        for step in session.train(n_steps, (dict(zip(MOVES, batch, strict=True)) for batch in moves), "error"):
            if step.number % 50 == 0:
                session.run("follow")
            if step.number % 500 == 499:
                print(
                    f"step {step.number}: error {step.error:.3f}, {np.mean(carts.lasted[-50:]):.0f} moves before a fall"
                )


if __name__ == "__main__":
    main()
