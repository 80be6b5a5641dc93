"""The report of a load: rows of contenders, ratios, and the project's target figures."""

from dataclasses import asdict, dataclass, field, fields


@dataclass
class Row:
    """One contender. `seconds` is the median time of a step or of the whole run. `status` is "ok", or the reason why
    there is no time.

    `against` names the row that ratios are relative to, "" for such a row itself.
    """

    name: str
    against: str
    status: str = "ok"
    seconds: float | None = None
    repeats: list[float] = field(default_factory=list)
    steps: int | None = None  # of each repeat
    setup: float | None = None  # seconds before the first step, if known
    memory: int | None = None  # the maximum of a whole process, in bytes
    difference: float | None = None  # of the results from those by hand, as `measure.difference` says


@dataclass(frozen=True)
class Wanted:
    """A target figure: the minimum speed of a contender relative to another or, with `is_time` or `is_memory`, its
    maximum time or memory."""

    contender: str
    against: str
    bound: float
    is_time: bool = False
    is_memory: bool = False

    @property
    def text(self) -> str:
        if self.is_time:
            return f"{self.contender}: at most {self.bound:g} times as long as {self.against}"
        if self.is_memory:
            return f"{self.contender}: at most {self.bound:g} times the memory of {self.against}"
        if self.bound == 1:
            return f"{self.contender}: not slower than {self.against}"
        return f"{self.contender}: at least {self.bound:g} times as fast as {self.against}"


@dataclass
class LoadResult:
    """A load. `unit` is "step" if seconds are per step, "run" if they are per run."""

    name: str
    title: str
    unit: str
    rows: list[Row]
    wanted: list[Wanted]
    notes: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)

    def speed(self, row: Row) -> float | None:
        """The speed of a row relative to the row that it is compared with."""
        return ratio(self.row(row.against or row.name), row)

    def measured(self, wanted: Wanted) -> float | None:
        """The figure to compare with the target, or None if one of the two has no time."""
        row, other = self.row(wanted.contender), self.row(wanted.against)
        if wanted.is_memory:
            return row.memory / other.memory if row and other and row.memory and other.memory else None
        return ratio(row, other) if wanted.is_time else ratio(other, row)

    def reached(self, wanted: Wanted) -> bool | None:
        measured = self.measured(wanted)
        if measured is None:
            return None
        return measured <= wanted.bound if wanted.is_time or wanted.is_memory else measured >= wanted.bound

    def to_json(self) -> dict:
        return {
            "title": self.title,
            "unit": self.unit,
            "contenders": {row.name: asdict(row) | {"speed": self.speed(row)} for row in self.rows},
            "wanted": [
                asdict(w) | {"text": w.text, "measured": self.measured(w), "reached": self.reached(w)}
                for w in self.wanted
            ],
            "notes": self.notes,
        }

    @classmethod
    def from_json(cls, name: str, saved: dict) -> "LoadResult":
        rows = [_record(Row, row) for row in saved["contenders"].values()]
        wanted = [_record(Wanted, one) for one in saved["wanted"]]
        return cls(name, saved["title"], saved["unit"], rows, wanted, saved["notes"])


def _record(kind: type, saved: dict):
    """A dataclass from its saved form. Computed properties are ignored."""
    return kind(**{field.name: saved[field.name] for field in fields(kind)})


def ratio(one: Row | None, other: Row | None) -> float | None:
    if one is None or other is None or not one.seconds or not other.seconds:
        return None
    return one.seconds / other.seconds
