"""The rows that a worker's process has for clients: it opens its share of a data set, or keeps what a client sends, and
gives the rows of batches.

Each share has a key, which begins with the name of the run that opened it. A thread reads it, since that can take
longer than a call of a server may. A run lets go of its shares at its end. Those of a killed client go when there are
many.
"""

import json
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock
from typing import NamedTuple

import numpy as np

from ...data.shares import NotRead, Share, digests, read
from ...lowering.failures import plain_reason
from ...lowering.tf import tf
from ...lowering.worker_rows import register

_MOST = 16  # shares
_PATIENCE = 1.0  # seconds that a call waits for a share


class _Arrays(NamedTuple):
    """The arrays of an open share."""

    of_fields: list[np.ndarray]
    digests: list[str]


class RowServer:
    """The shares of this process. `tell` gets a line for each that is open."""

    def __init__(self, tell: Callable[[str], None]):
        self._tell, self._lock = tell, Lock()
        self._pool = ThreadPoolExecutor(_MOST, "tfdsl-rows")
        self._shares: OrderedDict[bytes, Future[_Arrays]] = OrderedDict()  # the last used one is last

    def open(self, key: bytes, request: bytes, kept: np.ndarray) -> bytes:
        """Begin to open a share, or wait for it if there is no request. Returns JSON with its digests, or with the
        reason why it cannot be read; nothing as long as it is being read."""
        with self._lock:
            if request and key not in self._shares:
                self._add(key, self._pool.submit(self._opened, request, kept.copy()))
            share = self._shares.get(key)
        try:
            if share is None:
                raise NotRead("has to read rows for too many runs")
            if wait([share], 0 if request else _PATIENCE).not_done:
                return b""
            return json.dumps({"digests": share.result().digests}).encode()
        except Exception as error:  # whatever it is, the client can send the rows
            with self._lock:
                self._shares.pop(key, None)
            reason = str(error) if isinstance(error, NotRead) else f"cannot read its files: {plain_reason(error)}"
            return json.dumps({"reason": reason}).encode()

    def keep(self, key: bytes, *arrays: np.ndarray) -> bytes:
        """Keep the rows of arrays that a client sends."""
        share: Future[_Arrays] = Future()
        share.set_result(_Arrays([array.copy() for array in arrays], []))
        with self._lock:
            self._add(key, share)
        self._tell(f"keeps {len(arrays[0])} rows that a client sent")
        return b""

    def _add(self, key: bytes, share: "Future[_Arrays]") -> None:
        self._shares[key] = share
        while len(self._shares) > _MOST:
            self._shares.popitem(last=False)

    def _opened(self, request: bytes, kept: np.ndarray) -> _Arrays:
        asked = json.loads(request)
        share, fields = Share(asked["share"], kept), asked["fields"]
        arrays = [
            array if array.dtype == object else array.astype(tf.as_dtype(dtype).as_numpy_dtype, copy=False)
            for array, (_, dtype) in zip(read(share, [field for field, _ in fields]), fields, strict=True)
        ]
        self._tell(f"read {len(arrays[0])} rows of {', '.join(share.description['paths'])}")
        return _Arrays(arrays, digests(share, arrays))

    def read(self, key: bytes, rows: np.ndarray) -> list[np.ndarray]:
        """Rows of the arrays of an open share."""
        with self._lock:
            if key not in self._shares:
                raise LookupError("the rows are not open any more")
            self._shares.move_to_end(key)
            share = self._shares[key]
        return [array[rows] for array in share.result().of_fields]

    def close(self, run: bytes) -> bytes:
        """Let go of the shares of a run."""
        with self._lock:
            for key in [key for key in self._shares if key.startswith(run)]:
                del self._shares[key]
        return b""


def serve(tell: Callable[[str], None]) -> None:
    """Let clients read rows in this process."""
    server = RowServer(tell)
    register(server.open, server.keep, server.read, server.close)
