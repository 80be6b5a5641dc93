"""Fixtures that many tests share."""

import os

import pytest

# What TensorFlow says when it starts would be in what the command line's tests read.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# Keras would be imported with TensorFlow, for a second.
os.environ["TF_USE_LEGACY_KERAS"] = "1"


def pytest_addoption(parser):
    parser.addoption("--long", action="store_true", help="also run the tests that take long: more of the same")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--long"):
        skip = pytest.mark.skip(reason="takes long: --long runs it")
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(skip)


def some(every, chosen):
    """Parameters of which all are tried with `--long`, and else only those that are chosen."""
    return [
        pytest.param(*(one if isinstance(one, tuple) else (one,)), marks=[] if one in chosen else [pytest.mark.long])
        for one in every
    ]  # fmt: skip


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder, which paths of programs given as text are relative to."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def california():
    """The real California housing data; without it on this machine the test is skipped."""
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
    """A cluster of 1 ps and 2 workers. Its servers serve many tests: what a test does to them is mended after it."""
    yield _cluster
    _cluster.mend()


@pytest.fixture
def undisturbed(here, tmp_path_factory, monkeypatch):
    """What a training of `interrupted.py` prints, and its variables at the end, if nobody stops it."""
    from interrupted import program, variables

    def run(**options):
        with monkeypatch.context() as elsewhere:
            elsewhere.chdir(tmp_path_factory.mktemp("undisturbed"))
            return program(**options).run().printed, variables()

    return run
