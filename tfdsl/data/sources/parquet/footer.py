"""Reads the footer of a Parquet file without pyarrow, which would import NumPy.

Input: an open file. Output: its number of rows and the names and kinds of its columns. The footer is a struct in
Thrift's compact protocol (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md),
defined in https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift.
"""

import struct
from typing import Any, BinaryIO

from ....diagnostics import COLUMN_KIND
from ....record import Record
from ...schema import DataError, FilePlace, shown
from ..base import unreadable

_MAGIC = b"PAR1"
_MAX_FOOTER = 100_000_000
# Parquet's physical types as NumPy letters.
_KINDS: dict[int | None, str] = {0: "b", 1: "i", 2: "i", 4: "f", 5: "f"}
# Integer columns that are not numbers, by Parquet's "converted type".
_NO_NUMBERS: dict[int | None, str] = {
    0: "text",
    5: "decimals",
    6: "dates",
    7: "times",
    8: "times",
    9: "timestamps",
    10: "timestamps",
}
_NAMES: dict[int | None, str] = {3: "timestamps", 6: "text or bytes", 7: "bytes"}


class ParquetColumn(Record):
    """A column: `kind` is NumPy's letter b, i or f."""

    name: str
    kind: str


class ParquetFile(Record):
    rows: int
    columns: tuple[ParquetColumn, ...]


def read_footer(file: BinaryIO) -> ParquetFile:
    """The rows and columns of a file. Raises `DataError` if it is not a Parquet file, or if a column is not numeric."""
    place = FilePlace(file.name)
    try:
        file.seek(0, 2)
        size = file.tell()
        file.seek(max(size - 8, 0))
        end = file.read(8)
        if size < 12 or end[4:] != _MAGIC:
            raise ValueError("it does not end as one")
        (length,) = struct.unpack("<I", end[:4])
        if length > min(size - 12, _MAX_FOOTER):
            raise ValueError("its footer is larger than the file")
        file.seek(size - 8 - length)
        footer = _Thrift(file.read(length)).struct()
        rows, schema = footer[3], footer[2]
        columns = tuple(_column(element, place) for element in schema[1:])
    except (ValueError, IndexError, KeyError, TypeError, struct.error, UnicodeDecodeError, RecursionError) as error:
        reason = str(error) if type(error) is ValueError else "its footer is damaged"
        raise damaged(file.name, reason) from None
    return ParquetFile(rows, columns)


def damaged(path: str, reason: str) -> DataError:
    """The error for a file that is damaged or not a Parquet file."""
    remedy = "write it with pandas: frame.to_parquet(path), or with pyarrow.parquet.write_table(table, path)"
    return unreadable(path, "a Parquet file", reason, remedy)


def _column(element: dict[int, Any], place: FilePlace) -> ParquetColumn:
    name = element[4].decode("utf-8")
    physical, converted = element.get(1), element.get(6)
    if element.get(5) or element.get(3) == 2:
        raise DataError(COLUMN_KIND, place=place, column=shown(name), what="columns of its own, or lists")
    what = _NO_NUMBERS.get(converted) or (_NAMES.get(physical, "no numbers") if physical not in _KINDS else None)
    logical = element.get(10)
    if what is None and isinstance(logical, dict) and set(logical) & {5, 6, 7, 8}:
        what = {5: "decimals", 6: "dates", 7: "times", 8: "timestamps"}[next(iter(set(logical) & {5, 6, 7, 8}))]
    if what is not None:
        raise DataError(COLUMN_KIND, place=place, column=shown(name), what=what)
    return ParquetColumn(name, _KINDS[physical])


class _Thrift:
    """Reads Thrift's compact protocol: structs as mappings of field numbers, lists as lists."""

    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
            if shift > 63:
                raise ValueError("its footer is damaged")

    def integer(self) -> int:
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def struct(self) -> dict[int, Any]:
        fields: dict[int, Any] = {}
        number = 0
        while (head := self.byte()) != 0:
            number = number + (head >> 4) if head >> 4 else self.integer()
            fields[number] = self.value(head & 15)
        return fields

    def value(self, kind: int) -> object:
        match kind:
            case 1 | 2:
                return kind == 1
            case 3:
                return self.byte()
            case 4 | 5 | 6:
                return self.integer()
            case 7:
                self.at += 8
                return struct.unpack("<d", self.data[self.at - 8 : self.at])[0]
            case 8:
                length = self.varint()
                if length > len(self.data) - self.at:
                    raise ValueError("its footer is damaged")
                self.at += length
                return self.data[self.at - length : self.at]
            case 9 | 10:
                head = self.byte()
                length, item = head >> 4, head & 15
                length = self.varint() if length == 15 else length
                if length > len(self.data) - self.at:
                    raise ValueError("its footer is damaged")
                return [self.byte() == 1 if item in (1, 2) else self.value(item) for _ in range(length)]
            case 11:
                length = self.varint()
                kinds = self.byte() if length else 0
                return [(self.value(kinds >> 4), self.value(kinds & 15)) for _ in range(min(length, len(self.data)))]
            case 12:
                return self.struct()
        raise ValueError("its footer is damaged")
