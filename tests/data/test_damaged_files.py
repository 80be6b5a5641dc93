"""More than 300 damaged or odd files: each is an error that names its file, or gives the numbers of an independent reader.

CSV files are drawn and damaged at random. The expected numbers come from Python's `csv` and the rules of the language
reference. Ordinary runs try some of the files, `--long` all of them.
"""

import csv
import io
import math
import random
import re
import resource
import struct
import zipfile
import zlib
from functools import cache
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from conftest import some
from PIL import Image

from tfdsl.access import Access
from tfdsl.data import DataError
from tfdsl.data.declaration import pipeline_of
from tfdsl.data.load import loaded

EVERY = 3  # one in so many files is tried always
CELLS = ("", " 5", "5 ", "+3", "-0", "007", "1_0", "nan", "inf", "-1e400", "1e400", "1e-400", "1" * 400, "0x1F", "1e5",
         ".5", "5.", "\uff11\uff12", "١٢", "true", "False", "é", "日本", "a\0b", "\ufeff", "\u2028", "9007199254740993",
         "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1.7976931348623157e308", '"', '""', "'",
         "a,b", "a;b", "line\nbreak", "line\r\nbreak", "#", "\t", "x" * 5000, "4.9e-324", "0.1", "NaN", "1e")  # fmt: skip


# --- CSV: drawn files, damage, and the independent reader --------------------------------------


def drawn_csv(draw):
    """The bytes of a file, and its separator."""
    separator = draw.choice(",;\t|")
    width, rows = draw.randint(2, 6), draw.choice([1, 2, 7, 40])
    kinds = [draw.choice(["whole", "number", "text", "odd", "bool"]) for _ in range(width)]

    def cell(kind):
        if draw.random() < 0.05:
            return ""
        return {
            "whole": lambda: str(draw.randint(-(10**6), 10**6)),
            "number": lambda: repr(draw.gauss(0, 1e3)),
            "text": lambda: draw.choice(["Rome", "Oslo", "a b", "ü"]),
            "odd": lambda: draw.choice(CELLS),
            "bool": lambda: draw.choice(["true", "false", "TRUE"]),
        }[kind]()

    table = [[f"c{at}" for at in range(width)], *([cell(kind) for kind in kinds] for _ in range(rows))]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator=draw.choice(["\n", "\r\n", "\n", "\r"]),
                        quoting=draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))  # fmt: skip
    writer.writerows(table)
    return text.getvalue().encode(draw.choice(["utf-8", "utf-8", "utf-8-sig"])), separator


def nothing(draw, content):
    return content


def cut(draw, content):
    return content[: draw.randrange(len(content) + 1)]


def flipped(draw, content):
    changed = bytearray(content)
    for _ in range(draw.choice([1, 1, 3])):
        changed[draw.randrange(len(changed))] = draw.choice(b'\0\n\r",;#\xff\xc3 09ex')
    return bytes(changed)


def doubled(draw, content):
    lines = content.splitlines(keepends=True)
    at = draw.randrange(len(lines))
    return b"".join([*lines[:at], lines[at].rstrip(b"\r\n"), lines[at], *lines[at + 1 :]])


def empty_lines(draw, content):
    at = draw.randrange(len(content) + 1)
    return content[:at] + draw.choice([b"\n\n", b"\r\n\r\n", b" \n"]) + content[at:]


def encoded(draw, content):
    return content.decode("utf-8", "replace").encode(draw.choice(["latin-1", "utf-16", "utf-32", "cp1252"]), "replace")


def headed(draw, content):
    _, _, rest = content.partition(b"\n")
    names = draw.choice([b"c0" + b",c0" * 3, b"1,2,3", b",,", b"a", b'"a', b"c0,c1,", b"  ,x", b"\xef\xbb\xbf"])
    return names + b"\n" + rest


def without_rows(draw, content):
    return draw.choice([b"", b"\n", b"\n\n\n", b"a,b\n", b"a,b", b"\xef\xbb\xbf", b"\0", b'"', b"a,b\n\n\n"])


DAMAGES = (nothing, nothing, cut, flipped, flipped, doubled, empty_lines, encoded, headed, without_rows)


def number(cell):
    text = cell.strip()
    if "_" in text or re.match(r"[+-]?0\d", text):
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def is_whole(cell):
    return re.fullmatch(r"[+-]?\d+", cell.strip()) is not None and -(2**63) <= int(cell) < 2**63


