"""The graphs of all programs that this project has by hand in TensorFlow 1, and of all programs of the language, as
TensorFlow 1 saves them: MetaGraphs with a Saver.

A program by hand builds its graph, and then executes it. It is stopped there.
"""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
import tensorflow as tf
from beside_by_hand import BY_HAND, PROGRAMS, ROOT, by_hand, first_values

import tfdsl

v1 = tf.compat.v1
CHAPTER = ROOT / "tests" / "chapter" / "test_chapter_models.py"


class _Executed(Exception):
    """Raised where a program by hand executes its graph."""


@contextlib.contextmanager
def _built_only() -> Iterator[None]:
    def stop(*arguments: object, **options: object) -> None:
        raise _Executed

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(_Executed):
        patch.setattr(v1.Session, "run", stop)
        yield


def of_port(name: str) -> tf.Graph:
    """The graph of a program of `tests/ports/by_hand`, with the first values of its counterpart."""
    values = first_values(tfdsl.compile(PROGRAMS[name]))
    graph = tf.Graph()
    with graph.as_default(), _built_only():
        by_hand(name).train(values)
    return graph


def of_chapter(name: str) -> tf.Graph:
    """The graph of a program by hand of the chapter."""
    function, params = chapter().PAIRS[name]
    program = chapter().Chapter(chapter().compiled_model(name, params))
    with program.graph.as_default(), _built_only():
        list(function(program))
    return program.graph


def of_program(path: Path) -> tf.Graph:
    """The graph of a program of the language."""
    graph = tfdsl.compile(path).graph
    with graph.as_default():
        if v1.global_variables():
            v1.train.Saver()
    return graph


_MODULE: list[ModuleType] = []


def chapter() -> ModuleType:
    """The module with the programs by hand of the chapter."""
    if not _MODULE:
        spec = importlib.util.spec_from_file_location("chapter_by_hand", CHAPTER)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        with pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(str(CHAPTER.parent))
            spec.loader.exec_module(module)
        _MODULE.append(module)
    return _MODULE[0]


def graphs() -> dict[str, Callable[[], tf.Graph]]:
    """The functions that make the graphs, by name, such as `chapter/momentum` and `port/lenet`."""
    made: dict[str, Callable[[], tf.Graph]] = {}
    for name in sorted(chapter().PAIRS):
        made[f"chapter/{name}"] = lambda name=name: of_chapter(name)
    for name in BY_HAND:
        made[f"port/{name}"] = lambda name=name: of_port(name)
    for name, path in PROGRAMS.items():
        if name != "predict":  # it is about a file that another program writes
            made[f"program/{name}"] = lambda path=path: of_program(path)
    return made
