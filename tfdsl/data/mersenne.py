"""The draws of many `numpy.random.RandomState(seed).randint(rows, size=size)`, for all seeds at once.

Seeding a Mersenne Twister is a chain of 623 steps, which is most of what a batch of the order `sampled` costs when
NumPy makes it. The chain is the same for every seed, so that it is taken here for thousands of them together.
Source: Matsumoto and Nishimura, "Mersenne Twister", 1998, and their `init_genrand` of 2002.
"""

import numpy as np

_STATE, _SHIFT = 624, 397  # words of the state, and how far ahead the recurrence reaches
_FIRST = _STATE - _SHIFT  # draws that come from the state as it was seeded
_SEEDS = 4096  # taken together in the chain
_PART = 512  # of them taken together afterwards: their draws stay in a processor's cache


def sampled(seeds: np.ndarray, rows: int, size: int) -> np.ndarray:
    """Rows of batches, int32 [len(seeds), size]: row i is what `RandomState(seeds[i])` gives."""
    result = np.empty((len(seeds), size), np.int32)
    bits = (rows - 1).bit_length()
    # A draw of so many bits is rejected if it is no row; where the first draws will hardly do, NumPy is as fast.
    share = rows / (1 << bits)
    if rows == 1 or bits > 31 or size > _FIRST * share - 5 * np.sqrt(_FIRST * share * (1 - share)):
        _by_numpy(seeds, rows, result)
        return result
    state = np.empty((_STATE, min(_SEEDS, len(seeds))), np.uint32)
    for start in range(0, len(seeds), _SEEDS):
        block = seeds[start : start + _SEEDS]
        states = state[:, : len(block)]
        _seed(states, block)
        for first in range(0, len(block), _PART):
            part = slice(first, first + _PART)
            draws = _draws(states[:, part])
            draws &= np.uint32((1 << bits) - 1)
            _accept(draws, block[part], rows, result[start + first : start + first + _PART])
    return result


def _by_numpy(seeds: np.ndarray, rows: int, result: np.ndarray) -> None:
    generator = np.random.RandomState()
    for seed, batch in zip(seeds, result, strict=True):
        generator.seed(seed)
        batch[:] = generator.randint(rows, size=len(batch))


def _seed(state: np.ndarray, seeds: np.ndarray) -> None:
    state[0] = seeds
    factor = np.uint32(1_812_433_253)
    for k in range(1, _STATE):
        word = state[k]
        np.right_shift(state[k - 1], np.uint32(30), out=word)
        np.bitwise_xor(state[k - 1], word, out=word)
        np.multiply(word, factor, out=word)
        np.add(word, np.uint32(k), out=word)


def _accept(draws: np.ndarray, seeds: np.ndarray, rows: int, result: np.ndarray) -> None:
    """The first draws of each generator that are rows; `draws` has a column for each."""
    draws = np.ascontiguousarray(draws.T)
    taken = draws < rows
    counts = np.count_nonzero(taken, axis=1)
    starts = np.cumsum(counts) - counts
    accepted = draws[taken].view(np.int32)
    np.take(accepted, starts[:, None] + np.arange(result.shape[1]), out=result, mode="clip")
    for at in np.flatnonzero(counts < result.shape[1]):
        _by_numpy(seeds[at : at + 1], rows, result[at : at + 1])


def _draws(state: np.ndarray) -> np.ndarray:
    """The first words that generators give after seeding, uint32 [words, generators]; `state` is used up."""
    part = state[1 : _FIRST + 1] & np.uint32(0x7FFFFFFF)
    words = state[:_FIRST]
    words &= np.uint32(0x80000000)
    words |= part
    words >>= np.uint32(1)
    part &= np.uint32(1)
    part *= np.uint32(0x9908B0DF)
    words ^= part
    words ^= state[_SHIFT:]
    words ^= np.right_shift(words, np.uint32(11), out=part)
    for shift, keep in ((7, 0x9D2C5680), (15, 0xEFC60000)):
        np.left_shift(words, np.uint32(shift), out=part)
        part &= np.uint32(keep)
        words ^= part
    words ^= np.right_shift(words, np.uint32(18), out=part)
    return words
