"""What is reported of a load: rows of contenders, ratios, and the figures that the project wants."""

from dataclasses import asdict, dataclass, field, fields


@dataclass
class Row:
    """One contender. `seconds` is a median, of a step or of the whole; `status` is "ok", or why there is no time.

    `against` names the row that ratios are taken to, "" for such a row itself.
    """

    name: str
    against: str
    status: str = "ok"
    seconds: float | None = None
    repeats: list[float] = field(default_factory=list)
    steps: int | None = None  # of each repeat
    setup: float | None = None  # seconds before the first step, where they are known
    difference: float | None = None  # of the results from those by hand, as `measure.difference` says


@dataclass(frozen=True)
class Wanted:
    """A figure that the project wants: how many times as fast a contender is as another, at least; or, `is_time`, how
    many times as long it takes, at most."""

    contender: str
    against: str
    bound: float
    is_time: bool = False

    @property
    def text(self) -> str:
        if self.is_time:
            return f"{self.contender}: at most {self.bound:g} times as long as {self.against}"
        if self.bound == 1:
            return f"{self.contender}: not slower than {self.against}"
        return f"{self.contender}: at least {self.bound:g} times as fast as {self.against}"


@dataclass
class LoadResult:
    """A load. `unit` is "step" where seconds are those of one step, "run" where they are of the whole."""

    name: str
    title: str
    unit: str
    rows: list[Row]
    wanted: list[Wanted]
    notes: list[str] = field(default_factory=list)

    def row(self, name: str) -> Row | None:
        return next((row for row in self.rows if row.name == name), None)

    def speed(self, row: Row) -> float | None:
        """How many times as fast a row is as the one that it is compared with."""
        return ratio(self.row(row.against or row.name), row)

    def measured(self, wanted: Wanted) -> float | None:
        """The figure to compare with what is wanted; None where one of the two has no time."""
        row, other = self.row(wanted.contender), self.row(wanted.against)
        return ratio(row, other) if wanted.is_time else ratio(other, row)

    def reached(self, wanted: Wanted) -> bool | None:
        measured = self.measured(wanted)
        if measured is None:
            return None
        return measured <= wanted.bound if wanted.is_time else measured >= wanted.bound

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
    """A dataclass from what was saved of it; what is worked out from its fields is left aside."""
    return kind(**{field.name: saved[field.name] for field in fields(kind)})


def ratio(one: Row | None, other: Row | None) -> float | None:
    if one is None or other is None or not one.seconds or not other.seconds:
        return None
    return one.seconds / other.seconds
