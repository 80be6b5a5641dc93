"""Rows whose TensorFlow function is called in another way than with the arguments of the row."""

from collections.abc import Callable

import tensorflow as tf

v1 = tf.compat.v1


def with_windows(name: str) -> Callable:
    """A function of TensorFlow that takes functions, for names of windows."""

    def call(forward_window_fn=None, **arguments):
        if arguments.get("window_fn") is not None:
            arguments["window_fn"] = getattr(v1.signal, arguments["window_fn"])
        if forward_window_fn is not None:
            forward = getattr(v1.signal, forward_window_fn)
            arguments["window_fn"] = v1.signal.inverse_stft_window_fn(arguments["frame_step"], forward)
        return getattr(v1.signal, name)(**arguments)

    return call


OWN_WAY: dict[str, Callable] = {
    "einsum": lambda equation, inputs: v1.einsum(equation, *inputs),
    "batch_normalization": lambda offset=None, scale=None, **others: v1.nn.batch_normalization(
        offset=offset, scale=scale, **others
    ),
    "meshgrid": lambda args, **options: v1.meshgrid(*args, **options),
    "noisy_linear_cosine_decay": lambda seed=None, **others: v1.train.noisy_linear_cosine_decay(**others),
    "normalize_moments": lambda shift=None, **others: v1.nn.normalize_moments(shift=shift, **others),
    "sufficient_statistics": lambda **arguments: v1.nn.sufficient_statistics(**arguments)[:3],
    "fractional_max_pool": lambda **arguments: v1.nn.fractional_max_pool(**arguments)[0],
    "fractional_avg_pool": lambda **arguments: v1.nn.fractional_avg_pool(**arguments)[0],
    **{name: with_windows(name) for name in ("stft", "inverse_stft", "mdct", "inverse_mdct")},
}
