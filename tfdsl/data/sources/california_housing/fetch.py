"""The California housing data from scikit-learn's cache or from its host, within a time limit."""

import socket
import threading
import warnings
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from .kept import downloaded_california, kept_california

T = TypeVar("T")

SOCKET_SECONDS = 5.0  # for an answer of the host
DOWNLOAD_SECONDS = 30.0  # for the whole download; a name look-up ignores the socket's limit


def fetched() -> tuple[np.ndarray, np.ndarray]:
    """Download the features and the target. Raises the error of scikit-learn if the download fails."""
    found = kept_california()
    if found is not None:
        return found
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        before = socket.getdefaulttimeout()
        socket.setdefaulttimeout(SOCKET_SECONDS)
        try:
            return _within(DOWNLOAD_SECONDS, downloaded_california)
        finally:
            socket.setdefaulttimeout(before)


def _within(seconds: float, work: Callable[[], T]) -> T:
    """The result of `work`, or TimeoutError. Hanging work is left behind in a daemon thread."""
    results: list[T] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            results.append(work())
        except Exception as error:  # raised again in the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"no answer within {seconds:.0f} seconds")
    return results[0]