def read_by_python(content, separator, strict):
    """The columns of a file by name, of numbers, bools or texts with None for a missing cell. None if it is no table."""
    try:
        text = content.decode("utf-8-sig")
        records = [one for one in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=strict) if one]
    except (UnicodeDecodeError, csv.Error):
        return None
    if len(records) < 2 or any(len(one) != len(records[0]) for one in records):
        return None
    names = [name.strip() for name in records[0]]
    if not all(names) or len(set(names)) < len(names) or all(number(name) is not None for name in names):
        return None
    columns = {}
    for at, name in enumerate(names):
        cells = [record[at].strip(" \t") for record in records[1:]]
        there = [cell for cell in cells if cell]
        if all(number(cell) is not None for cell in there):
            convert = int if there and len(there) == len(cells) and all(map(is_whole, there)) else number
        elif all(cell in ("true", "True", "TRUE", "false", "False", "FALSE") for cell in there):
            convert = lambda cell: cell.lower() == "true"  # noqa: E731
        else:
            convert = str
        columns[name] = [convert(cell) if cell else None for cell in cells]
    return columns


def values_of(table):
    """The columns of a table as the reader above has them."""
    result = {}
    for name, column in table.block(slice(0, table.rows)).items():
        words = table.words.get(name)
        if words is not None:
            result[name] = [None if code < 0 else words[code] for code in column.tolist()]
        else:
            result[name] = [None if value != value else value for value in column.tolist()]
    return result


def same(found, wanted):
    return found.keys() == wanted.keys() and all(
        len(found[name]) == len(wanted[name])
        and all(a == b and (a is None) == (b is None) for a, b in zip(found[name], wanted[name], strict=True))
        for name in wanted
    )


# --- other files --------------------------------------------------------------------------------


def npy(shape, descr="<f8", order=False, data=b"", magic=b"\x93NUMPY\x01\x00", header=None):
    text = header or f"{{'descr': {descr!r}, 'fortran_order': {order}, 'shape': {shape}, }}"
    text = text.encode().ljust(117) + b"\n"
    return magic + struct.pack("<H", len(text)) + text + data


def npz(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return file.getvalue()


def png(width, height, content=b"\0" * 100):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(content)) + chunk(b"IEND", b"")


NUMBERS = np.arange(12.0)
GOOD = npy((4, 3), data=NUMBERS.tobytes())
LYING = {
    "more rows": npy((5, 3), data=NUMBERS.tobytes()), "fewer rows": npy((3, 3), data=NUMBERS.tobytes()),
    "huge": npy((10**12, 3), data=NUMBERS.tobytes()), "negative": npy((-4, 3), data=NUMBERS.tobytes()),
    "objects": npy((4,), "|O", data=b"cos\nsystem\n(S'true'\ntR."), "columns": npy((4, 10**9)), "zero": npy((0, 3)),
    "no axes": npy((), data=b"\0" * 8), "structured": npy((2,), [("a", "<f8")], data=b"\0" * 16),
    "times": npy((2,), "<M8[D]", data=b"\0" * 16), "complex": npy((2,), "<c16", data=b"\0" * 32),
    "code": npy((4, 3), header="__import__('os').system('true')"), "empty": b"", "magic": b"\x93NUMPY\x09\x00",
    "wide": npy((1, 70_000), "<f4", data=b"\0" * 280_000), "nested": npy((1,) * 60, data=b"\0" * 8),
    "deep": npy((4, 3), header="(" * 60_000), "text": npy((2,), "<U3", data=b"\xff" * 24), "cut": GOOD[:-5],
    "header only": GOOD[:60], "no shape": npy((4, 3), header="{'descr': '<f8'}"), "fortran": npy((4, 3), order=True, data=NUMBERS.tobytes()),
}  # fmt: skip
BOMB = npy((2**31,), "|u1") + b"\0" * 1000


def parquet_bytes():
    file = io.BytesIO()
    table = pa.table(
        {"a": list(range(300)), "b": [at / 7 for at in range(300)], "c": [f"t{at % 9}" for at in range(300)]}
    )
    parquet.write_table(table, file, row_group_size=100)
    return file.getvalue()


def picture_bytes(form):
    file = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (20, 30, 3), np.uint8)).save(file, form)
    return file.getvalue()


