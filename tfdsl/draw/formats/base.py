"""Defines a format of pictures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ...program import Graph, Program
from ...record import Record
from ..links import linked
from ..picture import Picture, picture


@dataclass(frozen=True)
class Drawing:
    """The graphs of a program to draw, under a title. `graph_def` builds the first graph with TensorFlow."""

    title: str
    program: Program
    graphs: Sequence[Graph]
    graph_def: Callable[[], Any]  # a `GraphDef`: this part does not import TensorFlow

    @cached_property
    def pictures(self) -> list[Picture]:
        return [
            linked(picture(graph), self.program, graph) for graph in self.graphs if graph.items or len(self.graphs) == 1
        ]


class Format(Record):
    """A format. `doc` completes the sentence that begins with its name. `write` makes the content of the file. A
    format with `needs_tensorflow` can use `graph_def`."""

    doc: str
    write: Callable[[Drawing], str | bytes]
    needs_tensorflow: bool = False
