"""`data.mersenne.first_draws` compiled by XLA: one pass over the words instead of NumPy's twenty.

Input: seeds, and the number of words per generator. Output: the words, with the same bits as NumPy's. A step of a
training compiled by XLA takes less time than drawing its batch with NumPy.
"""

from collections.abc import Callable, Iterator

import numpy as np

from ..data.mersenne import FACTOR, PART, SHIFT, TEMPERING, TWIST
from .tf import branches_of_functions, tf, v1


class CompiledDraws:
    """A `mersenne.Draws` with its own graph and session. Call `close` at the end."""

    def __init__(self):
        self._graph = tf.Graph()
        self._session = v1.Session(graph=self._graph)
        self._compiled: dict[int, Callable[[np.ndarray], np.ndarray]] = {}
        self._parts = 0  # of the longest block so far: XLA compiles for a fixed number

    def __call__(self, seeds: np.ndarray, count: int) -> Iterator[np.ndarray]:
        parts = -(-len(seeds) // PART)
        if parts > self._parts:
            self._parts = parts
            self._compiled.clear()
        if count not in self._compiled:
            with branches_of_functions(), self._graph.as_default():
                given = v1.placeholder(tf.uint32, [self._parts, PART])
                words = tf.function(_parts, jit_compile=True, autograph=False)(given, count)
            self._compiled[count] = self._session.make_callable(words, [given])
        padded = np.zeros((self._parts, PART), np.uint32)
        padded.reshape(-1)[: len(seeds)] = seeds
        return iter(self._compiled[count](padded)[:parts])

    def close(self) -> None:
        self._session.close()


def _parts(seeds: tf.Tensor, count: int) -> tf.Tensor:
    """uint32 [parts, count, PART] for seeds [parts, PART]."""

    def part(at: tf.Tensor, made: tf.TensorArray) -> tuple[tf.Tensor, tf.TensorArray]:
        return at + 1, made.write(at, _words(seeds[at], count))

    parts = seeds.shape.as_list()[0]
    made = tf.TensorArray(tf.uint32, parts, element_shape=[count, PART])
    return tf.while_loop(lambda at, _: at < parts, part, [tf.constant(0), made], maximum_iterations=parts)[1].stack()


def _words(seeds: tf.Tensor, count: int) -> tf.Tensor:
    """uint32 [count, PART] for seeds [PART]."""

    def chain(k: tf.Tensor, word: tf.Tensor, states: tf.TensorArray) -> tuple[tf.Tensor, tf.Tensor, tf.TensorArray]:
        word = (word ^ tf.bitwise.right_shift(word, _u(30))) * _u(FACTOR) + tf.cast(k, tf.uint32)
        return k + 1, word, states.write(k, word)

    size = SHIFT + count
    states = tf.TensorArray(tf.uint32, size, element_shape=[PART]).write(0, seeds)
    _, _, states = tf.while_loop(
        lambda k, *_: k < size, chain, [tf.constant(1), seeds, states], maximum_iterations=size
    )
    state = states.stack()
    low = state[1 : count + 1]
    words = tf.bitwise.right_shift((state[:count] & _u(0x80000000)) | (low & _u(0x7FFFFFFF)), _u(1))
    words ^= (low & _u(1)) * _u(TWIST) ^ state[SHIFT:]
    words ^= tf.bitwise.right_shift(words, _u(11))
    for shift, keep in TEMPERING:
        words ^= tf.bitwise.left_shift(words, _u(shift)) & _u(keep)
    return words ^ tf.bitwise.right_shift(words, _u(18))


def _u(value: int) -> tf.Tensor:
    return tf.constant(value, tf.uint32)