@cache
def cases():
    """A name, the files, the source and its arguments for each."""
    found = []

    def add(name, files, source, **arguments):
        found.append((f"{len(found)} {name}", files, source, arguments))

    for seed in range(220):
        draw = random.Random(seed)
        damage = DAMAGES[seed % len(DAMAGES)]
        content, separator = drawn_csv(draw)
        content = damage(draw, content)
        add(damage.__name__, {"f.csv": content}, "csv", path="f.csv", separator=separator)
    for name, content in LYING.items():
        add(name, {"f.npy": content}, "npy", path="f.npy")
        add(name, {"f.npz": npz(features=content, target=npy((4,), data=b"\0" * 32))}, "npz", path="f.npz")
    archive = npz(features=GOOD, target=npy((4,), data=b"\0" * 32))
    for at in range(0, len(archive), len(archive) // 12):
        add("cut npz", {"f.npz": archive[:at]}, "npz", path="f.npz")
        add("changed npz", {"f.npz": archive[:at] + b"\xff\xff" + archive[at + 2 :]}, "npz", path="f.npz")
    add("bomb", {"f.npz": npz(features=BOMB)}, "npz", path="f.npz")
    add("no arrays", {"f.npz": npz()}, "npz", path="f.npz")
    add("leading out", {"f.npz": npz(**{"../x": GOOD})}, "npz", path="f.npz")
    content = parquet_bytes()
    for seed in range(40):
        draw = random.Random(seed)
        damaged = cut(draw, content) if seed % 4 == 0 else flipped(draw, content)
        if seed % 4 == 1:  # the footer, which says where everything is
            at = len(content) - draw.randrange(1, 400)
            damaged = content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
        add("parquet", {"f.parquet": damaged}, "parquet", path="f.parquet")
    for form in ("png", "jpeg", "gif", "bmp"):
        content = picture_bytes(form)
        for share in (0.0, 0.02, 0.3, 0.9):
            name = f"f.{form}" if form != "jpeg" else "f.jpg"
            add("picture", {name: content[: int(share * len(content))]}, "images", path=name)
    for name, content in (
        ("large", png(60_000, 60_000)),
        ("short", png(30, 20)),
        ("no size", png(0, 0)),
        ("no picture", b"GIF89a?"),
    ):
        add(name, {"f.png": content}, "images", path="f.png")
    for name, content in (
        ("latin", b"caf\xe9\n"),
        ("nothing", b""),
        ("nul", b"a\0b\n"),
        ("long", b"x" * 200_000),
        ("cut", b"a\xe6\x97"),
    ):
        add(f"text {name}", {"f.txt": content}, "text", path="f.txt")
    for path in ("../*.csv", "/etc/*", "~/*.csv", "sub/../../*.csv", "link/*.csv", "*.nothing", "sub/*", "[", "*/../*.csv",
                 "a\0*.csv", "**", "out.csv", "*.csv", "missing.csv", "sub", ""):  # fmt: skip
        add(f"pattern {path!r}", {"a.csv": b"a,b\n1,2\n", "b.csv": b"a,c\n1,2\n"}, "csv", path=path)
    return found


def test_there_are_more_than_300():
    names = [name for name, *_ in cases()]
    assert len(names) > 300 and len(set(names)) == len(names)


def tried(folder, files, source, arguments):
    """The table of a case, or its error."""
    inside = folder / "inside"
    inside.mkdir(exist_ok=True)
    for one in inside.iterdir():
        if one.is_file() or one.is_symlink():
            one.unlink()
    (inside / "sub").mkdir(exist_ok=True)
    (inside / "link").symlink_to(folder)
    (inside / "out.csv").symlink_to(folder / "outside.csv")
    for name, content in files.items():
        (inside / name).write_bytes(content)
    step = SimpleNamespace(name=source, arguments=arguments)
    spec = SimpleNamespace(name="d", source=step, transforms=(), folder=str(inside))
    try:
        pipeline = pipeline_of(spec, access=Access(str(inside / "p.tfg")))
        loaded(pipeline)
        table = pipeline.table()
        return table, values_of(table) if source != "images" else None
    except DataError as error:
        return error, None


def check_case(folder, case):
    name, files, source, arguments = case
    found, values = tried(folder, files, source, arguments)
    content = next(iter(files.values()))
    if isinstance(found, DataError):
        said = f"{found} {found.details} {found.place}"
        assert re.search(r"f\.\w+|\.csv|path|array|features|/|\*|data", said), (name, said)
        assert "Error" not in found.headline or "error" in found.headline.lower(), (name, said)
    if source == "csv" and len(files) == 1:
        strict, loose = (read_by_python(content, arguments["separator"], one) for one in (True, False))
        if isinstance(found, DataError):
            assert found.place is not None and str(found.place.path).endswith("f.csv"), (name, str(found))
            # A NUL in the first line, and a number that float32 cannot hold.
            assert strict is None or found.message.code in ("TFG606", "TFG622"), (name, str(found), content[:300])
        else:
            assert loose is not None and same(values, loose), (name, values, loose, content[:300])
    elif source == "parquet" and not isinstance(found, DataError):
        whole = parquet.read_table(io.BytesIO(content)).to_pydict()
        assert same(values, whole), name
    elif source == "npy" and not isinstance(found, DataError):
        whole = np.load(io.BytesIO(content))
        columns = [np.reshape(column, (len(whole), -1)) for column in values.values()]
        assert np.array_equal(np.hstack(columns), whole.reshape(len(whole), -1)), name
    elif source == "npz" and not isinstance(found, DataError):
        wholes = [whole for key, whole in np.load(io.BytesIO(content)).items() if key != "target"]
        columns = [np.reshape(column, (len(column), -1)) for key, column in values.items() if key != "target"]
        assert np.array_equal(np.hstack(columns), np.hstack([one.reshape(len(one), -1) for one in wholes])), name


@pytest.mark.parametrize("part", some(range(EVERY), [0]))
def test_each_is_an_error_with_its_place_or_right(tmp_path, part):
    (tmp_path / "outside.csv").write_text("a,b\n1,2\n")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in cases()[part::EVERY]:
        check_case(tmp_path, case)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 1 << 20, "kilobytes"
