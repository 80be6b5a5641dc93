"""CSV files: text with one line per row. The first line names the columns, unless `header` says otherwise."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ....diagnostics import (
    COLUMN_TWICE,
    CSV_COLUMNS_DIFFER,
    CSV_EMPTY,
    CSV_INTEGER,
    CSV_MALFORMED,
    CSV_NAMED_AGAIN,
    CSV_NO_COLUMN,
    CSV_NO_HEADER,
    CSV_NO_NAME,
    CSV_ODD_HEADER,
    CSV_SEPARATOR,
)
from ....diagnostics.spelling import counted
from ....types import BOOL, DTYPES, FLOAT32, INT64, STRING, DType
from ...advice import is_declared_text, is_finite
from ...memory import check_room
from ...schema import Column, DataError, FilePlace, Schema, check_size, composed, listed, numbered, shown, shown_path
from ...stage import Arguments
from ..base import (
    FileForm,
    OpenedData,
    SourceFiles,
    TableSource,
    Where,
    digits_lost,
    full_path,
    no_column,
    open_file,
    with_targets,
)
from .records import CsvFile, Form, separators

if TYPE_CHECKING:
    import numpy as np

    from ...tables import ColumnSource
    from ..base import Choose
    from .reader import ReadColumn, Reader

_NO_SEPARATORS = '"\n\r\0_+-.'  # besides letters and digits: the characters of numbers, quotes and lines
_SEPARATORS = (",", ";", "\t", "|")  # the separators found in files
_HEADER = 'write header=false, which names the columns x0, x1 and so on, or header=["a", "b", ...] with their names'
_DTYPES = ("float32", "int64", "bool", "string")


class Csv(TableSource):
    name = "csv"
    signature = (
        "path: text, target: static = none, stream: flag = false, separator: text = none, header: static = true, "
        'columns: static = none, missing: static = none, decimal: text = ".", comment: text = none'
    )
    example = 'data houses = csv("houses.csv", target="price")'
    doc = (
        "Files of comma-separated cells, numbers and text. The first line names the columns; `target` is one of them, "
        "or several in a list. `path` can contain `*`, for several files with the same columns. The `separator` is "
        "detected: a comma, semicolon, tab or bar. Spaces around cells are ignored. `header=false` is for files "
        'without names, which then get the names `x0`, `x1` and so on; `header=["a", "b"]` gives them names. '
        '`columns={"age": float32}` gives columns their dtypes. A cell is missing if it is empty, or if its text is '
        'in `missing`, as in `missing=["", "NA"]`. With `decimal=","`, numbers have a decimal comma; if commas '
        "separate cells too, such numbers are quoted. Lines that begin with `comment` are left out, even inside a "
        "quoted cell. With `stream`, the rows are kept on disk and read batch by batch, for files larger than memory."
    )
    suffixes = (".csv", ".tsv")
    kind = "a CSV file"

    def open(self, arguments: Arguments, where: Where) -> OpenedData:
        targets, stream = self.targets(arguments), self.stream(arguments)
        files, names = self._header(arguments, where)
        missing = ("",) if arguments["missing"] is None else self._texts(arguments, "missing")
        dtypes = self._dtypes(arguments, names, files[0])
        check_room()
        from .reader import ReadColumn, Reader

        has_header = arguments["header"] is True
        reader = Reader(files, names, has_header, missing)
        place = FilePlace(files[0].path, 1)
        if len(names) == 1 and targets and targets[0] not in names:
            self._check_separator(files[0])
        for target in targets:
            if target not in names:
                raise _no_column(target, names, place, "target", has_header)
        with_targets([Column(name, FLOAT32) for name in names], targets, place)
        columns = [ReadColumn(name, dtypes.get(name)) for name in names]
        blocks: list[list[np.ndarray]] = [[] for _ in names]
        for block in reader.read(columns):
            for kept, made in zip(blocks, block, strict=True):
                if not stream:
                    kept.append(made)
            check_size(shown(files[0].given), 1 if stream else sum(map(len, blocks[0])), len(names))
        lost = [column for column in columns if column.lost]
        if lost and not stream:
            again = [ReadColumn(column.name, STRING) for column in lost]
            texts: list[list[np.ndarray]] = [[] for _ in again]
            for block in reader.read(again):
                for kept, made in zip(texts, block, strict=True):
                    kept.append(made)
            for column, text in zip(again, texts, strict=True):
                at = names.index(column.name)
                columns[at], blocks[at] = column, text
        rows = sum(reader.rows_of)
        table = with_targets([self._column(column, files[0], arguments) for column in columns], targets, place)
        for column, read in zip(table, columns, strict=True):
            if column.role == "target":
                _check_integers(column, read, reader)
        schema = Schema(rows, table, streamed=stream, named=arguments["header"] is not False)

        def source() -> "ColumnSource":
            if stream:
                return _spooled(reader, columns, rows)
            if not blocks[0]:  # given away before
                _read_again(reader, columns, blocks, rows)
            return _held(reader, columns, blocks, rows)

        words = {column.name: column.words for column in columns}
        decided = self._decided(arguments, files, missing)
        rounded = {column.name: column.rounded for column in columns if column.dtype != STRING and column.rounded}
        odd = _odd_header(names, files[0]) if has_header else _named_again(names, files)
        doubts = (*odd, *digits_lost(rounded, files[0].path, arguments))
        return OpenedData(schema, source, reader.first_other, lambda name: tuple(words[name]), decided, doubts,
                          rounded=rounded, files=self._files(reader, columns, has_header, missing))  # fmt: skip

    def _files(
        self, reader: "Reader", columns: Sequence["ReadColumn"], has_header: bool, missing: Sequence[str]
    ) -> SourceFiles:
        form = reader.files[0].form
        return SourceFiles(
            self.name, tuple(full_path(one.given, one.where) for one in reader.files), tuple(reader.rows_of),
            {
                "separator": form.separator, "decimal": form.decimal, "comment": form.comment, "header": has_header,
                "missing": list(missing),
                "columns": [[one.name, None if one.dtype is None else one.dtype.name, one.gaps] for one in columns],
            },
        )  # fmt: skip

    def again(self, paths: Sequence[str], form: FileForm, where: Where, choose: "Choose") -> "ColumnSource":
        from .reader import ReadColumn, Reader

        written = Form(form["separator"], form["decimal"], form["comment"])
        files = [CsvFile(path, where, written) for path in paths]
        reader = Reader(files, [name for name, _, _ in form["columns"]], form["header"], form["missing"])
        columns = [ReadColumn(name, dtype and DTYPES[dtype], True) for name, dtype, _ in form["columns"]]
        blocks: list[list[np.ndarray]] = [[] for _ in columns]
        for block in reader.read(columns):
            for kept, made in zip(blocks, choose(block), strict=True):
                kept.append(made)
        for column, (_, _, gaps) in zip(columns, form["columns"], strict=True):
            column.gaps = gaps  # in all files, which says the dtype
        return _held(reader, columns, blocks, sum(map(len, blocks[0])))

    def _decided(
        self, arguments: Arguments, files: Sequence[CsvFile], missing: Sequence[str]
    ) -> tuple[tuple[str, str], ...]:
        """What was decided while reading, for people."""
        form, header = files[0].form, arguments["header"]
        with open_file(files[0].given, files[0].where) as file:
            has_mark = file.read(3) == b"\xef\xbb\xbf"
        found = "" if arguments["separator"] is not None else ", found in the file"
        names = {True: "the first line names the columns", False: "none: the columns are x0, x1 and so on"}
        decided = [
            ("separator", shown(form.separator).replace('"\\t"', "a tab") + found),
            ("header", names[header] if isinstance(header, bool) else "none: the program names the columns"),
            ("encoding", "UTF-8 with a byte order mark" if has_mark else "UTF-8"),
            ("missing", " or ".join("empty cells" if one == "" else shown(one) for one in missing) or "no cell"),
            ("decimal", "a comma" if form.decimal == "," else "a point"),
        ]
        if form.comment is not None:
            decided.append(("comment", f"lines that begin with {shown(form.comment)}"))
        if len(files) > 1:
            decided.append(("files", f"{len(files)}, from {shown(files[0].given)} to {shown(files[-1].given)}"))
        return tuple(decided)

    def columns(self, arguments: Arguments, where: Where) -> tuple[str, ...]:
        return self._header(arguments, where)[1]

    # --- arguments ------------------------------------------------------------------------------

    def _header(self, arguments: Arguments, where: Where) -> tuple[list[CsvFile], tuple[str, ...]]:
        """The files, and the names of their columns."""
        paths = self.files(arguments, where)
        form = self._form(arguments)
        first = CsvFile(paths[0], where, form)
        if arguments["separator"] is None:
            form = Form(_separator(first), form.decimal, form.comment)
        else:
            self._check_separator(first)
        files = [CsvFile(path, where, form) for path in paths]
        header = arguments["header"]
        names = self._names(files[0], header)
        for file in files[1:]:
            other = self._names(file, header)
            if other != names:
                a, b = next(
                    ((a, b) for a, b in zip(names, other) if a != b), (counted(len(names), "column"), f"{len(other)}")
                )
                raise DataError(CSV_COLUMNS_DIFFER, place=FilePlace(file.path, 1), param="path",
                first=shown_path(files[0].path), other=shown_path(file.path), column=shown(a), found=shown(b),
                way=_separated(files[0], file))  # fmt: skip
        return files, names

    def _check_separator(self, file: CsvFile) -> None:
        """Refuse a separator that makes one column where another makes several."""
        if len(next(file.records(), (1, []))[1]) != 1:
            return
        for other in separators(file, (*_SEPARATORS, " ")):
            raise DataError(CSV_SEPARATOR, place=FilePlace(file.path, 1), path=shown_path(file.given),
                            found=shown(other), separator=shown(file.form.separator),
                            way=f"add separator={shown(other)} to the arguments of csv")  # fmt: skip

    def _form(self, arguments: Arguments) -> Form:
        separator, decimal, comment = arguments["separator"], arguments["decimal"], arguments["comment"]
        if separator is not None and (
            not isinstance(separator, str) or len(separator) != 1 or separator.isalnum() or not separator.isascii()
            or separator in _NO_SEPARATORS
        ):  # fmt: skip
            self.refuse(arguments, "separator", 'one character between cells, such as ";" or "\\t"')
        if decimal not in (".", ","):
            self.refuse(arguments, "decimal", '"." or ","')
        if comment is not None and (not isinstance(comment, str) or not comment or not comment.isprintable()):
            self.refuse(arguments, "comment", 'what begins a line that is no row, such as "#"')
        assert isinstance(decimal, str)
        return Form(
            separator if isinstance(separator, str) else ",", decimal, comment if isinstance(comment, str) else None
        )

    def _texts(self, arguments: Arguments, param: str) -> tuple[str, ...]:
        value = arguments[param]
        texts = (value,) if isinstance(value, str) else value
        if not isinstance(texts, (tuple, list)) or not all(isinstance(one, str) for one in texts):
            self.refuse(arguments, param, 'texts in a list, such as ["", "NA"]')
        return tuple(texts)

    def _dtypes(self, arguments: Arguments, names: Sequence[str], file: CsvFile) -> dict[str, DType]:
        given = arguments["columns"]
        if given is None:
            return {}
        if not isinstance(given, tuple) or not all(isinstance(one, tuple) and len(one) == 2 for one in given):
            chosen = [one for one in names if isinstance(given, tuple) and one in given and one != arguments["target"]]
            way = f"columns are chosen after it: | select({', '.join(map(shown, chosen))})" if chosen else ""
            self.refuse(arguments, "columns", 'dtypes by column, such as {"age": float32}', way)
        result: dict[str, DType] = {}
        for written, dtype in given:
            name = composed(str(written))
            if name not in names:
                has_header = arguments["header"] is True
                raise _no_column(name, names, FilePlace(file.path, 1), "columns", has_header)
            if dtype not in _DTYPES:
                self.refuse({"columns": dtype}, "columns", "dtypes out of float32, int64, bool and string")
            result[name] = DTYPES[dtype]
        return result

    def _names(self, file: CsvFile, header: object) -> tuple[str, ...]:
        """The names of the columns of a file."""
        lines: list[str] = []
        line, first = next(file.records(lines), (1, []))
        path = file.path
        if not first:
            raise DataError(CSV_EMPTY, place=FilePlace(path), path=shown_path(path))
        check_size(shown_path(path), 1, len(first))
        if any("\0" in cell for cell in first):  # Arrow loses the lines that follow it
            raise DataError(CSV_MALFORMED, place=FilePlace(path, line), reason="it has a NUL character")
        if header is False:
            return numbered(len(first))
        if not isinstance(header, (bool, tuple, list)):
            self.refuse({"header": header}, "header", 'true, false, or names such as ["a", "b"]')
        if header is not True:
            names = tuple(map(composed, self._texts({"header": header}, "header")))
            if len(names) != len(first):
                self.refuse({"header": list(names)}, "header", f"{counted(len(first), 'name')}, one for each column")
        else:
            names = tuple(composed(name.strip()) for name in first)
            if all(map(is_finite, names)):
                raise DataError(CSV_NO_HEADER, place=file.place_in_header(lines, line, 0), way=_HEADER)
        seen: set[str] = set()
        for column, name in enumerate(names):
            if not name:
                raise DataError(CSV_NO_NAME, place=file.place_in_header(lines, line, column), number=column + 1)
            if name in seen and header is True and is_finite(name):
                raise DataError(CSV_NO_HEADER, place=file.place_in_header(lines, line, 0), way=_HEADER)
            if name in seen:
                raise DataError(COLUMN_TWICE, place=file.place_in_header(lines, line, column), column=shown(name))
            seen.add(name)
        return names

    def _column(self, read: "ReadColumn", file: CsvFile, arguments: Arguments) -> Column:
        dtype = FLOAT32 if read.dtype is None else read.dtype
        if read.gaps and dtype in (INT64, BOOL):
            dtype = FLOAT32
        ends = (float(read.ends[0]), float(read.ends[1])) if read.ends else None
        is_guessed = dtype == STRING and not is_declared_text(read.name, arguments)
        nearly = is_guessed and read.nearly_numbers(file.form.decimal)
        return Column(read.name, dtype, gaps=read.gaps, ends=ends, nearly_numbers=nearly)


SOURCE = Csv()


def _separated(first: CsvFile, file: CsvFile) -> str:
    """What to say of a file of a pattern whose cells are separated otherwise than those of the first file."""
    own = next(separators(file, _SEPARATORS), first.form.separator)
    if own == first.form.separator:
        return ""
    return f"; its cells are separated by {shown(own)}, not by {shown(first.form.separator)}: write it with the latter"


def _separator(file: CsvFile) -> str:
    """The separator of a file. A comma before fractions can only be one too if such numbers are quoted."""
    if file.form.decimal != ",":
        return next(separators(file, _SEPARATORS), ",")
    found = next(separators(file, _SEPARATORS[1:]), None)
    return found or next(separators(file, _SEPARATORS[:1], is_quoted=True), ";")


def _no_column(name: str, names: Sequence[str], place: FilePlace, param: str, has_header: bool) -> DataError:
    """The error for a column that does not exist, which may be one of a file without a line of names."""
    error = no_column(name, names, place, param)
    if has_header and name in numbered(len(names)):
        return DataError(
            CSV_NO_COLUMN,
            place=place,
            param=param,
            column=shown(name),
            columns=listed(names),
            way="if the first line is a row, write header=false, which names the columns x0, x1 and so on",
        )
    return error


def _odd_header(names: Sequence[str], file: CsvFile) -> tuple[DataError, ...]:
    """A warning if the first line seems to be a row: some names are numbers with a fraction."""
    fractions = [name for name in names if "." in name and is_finite(name)]
    if not fractions:
        return ()
    return (
        DataError(CSV_ODD_HEADER, place=FilePlace(file.path, 1), path=shown_path(file.given), name=shown(fractions[0])),
    )


def _named_again(names: Sequence[str], files: Sequence[CsvFile]) -> tuple[DataError, ...]:
    """Warnings of files whose first line has the names that the program gives."""
    return tuple(
        DataError(CSV_NAMED_AGAIN, place=FilePlace(file.path, 1), path=shown_path(file.given))
        for file in files
        if [composed(cell.strip()) for cell in next(file.records(), (1, []))[1]] == list(names)
    )


def _check_integers(column: Column, read: "ReadColumn", reader: "Reader") -> None:
    """Refuse a target of whole numbers that int64 cannot hold."""
    ends = column.ends
    if column.dtype != FLOAT32 or ends is None or max(abs(ends[0]), abs(ends[1])) < float(1 << 63):
        return
    if reader.first_other(column.name, whole=True) is not None:
        return
    wrong = reader.first_other(column.name, INT64)
    if wrong is not None:
        place, cell = wrong
        way = f"write it as {float(cell)!r} to make the column float32"
        raise DataError(CSV_INTEGER, place=place, column=shown(column.name), cell=shown(cell), way=way)


def _read_again(read: "Reader", columns: Sequence["ReadColumn"], blocks: list[list["np.ndarray"]], rows: int) -> None:
    """The blocks of columns that are known."""
    from .reader import ReadColumn

    for block in read.read([ReadColumn(column.name, column.dtype, True) for column in columns]):
        for kept, made in zip(blocks, block, strict=True):
            kept.append(made)
    if sum(read.rows_of) != rows:
        path = read.files[0].path
        raise DataError(CSV_MALFORMED, place=FilePlace(path), reason="it has changed since it was read")


def _held(
    read: "Reader", columns: Sequence["ReadColumn"], blocks: list[list["np.ndarray"]], rows: int
) -> "ColumnSource":
    """The columns in memory."""
    import numpy as np

    from ...tables import Held

    panels, words = [], {}
    for column, given in zip(columns, blocks, strict=True):
        dtype, parts = column.dtype, list(given)
        given.clear()
        numpy = np.int32 if dtype == STRING else np.float64 if column.gaps or dtype in (None, FLOAT32) else None
        if dtype == STRING:  # blocks of nothing but missing cells have no codes
            parts = [part if part.dtype == np.int32 else np.full(len(part), -1, np.int32) for part in parts]
        array = parts[0] if len(parts) == 1 and numpy is None else np.concatenate(parts).astype(numpy or parts[0].dtype)
        panels.append(((column.name,), array))
        del parts
        if dtype == STRING:
            words[column.name] = tuple(column.words)
    read.give_back()
    return Held(rows, tuple(panels), read.files[0].path, words, find=read.place)


def _spooled(read: "Reader", columns: Sequence["ReadColumn"], rows: int) -> "ColumnSource":
    """The columns in unnamed files, one for each dtype."""
    import numpy as np

    from ...arrays import Spool
    from ...tables import Held, Matrix
    from .reader import ReadColumn

    again = [ReadColumn(column.name, column.dtype, True) for column in columns]
    groups: dict[type, list[int]] = {}
    for at, column in enumerate(columns):
        dtype = FLOAT32 if column.gaps and column.dtype != STRING else column.dtype or FLOAT32
        numpy = {STRING: np.int32, INT64: np.int64, BOOL: np.bool_}.get(dtype, np.float64)
        groups.setdefault(numpy, []).append(at)
    spools = {numpy: Spool((len(group),), numpy) for numpy, group in groups.items()}
    for block in read.read(again):
        for numpy, group in groups.items():
            spools[numpy].add(np.column_stack([block[at].astype(numpy, copy=False) for at in group]))
    panels: list[tuple[tuple[str, ...], Matrix]] = [
        (tuple(columns[at].name for at in group), spools[numpy].array()) for numpy, group in groups.items()
    ]
    words = {column.name: tuple(column.words) for column in again if column.dtype == STRING}
    return Held(rows, tuple(panels), read.files[0].path, words, True, order=tuple(read.names), find=read.place)
