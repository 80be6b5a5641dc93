"""Carts with a pole on a joint, which falls unless the cart moves below it."""

import itertools

import numpy as np


class Carts:
    """Carts that move at the same time. One that has left its track, or whose pole has fallen, or that has made 500
    moves, begins anew. `lasted` has how many moves each had made by then."""

    def __init__(self, count=16, seed=1):
        self.random = np.random.default_rng(seed)
        self.state = self.random.uniform(-0.05, 0.05, [count, 4])
        self.made = np.zeros(count, int)
        self.lasted = []

    def push(self, action):
        """Push each cart to the left (0) or to the right (1) for a fiftieth of a second. Returns the states after that,
        and which carts have fallen."""
        _, speed, angle, turning = self.state.T
        force = np.where(action == 1, 10.0, -10.0)
        pull = (force + 0.05 * turning**2 * np.sin(angle)) / 1.1
        turned = (9.8 * np.sin(angle) - np.cos(angle) * pull) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
        moved = pull - 0.05 * turned * np.cos(angle) / 1.1
        after = self.state + 0.02 * np.stack([speed, moved, turning, turned], axis=1)
        has_fallen = (np.abs(after[:, 0]) > 2.4) | (np.abs(after[:, 2]) > 0.21)
        self.made += 1
        is_over = has_fallen | (self.made == 500)
        self.lasted += self.made[is_over].tolist()
        self.made[is_over] = 0
        begun = self.random.uniform(-0.05, 0.05, after.shape)
        self.state = np.where(is_over[:, None], begun, after)
        return after, has_fallen

    def moves(self, choose, batch_size=128, size=1000):
        """Move the carts again and again: as `choose` says for their states or, less and less often, at random. Each
        time, yield a batch out of the moves that the carts have made the last `size` times."""
        count = len(self.state)
        state, next_state = np.zeros([2, size, count, 4])
        action, has_fallen = np.zeros([2, size, count], int)
        for time in itertools.count():
            at, before = time % size, self.state
            is_guess = self.random.uniform(size=count) < max(0.02, 0.2 - time / 5000)
            chosen = np.where(is_guess, self.random.integers(2, size=count), choose(before))
            state[at], action[at] = before, chosen
            next_state[at], has_fallen[at] = self.push(chosen)
            rows = (
                self.random.integers(min(time + 1, size), size=batch_size),
                self.random.integers(count, size=batch_size),
            )
            yield state[rows], action[rows], next_state[rows], has_fallen[rows]
