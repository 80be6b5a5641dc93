"""The draws of many `numpy.random.RandomState(seed).randint(rows, size=size)`, for all seeds at once.

Seeding a Mersenne Twister is a chain of 623 steps, which takes most of the time of a `sampled` batch in NumPy.
The chain is the same for every seed, so this module runs it for thousands of seeds together. Source: Matsumoto
and Nishimura, "Mersenne Twister", 1998, and their `init_genrand` of 2002.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np

from .arrays import empty

_STATE, SHIFT = 624, 397  # words of the state, and how far ahead the recurrence reaches
FIRST = _STATE - SHIFT  # draws that depend on the seeded state only
FACTOR, TWIST = 1_812_433_253, 0x9908B0DF
TEMPERING = (7, 0x9D2C5680), (15, 0xEFC60000)
SEEDS = 8192  # maximum seeds per run of the chain in NumPy
PART = 512  # seeds per part afterwards: their draws stay in the processor's cache


# The first words of generators: from seeds and the number of words, uint32 [words, PART] for each PART seeds. The last
# part may be smaller, or have columns that do not count.
Draws = Callable[[np.ndarray, int], Iterable[np.ndarray]]


def sampled(seeds: np.ndarray, rows: int, size: int, draws: Draws | None = None) -> np.ndarray:
    """The rows of batches, int32 [len(seeds), size]: row i has the draws of `RandomState(seeds[i])`.

    `draws` replaces `first_draws`.
    """
    bits = (rows - 1).bit_length()
    words = _needed(size, rows / (1 << bits))  # a draw of this many bits is rejected if it is not a row
    if rows == 1 or bits > 31 or words > FIRST:
        return _by_numpy(seeds, rows, size)
    result = empty((len(seeds), size), np.int32)
    drawn = np.empty((PART, words), np.uint32)
    for at, words_of in enumerate((draws or first_draws)(seeds, words)):
        part = slice(at * PART, (at + 1) * PART)
        block = seeds[part]
        draws_of = drawn[: len(block)]
        np.bitwise_and(words_of[:, : len(block)], np.uint32((1 << bits) - 1), out=draws_of.T)
        _accept(draws_of, block, rows, result[part])
    return result


def _needed(size: int, share: float) -> int:
    """The number of draws that yield `size` accepted ones in 999 of 1000 batches, if `share` of them are accepted."""
    deviations = 3 * np.sqrt(1 - share)
    return int(((deviations + np.sqrt(deviations**2 + 4 * size)) / 2) ** 2 / share) + 1


def _by_numpy(seeds: np.ndarray, rows: int, size: int) -> np.ndarray:
    result = empty((len(seeds), size), np.int32)
    generator = np.random.RandomState(0)
    for seed, batch in zip(seeds, result, strict=True):
        generator.seed(seed)
        batch[:] = generator.randint(rows, size=size)
    return result


def _accept(draws: np.ndarray, seeds: np.ndarray, rows: int, result: np.ndarray) -> None:
    """The first draws of each generator that are rows. `draws` has one row per generator."""
    size = result.shape[1]
    taken = np.flatnonzero(draws < rows)
    ends = np.searchsorted(taken, np.arange(len(draws) + 1) * draws.shape[1])  # the bounds of each generator's draws
    few = np.flatnonzero(np.diff(ends) < size)
    if len(taken) >= size:
        # Copying stretches is faster than taking as many places one by one.
        stretches = np.lib.stride_tricks.sliding_window_view(taken, size)
        places = stretches[np.minimum(ends[:-1], len(taken) - size)]
        np.take(draws.reshape(-1).view(np.int32), places, out=result, mode="clip")
    if len(few):
        result[few] = _by_numpy(seeds[few], rows, size)


def first_draws(seeds: np.ndarray, count: int) -> Iterator[np.ndarray]:
    """The first `count` words of generators after seeding, at most `FIRST`, in parts: uint32 [count, PART]."""
    for start in range(0, len(seeds), SEEDS):
        run = seeds[start : start + SEEDS]
        state = np.empty((SHIFT + count, len(run)), np.uint32)
        state[0] = run
        for k in range(1, len(state)):
            word = state[k]
            np.right_shift(state[k - 1], np.uint32(30), out=word)
            np.bitwise_xor(state[k - 1], word, out=word)
            np.multiply(word, np.uint32(FACTOR), out=word)
            np.add(word, np.uint32(k), out=word)
        for first in range(0, len(run), PART):
            part = state[:, first : first + PART]
            _temper(part, count)
            yield part[:count]


def _temper(state: np.ndarray, count: int) -> None:
    """Turn the first words of the states into the output of the generators."""
    part = state[1 : count + 1] & np.uint32(0x7FFFFFFF)
    words = state[:count]
    words &= np.uint32(0x80000000)
    words |= part
    words >>= np.uint32(1)
    part &= np.uint32(1)
    part *= np.uint32(TWIST)
    words ^= part
    words ^= state[SHIFT:]
    words ^= np.right_shift(words, np.uint32(11), out=part)
    for shift, keep in TEMPERING:
        np.left_shift(words, np.uint32(shift), out=part)
        part &= np.uint32(keep)
        words ^= part
    words ^= np.right_shift(words, np.uint32(18), out=part)
