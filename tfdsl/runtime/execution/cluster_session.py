"""A cluster as its client sees it: its sessions, and which servers answer, are lost or were restarted.

The client is not a member of the cluster. The master of its sessions is the first worker. Every call of a server has a
timeout. A failed call may be due to the program or to a missing server. So after each failure, every server is asked
for its incarnation, which changes when it is restarted.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import closing, contextmanager, suppress
from threading import Thread

from ...cluster import TIMEOUT, Cluster
from ...diagnostics import CALL_SLOW, CLUSTER_SILENT, Diagnostic, TfgError
from ...lowering.data import GraphData
from ...lowering.failures import failure, plain_reason
from ...lowering.tf import Operand, tf, v1
from ...program import Origin
from ..result import Interrupted
from .data_session import DataSession

_PAUSE = 0.25  # seconds between two questions to a server that does not answer
_ANSWER = 5.0  # seconds in which a live server answers, whatever it computes
_SETTLED = 0.25  # seconds for which a server may still run an op after its caller has given up

Task = tuple[str, int]


class Lost(Exception):
    """A call failed because servers are gone or were restarted. `tasks` names them. `was_late` says that only the time
    limit ended the call."""

    def __init__(self, tasks: list[Task], was_late: bool):
        super().__init__(", ".join(map(called, tasks)) or "the session")
        self.tasks, self.was_late = tasks, was_late


def called(task: Task) -> str:
    """A task as messages name it: `worker 0`."""
    return f"{task[0]} {task[1]}"


class Late(Exception):
    """A call took longer than the timeout, though all servers answer."""


class Servers:
    """The servers of a cluster. `timeout` is in seconds. `note` gets a line for each server that it waits for, until
    the run is `interrupted`. With a `worker`, no other worker is used."""

    def __init__(
        self, cluster: Cluster, timeout: float = TIMEOUT, note: Callable[[str], None] = lambda line: None,
        worker: int | None = None, interrupted: Callable[[], bool] = lambda: False,
    ):  # fmt: skip
        self.cluster, self.timeout, self._note, self._interrupted = cluster, timeout, note, interrupted
        is_used = {(job, task): worker in (None, task) or job != "worker" for job, task, _ in cluster.tasks}
        self._addresses = {(job, task): at for job, task, at in cluster.tasks if is_used[job, task]}
        # Otherwise a session would wait for workers that it does not use.
        self._filters = [f"/job:{job}/task:{task}" for job, task in self._addresses] if worker is not None else []
        self._master = "worker", worker or 0
        self._known: dict[Task, int] = {}  # the incarnations that sessions have seen

    # --- sessions -------------------------------------------------------------------------------

    def session(self, data: GraphData, soft_placement: bool = False) -> "ClusterSession":
        """A session on a graph, once all servers answer."""
        self.wait()
        config = self.config(allow_soft_placement=soft_placement, device_filters=self._filters)
        return ClusterSession(self, data, config, self._master)

    def target(self, task: Task) -> str:
        return f"grpc://{self._addresses[task]}"

    def config(self, timeout: float | None = None, **options: object) -> v1.ConfigProto:
        return v1.ConfigProto(operation_timeout_in_ms=max(1, int(1000 * (timeout or self.timeout))), **options)

    # --- liveness -------------------------------------------------------------------------------

    def wait(self, patience: float | None = None) -> None:
        """Wait until every server answers. It is an error if that takes longer than the timeout or `patience`."""
        patience = patience or self.timeout
        end = time.monotonic() + patience
        said: set[Task] = set()
        missing = list(self._addresses)
        while True:
            seconds = min(_ANSWER, max(0.1, end - time.monotonic()))
            answers = self.ask(missing, seconds, lambda tasks: self._say(tasks, said, patience))
            self._known |= {task: answer for task, answer in answers.items() if isinstance(answer, int)}
            missing = [task for task, answer in answers.items() if not isinstance(answer, int)]
            if not missing:
                break
            if time.monotonic() >= end:
                raise self._silent(
                    {task: str(answers[task] or f"no answer within {patience:.3g} s") for task in missing}
                )
            if self._interrupted():
                raise Interrupted
            self._say(missing, said, patience)
            time.sleep(_PAUSE)
        for task in said:
            self._note(f"{called(task)} is there")

    def _say(self, tasks: list[Task], said: set[Task], seconds: float) -> None:
        for task in tasks:
            if task not in said:
                said.add(task)
                self._note(f"waiting for {called(task)} at {self._addresses[task]}, up to {seconds:.3g} s")

    def ask(
        self, tasks: list[Task], seconds: float, slow: Callable[[list[Task]], None] = lambda tasks: None
    ) -> dict[Task, int | str | None]:
        """The incarnation of each server that answers, or the reason why it does not, None on a timeout. `slow` is
        called with the servers that take a while."""
        with ThreadPoolExecutor(len(tasks)) as pool:
            asked = {task: pool.submit(self._incarnation, task, seconds) for task in tasks}
            _, open = wait_for(asked.values(), min(1.0, seconds / 2))
            slow([task for task, future in asked.items() if future in open])
            return {task: future.result() for task, future in asked.items()}

    def _incarnation(self, task: Task, seconds: float) -> int | str | None:
        config = self.config(seconds, device_filters=["/job:{}/task:{}".format(*task)])
        try:
            with tf.Graph().as_default() as graph, closing(v1.Session(self.target(task), graph, config)) as session:
                session.run(tf.constant(0))  # may take long; listing devices blocks all other threads
                return session.list_devices()[0].incarnation
        except tf.errors.DeadlineExceededError:
            return None
        except tf.errors.OpError as error:
            return plain_reason(error)

    def _silent(self, reasons: dict[Task, str]) -> TfgError:
        return TfgError([
            Diagnostic(CLUSTER_SILENT, None, {
                "task": called(task), "address": self._addresses[task], "reason": reason, "job": task[0],
                "number": task[1], "seconds": self.timeout})
            for task, reason in reasons.items()
        ])  # fmt: skip

    @contextmanager
    def within_timeout(self, origin: Origin) -> Iterator[None]:
        """Report a timeout at a part of the program."""
        try:
            yield
        except Late:
            raise failure(CALL_SLOW, origin, seconds=self.timeout) from None

    # --- lost servers ---------------------------------------------------------------------------

    def classified(self, error: tf.errors.OpError) -> Exception:
        """Classify the failure of a call: `Lost` if servers are gone, were restarted or dropped the session, `Late` on
        a timeout, else the error itself."""
        was_late = isinstance(error, tf.errors.DeadlineExceededError)
        lost = self.lost()
        if lost or isinstance(error, (tf.errors.AbortedError, tf.errors.UnavailableError)):
            return Lost(lost, was_late)
        return Late() if was_late else error

    def lost(self) -> list[Task]:
        """The servers that do not answer, or were restarted."""
        answers = self.ask(list(self._addresses), min(_ANSWER, self.timeout / 4))
        return [task for task, answer in answers.items() if answer != self._known.get(task)]

    def wait_for_lost(self, lost: Lost) -> None:
        """Wait until the lost servers are back. The wait is shorter if they have already had the timeout."""
        for task in lost.tasks:
            self._note(f"{called(task)} at {self._addresses[task]} is lost")
        self.wait(self.timeout / 3 if lost.was_late else None)
        time.sleep(_SETTLED)


class ClusterSession(DataSession):
    """A session on a cluster. A call that fails because of servers raises `Lost`."""

    def __init__(self, servers: Servers, data: GraphData, config: v1.ConfigProto, master: Task):
        super().__init__(data, config, servers.target(master))
        self._servers, self.is_lost = servers, False

    def run(
        self, fetches: Operand, feed_dict: Operand = None, options: Operand = None, run_metadata: Operand = None
    ) -> Operand:
        with self._judged():
            return super().run(fetches, feed_dict, options, run_metadata)

    def list_devices(self):
        with self._judged():
            return super().list_devices()

    @contextmanager
    def _judged(self) -> Iterator[None]:
        try:
            yield
        except tf.errors.OpError as error:
            classified = self._servers.classified(error)
            self.is_lost = isinstance(classified, (Lost, Late))
            raise classified from error

    def close(self) -> None:
        if self.is_lost:  # perhaps nobody answers
            Thread(target=self._close, daemon=True).start()
        else:
            self._close()

    def _close(self) -> None:
        with suppress(tf.errors.OpError):  # it is gone in any case
            super().close()
