"""The values that the names of a session have."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kept:
    """The values of a name, by field: "" for a value of its own. A training over them finds them under the names in
    `columns`, in the same order, and goes over `rows`."""

    fields: Mapping[str, object]
    columns: tuple[str, ...] = ()
    rows: int = 0

    @property
    def value(self) -> object:
        """The value of the name, or a dict of its values by field."""
        return self.fields[""] if "" in self.fields else dict(self.fields)

    def column(self, name: str) -> object:
        """The values under a name."""
        return self.rows if name == "rows" else dict(zip(self.columns, self.fields.values(), strict=True))[name]
