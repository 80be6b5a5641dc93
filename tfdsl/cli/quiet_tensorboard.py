"""Starts TensorBoard without the messages of TensorFlow, which it imports."""

from contextlib import suppress

from tensorboard.main import run_main

from ..quiet import load_beside_others

if __name__ == "__main__":
    with suppress(ModuleNotFoundError):  # TensorBoard works without it
        load_beside_others()
    run_main()
