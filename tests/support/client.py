"""Runs programs one after the other in a separate process, in the network of the clusters. `run` returns the outcomes.

A process takes 3 seconds to import TensorFlow, so it should run many programs.
"""

import os
import pickle
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import clusters
import forked
import numpy as np


@dataclass(frozen=True)
class Job:
    """A run of a program in a folder: on a cluster if its config file is given, else in one process. `after_check` has
    the contents of files that change, or None for those that go, after the program is compiled. With `old_servers` the
    client asks for functions that no server has."""

    source: object
    folder: object
    cluster: str = ""
    towers: int = 1
    engine: str = ""
    session: str | None = None
    params: dict = field(default_factory=dict)
    data: dict = field(default_factory=dict)
    placement: str = "round-robin"
    timeout: float = 60.0
    after_check: dict[str, str | None] = field(default_factory=dict)
    old_servers: bool = False


@dataclass
class Outcome:
    """The results and output of a run. `errors` are codes with their lines. `sent` is the size of the largest array of
    floats that an execution was fed."""

    printed: list[str] = field(default_factory=list)
    history: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    variables: dict[str, np.ndarray] = field(default_factory=dict)
    counts: tuple = ()  # steps, expectations, engines
    notes: list[str] = field(default_factory=list)
    errors: list[tuple[str, int | None, str]] = field(default_factory=list)
    sent: int = 0


def run(folder, jobs: list[Job], timeout: float = 600) -> list[Outcome]:
    """Run jobs in a process there. Its files are in a folder."""
    asked, answered = (os.path.join(folder, name) for name in ("jobs", "outcomes"))
    with open(asked, "wb") as file:
        pickle.dump(jobs, file)
    words = clusters.command(sys.executable, __file__, asked, answered)
    forked.run(words, env=clusters.environment(), check=True, timeout=timeout)
    with open(answered, "rb") as file:
        return pickle.load(file)


def differences(first: Outcome, second: Outcome) -> list[str]:
    """The differences between two runs that should have the same bits."""
    found = [name for name in ("printed", "history", "counts") if getattr(first, name) != getattr(second, name)]
    if first.variables.keys() != second.variables.keys():
        return [*found, "the names of variables"]
    return found + [name for name, value in first.variables.items() if not same(value, second.variables[name])]


def same(first, second) -> bool:
    """Whether two arrays have the same bits."""
    first, second = np.asarray(first), np.asarray(second)
    return (first.dtype, first.shape, first.tobytes()) == (second.dtype, second.shape, second.tobytes())


def _outcome(job: Job) -> Outcome:
    import tfdsl
    from tfdsl.cli.options import config
    from tfdsl.lowering import worker_rows
    from tfdsl.runtime.options import Options

    outcome = Outcome()
    options = Options(write=outcome.printed.append, note=outcome.notes.append, engine=job.engine, deterministic=True,
                      timeout=job.timeout, session_ended=lambda number, values: outcome.variables.update(
                          {f"{number}:{name}": value for name, value in values.items()}))  # fmt: skip
    os.makedirs(job.folder, exist_ok=True)
    os.chdir(job.folder)
    worker_rows._OPEN = "tfdsl.unknown" if job.old_servers else "tfdsl.open_rows"
    try:
        compiled = tfdsl.compile(job.source, job.params, job.data)
        for name, content in job.after_check.items():
            os.remove(name) if content is None else Path(name).write_text(content)
        cluster = config(job.cluster).cluster if job.cluster else None
        compiled = compiled.on(towers=job.towers, placement=job.placement, cluster=cluster)
        with _measured(outcome):
            result = compiled.run(job.session, options)
    except tfdsl.TfgError as error:
        outcome.errors = [(d.code, d.span and d.span.line, d.headline) for d in error.diagnostics]
    else:
        outcome.history = result.history
        outcome.counts = result.steps, result.expectations, tuple(result.engines)
    return outcome


@contextmanager
def _measured(outcome: Outcome):
    """Measure what is fed to sessions."""
    from tfdsl.runtime.execution.data_session import DataSession

    run = DataSession.run

    def measured(self, fetches, feed_dict=None, *rest):
        arrays = map(np.asarray, (feed_dict or {}).values())
        outcome.sent = max([outcome.sent, *(one.size for one in arrays if one.dtype.kind == "f")])
        return run(self, fetches, feed_dict, *rest)

    DataSession.run = measured
    try:
        yield
    finally:
        DataSession.run = run


def main(asked: str, answered: str) -> None:
    from tfdsl.data.sources.california_housing import fetch

    def unreachable():
        raise OSError("no network in tests")

    fetch.fetched = unreachable
    with open(asked, "rb") as file:
        jobs = pickle.load(file)
    outcomes = list(map(_outcome, jobs))
    with open(answered, "wb") as file:
        pickle.dump(outcomes, file)


if __name__ == "__main__":
    # Pickled objects belong to the module that the caller imports by name.
    import client

    client.main(*sys.argv[1:])
    os._exit(0)  # a normal exit would first destroy every object
