"""Results as a Markdown table, which is also readable as plain text."""

from .result import LoadResult, Row


def table(result: LoadResult) -> str:
    """A load's contenders with their times and ratios, then the target figures, then notes."""
    lines = [f"### {result.name}: {result.title}", ""]
    compared = any(row.difference is not None for row in result.rows)
    weighed = any(row.memory is not None for row in result.rows)
    unit = "µs a step" if result.unit == "step" else "seconds"
    header = [
        "contender",
        unit,
        "times as fast",
        "times as long",
        *(["differs by"] if compared else []),
        *(["MB"] if weighed else []),
    ]
    cells = [
        [row.name, *_figures(result, row, compared), *([_megabytes(row)] if weighed else [])] for row in result.rows
    ]
    lines += _aligned(header, cells)
    if result.wanted:
        wanted = [[w.text, _number(result.measured(w)), _verdict(result.reached(w))] for w in result.wanted]
        lines += ["", *_aligned(["wanted", "measured", "reached"], wanted)]
    lines += ["", *(f"- {note}" for note in result.notes)] if result.notes else []
    return "\n".join(lines) + "\n"


def _figures(result: LoadResult, row: Row, compared: bool) -> list[str]:
    far = [] if not compared else ["" if row.difference is None else f"{row.difference:.0e}"]
    if row.status != "ok" or row.seconds is None:
        status = row.status if len(row.status) <= 60 else row.status[:57] + "..."
        return [status, "", "", *far]
    seconds = f"{1e6 * row.seconds:,.1f}" if result.unit == "step" else f"{row.seconds:.3f}"
    speed = result.speed(row)
    if not row.against or speed is None:
        return [seconds, "1" if not row.against else "", "1" if not row.against else "", *far]
    return [seconds, _number(speed), _number(1 / speed), *far]


def _megabytes(row: Row) -> str:
    return "" if row.memory is None else f"{row.memory / 1e6:,.0f}"


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _verdict(reached: bool | None) -> str:
    return {True: "yes", False: "no", None: "-"}[reached]


def _aligned(header: list[str], rows: list[list[str]]) -> list[str]:
    """A table with aligned columns: the first to the left, the others to the right."""
    widths = [max(len(row[at]) for row in [header, *rows]) for at in range(len(header))]

    def line(row: list[str]) -> str:
        first, *rest = (cell.ljust(width) if at == 0 else cell.rjust(width) for at, (cell, width) in
                        enumerate(zip(row, widths)))  # fmt: skip
        return "| " + " | ".join([first, *rest]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return [line(header), rule, *map(line, rows)]
