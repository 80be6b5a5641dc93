"""Fixtures that many tests share."""

import contextlib
import functools
import gc
import os
import subprocess
import sys
from zlib import crc32

import pytest

# Nothing that is imported becomes garbage: see `pytest_collection_finish`.
gc.disable()

# TensorFlow's start-up messages would be in the output that the command line's tests read.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Processes of tests keep what they compile. Otherwise each would compile all modules of the project.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
os.environ.pop("TFDSL_LOOP_ALWAYS", None)
# Importing Keras with TensorFlow would take a second.
os.environ["TF_USE_LEGACY_KERAS"] = "1"


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the long tests: more of the same")


_runs_long = False  # set before tests are collected


def pytest_configure(config):
    global _runs_long
    _runs_long = config.getoption("--long")


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers(config):
    """A worker more than there are processors, because some tests wait for clusters and timeouts."""
    return (yield) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config):
    """Workers are forked, so that TensorFlow is imported once for all of them and for the processes of their tests."""
    import forked

    patch = pytest.MonkeyPatch()
    patch.setattr(subprocess, "Popen", functools.partial(forked.Popen, has_server=True))
    config.add_cleanup(patch.undo)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give each worker a share of the files, so that it alone makes their fixtures, and let it help the others in the
    end. xdist's default would leave one worker idle for minutes."""
    if config.getoption("dist") == "load":
        from xdist.scheduler import WorkStealingScheduling

        return WorkStealingScheduling(config, log)


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


def pytest_collection_finish():
    """The collector need not look at the modules of TensorFlow again and again."""
    gc.freeze()
    gc.enable()


def pytest_sessionfinish():
    """Before it ends, pytest looks for garbage five times."""
    gc.freeze()


def some(every, chosen):
    """Parameters of which `--long` tries all, and other runs only the chosen ones."""
    return [
        pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=[] if one in chosen else [pytest.mark.long])
        for one in every
        if _runs_long or one in chosen
    ]  # fmt: skip


def part_of(names, count):
    """One of `count` parts of some names, which another name beside them does not change."""
    return [name for name in names if crc32(name.encode()) % count == 0]


@pytest.fixture(scope="session", autouse=True)
def _unflushed():
    """Files are not flushed to the disk, for which a test would wait. Tests of power cuts run in other processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(autouse=True)
def _environment(request):
    """Restore the environment after each test. Some imports, such as Polars, set variables, and a process with other
    variables is not forked but imports TensorFlow itself. Variables that TensorFlow sets remain.

    Trainings of tests are short, so they take their steps one by one, which starts sooner. Tests of engines have the
    loops of longer trainings: those with a parameter `engine`, and those marked with `loops`.
    """
    os.environ.pop("TFDSL_LOOP_ALWAYS", None)  # which a test that removed it may have put back after its end
    before, has_tensorflow = dict(os.environ), "tensorflow" in sys.modules
    if "engine" in request.fixturenames or request.node.get_closest_marker("loops"):
        os.environ["TFDSL_LOOP_ALWAYS"] = "1"
    yield
    os.environ.pop("TFDSL_LOOP_ALWAYS", None)
    if has_tensorflow and os.environ != before:
        os.environ.clear()
        os.environ.update(before)


# What these tests are about does not depend on how TensorFlow optimizes graphs.
_UNOPTIMIZED = {"cli", "data", "checkpoint", "statements"}


@pytest.fixture(autouse=True)
def _unoptimized(request):
    """Sessions of some folders of tests execute graphs as they are. Optimizing them takes half the time of a short run."""
    if request.path.parent.name in _UNOPTIMIZED and "tensorflow" in sys.modules:
        unoptimize(request.getfixturevalue("monkeypatch"))


def unoptimize(monkeypatch):
    """Let the sessions of programs execute graphs as they are."""
    from tfdsl.runtime.execution import data_session

    ordered = data_session.ordered

    def unoptimized(config=None):
        made = ordered(config)
        made.graph_options.rewrite_options.disable_meta_optimizer = True
        return made

    monkeypatch.setattr(data_session, "ordered", unoptimized)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder as the working folder, for the relative paths of programs given as text."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def example_files(here):
    """A working folder with the files that examples of ops read."""
    import numpy as np  # a process with little memory imports this file

    np.savez(here / "lenet.npz", **{"conv1/weights": np.ones((5, 5, 1, 6), np.float32)})


@pytest.fixture(scope="session")
def california():
    """The real California housing data. If it is not on this machine, the test is skipped."""
    from sklearn.datasets import fetch_california_housing

    try:
        return fetch_california_housing(download_if_missing=False)
    except OSError:
        pytest.skip("the California housing data would need a download")


@pytest.fixture(scope="session")
def _cluster(tmp_path_factory):
    from clusters import Cluster

    with Cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture
def cluster(_cluster):
    """A cluster of 1 ps and 2 workers for many tests. After each test, its servers are restored."""
    yield _cluster
    _cluster.mend()


@pytest.fixture(scope="session")
def _undisturbed(tmp_path_factory):
    from interrupted import program, variables

    @functools.cache
    def run(**options):
        with contextlib.chdir(tmp_path_factory.mktemp("undisturbed")):
            return program(**options).run().printed, variables()

    return run


@pytest.fixture
def undisturbed(here, _undisturbed):
    """The output of an undisturbed training of `interrupted.py`, and its variables at the end."""
    return _undisturbed
