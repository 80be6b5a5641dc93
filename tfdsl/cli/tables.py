"""Plain tables on standard output: columns of text with two spaces between them."""

from collections.abc import Iterable, Iterator, Sequence

from .report import show


def show_table(head: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> None:
    """Write rows below a head. The columns in `right` are aligned to the right. None is an empty cell."""
    for line in table_lines(head, rows, right):
        show(line)


def table_lines(head: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> Iterator[str]:
    """The lines of a table, as `show_table` writes it."""
    cells = [list(head), *([text(cell) for cell in row] for row in rows)]
    widths = [max(len(row[at]) for row in cells) for at in range(len(head))]
    to_right = frozenset(right)
    for row in cells:
        parts = [cell.rjust(width) if at in to_right else cell.ljust(width)
                 for at, (cell, width) in enumerate(zip(row, widths, strict=True))]  # fmt: skip
        yield "  ".join(parts).rstrip()


def text(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return str(cell).lower()
        case float():
            return f"{cell:.6g}"
        case _:
            return str(cell)
