"""A pytest plugin: the fixture `golden_graph` and `pytest --update-golden`, for projects with `.tfg` files.

    def test_housing(golden_graph):
        golden_graph("models/housing.tfg", batch_size=50)

This compares the canonical text of the built graph with `golden/housing.graph.txt` next to the test, and shows
the changes. `pytest --update-golden` writes these files. Importing this module does not import TensorFlow.
"""

import os
import re
from collections.abc import Callable, Mapping
from difflib import unified_diff
from pathlib import Path
from typing import Any

import pytest

_MAX_NAMES, _MAX_LINES = 8, 60  # limits for the summary of a failure and its diff
_WRITTEN = pytest.StashKey[dict[Path, str]]()
_ACCEPT = "If this change is intended, accept it with: pytest --update-golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("tfdsl", "graphs of .tfg programs")
    group.addoption("--update-golden", action="store_true", help="write the golden files of .tfg programs again")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_WRITTEN] = {}


@pytest.fixture
def golden_graph(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Compare the graph of a program with its golden file: `golden_graph("models/housing.tfg", batch_size=50)`.

    The path can also lead to a graph that TensorFlow wrote (GraphDef, MetaGraph, SavedModel).
    A relative path starts in the test's folder, or in the nearest parent folder with such a file. The other arguments
    are those of `tfdsl.compile`: values of params, `params=`, `data=`. The golden file is `golden/<stem of the
    program>.graph.txt` in the test's folder. `golden="name"` selects `golden/name.graph.txt`, for a program that
    several tests compile with different arguments.
    """

    def compare(path: str | os.PathLike, /, golden: str | None = None, **arguments: object) -> None:
        __tracebackhide__ = True
        program = _found(Path(path), request.path.parent)
        file = request.path.parent / "golden" / f"{golden or program.stem}.graph.txt"
        text = _graph_text(program, arguments)
        name, shown = (os.path.relpath(p, request.config.rootpath) for p in (program, file))
        if request.config.getoption("--update-golden"):
            if request.config.stash[_WRITTEN].setdefault(file, text) != text:
                pytest.fail(f'two different graphs belong to {shown}; give one of them golden="..."', pytrace=False)
            _write(file, text)
            return
        if not file.is_file():
            pytest.fail(f"there is no {shown} to compare {name} with; write it with: pytest --update-golden",
                        pytrace=False)  # fmt: skip
        expected = file.read_text(encoding="utf-8")
        if text != expected:
            headline = f"the graph of {name} is not the one in {shown}: {_summary(expected, text)}"
            pytest.fail(f"{headline}\n\n{_diff(expected, text, shown, name)}\n{_ACCEPT}", pytrace=False)

    return compare


def _found(path: Path, folder: Path) -> Path:
    """The file of a program. A relative path can start in `folder` or in one of its parents."""
    starts = (folder, *folder.parents)
    return next((start / path for start in starts if (start / path).exists()), path)


def _graph_text(path: Path, arguments: dict[str, Any]) -> str:  # those of `compile`, each with a type of its own
    from . import TfgError, compile
    from .diff.kinds import kind_of

    try:
        if kind_of(str(path)) == "graph":
            return _text_of_graph(str(path), arguments)
        program = compile(path, **arguments)
        from .quiet import load_beside_others

        load_beside_others()  # TensorFlow's start-up messages are not part of a failure
        from .lowering.text import graphs_text

        return graphs_text([program.built(graph.name) for graph in program.program.graphs])
    except TfgError as error:
        reason = str(error)
    pytest.fail(reason, pytrace=False)  # outside of it, or pytest shows the error twice


def _text_of_graph(path: str, arguments: Mapping[str, object]) -> str:
    """The text of a graph that TensorFlow wrote."""
    if arguments:
        pytest.fail(f"{path} is a graph, which takes no {', '.join(arguments)}", pytrace=False)
    from .quiet import load_beside_others

    load_beside_others()
    from .lift.read import graph_def_of, read_graph
    from .lowering.text import graph_def_text

    return graph_def_text(graph_def_of(read_graph(path)))


def _write(file: Path, text: str) -> None:
    """Write a file atomically: tests in other processes may read and write it too."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{os.getpid()}")
    new.write_text(text, encoding="utf-8", newline="\n")
    new.replace(file)


_NODE = re.compile(r"(\S+) = ")


def _nodes(text: str) -> dict[str, str]:
    """The lines of a graph's text, by node; the key includes the graph if there are several."""
    nodes, graph = {}, ""
    for line in text.splitlines():
        match = _NODE.match(line)
        if match:
            nodes[graph + match[1]] = line
        elif line.startswith("graph "):
            graph = line.removeprefix("graph ").rstrip(":") + "."
    return nodes


def _summary(expected: str, actual: str) -> str:
    """The changes in one line: `2 nodes added, 1 changed: loss/mse, loss/Abs, loss/Mean`."""
    before, after = _nodes(expected), _nodes(actual)
    kinds = {
        "added": [name for name in after if name not in before],
        "removed": [name for name in before if name not in after],
        "changed": [name for name in after if name in before and before[name] != after[name]],
    }
    counts = [f"{len(names)} {kind}" for kind, names in kinds.items() if names]
    if not counts:
        return "only the order or the spacing of its lines changed"
    first, _, rest = counts[0].partition(" ")
    counts[0] = f"{first} node{'' if first == '1' else 's'} {rest}"
    names = [name for names in kinds.values() for name in names]
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"{', '.join(counts)}: {', '.join(names[:_MAX_NAMES])}{more}"


def _diff(expected: str, actual: str, before: str, after: str) -> str:
    lines = list(unified_diff(expected.splitlines(), actual.splitlines(), before, after, n=1, lineterm=""))
    if len(lines) > _MAX_LINES:
        lines[_MAX_LINES:] = [f"... and {len(lines) - _MAX_LINES} more lines"]
    return "\n".join(lines) + "\n"
