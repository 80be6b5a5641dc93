"""Keeps the names that a program gives nodes and scopes, made unique as TensorFlow does it."""

from ..record import State, field
from ..source import Span


class NameTaken(Exception):
    """A node has the name already. Carries the place of that node."""

    def __init__(self, span: Span):
        super().__init__()
        self.span = span


class Naming(State):
    """The names in use in a graph, or in a block of it that becomes a function. TensorFlow ignores case when it
    makes names unique, but compares a whole name only with the names of nodes, and exactly."""

    scope: str = ""  # the whole name of the open scope
    taken: dict[str, Span] = field(default_factory=dict)
    nodes: dict[str, Span] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)  # the next number to try for a name

    def unique(self, name: str, span: Span) -> str:
        """Take a name in the open scope. The result is that name, or the next one that is free: `name_1`."""
        whole = f"{self.scope}/{name}" if self.scope else name
        key = whole.lower()
        if key not in self.taken:
            self.taken[key] = span
            return name
        number = self.numbers.get(key, 1)
        while f"{key}_{number}" in self.taken:
            number += 1
        self.numbers[key] = number + 1
        self.taken[f"{key}_{number}"] = span
        return f"{name}_{number}"

    def unique_node(self, name: str, span: Span) -> None:
        """Take a name for a node in the open scope."""
        made = self.unique(name, span)
        self.nodes[f"{self.scope}/{made}" if self.scope else made] = span

    def share(self, whole: str, span: Span) -> None:
        """Take a whole name for a shared variable, which does not make it unique."""
        self.taken.setdefault(whole.lower(), span)
        self.nodes.setdefault(whole, span)

    def take(self, whole: str, span: Span) -> None:
        """Take a whole name. Raises `NameTaken` if a node has it."""
        if (there := self.nodes.get(whole)) is not None:
            raise NameTaken(there)
        self.taken.setdefault(whole.lower(), span)
        self.nodes[whole] = span

    def mark(self) -> tuple[int, int]:
        """A point to go back to."""
        return len(self.taken), len(self.nodes)

    def back_to(self, mark: tuple[int, int]) -> None:
        """Free the names taken since a point."""
        while len(self.taken) > mark[0]:
            self.taken.popitem()
            self.numbers.clear()
        while len(self.nodes) > mark[1]:
            self.nodes.popitem()
