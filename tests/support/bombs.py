"""Small programs that demand much: each must be an error, quickly and with little memory.

A `Bomb` has the files of a folder, made on demand, the command that runs on `bomb.tfg` there, and the possible codes of
its error.
"""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Files = Mapping[str, str | bytes]


@dataclass(frozen=True)
class Bomb:
    code: str
    files: Callable[[], Files]
    command: tuple[str, ...] = ("check", "bomb.tfg")


# Each takes a good part of a second, and exceeds a limit in the same way as another one.
LONG = {
    "loops in loops", "many nodes", "comprehensions in one another", "calls that double in a list",
    "a formula that doubles", "a list in a loop", "a heavy body", "many errors", "factorial by a loop",
    "functions that call functions", "a comprehension with many clauses", "calls that double", "branches of branches",
}  # fmt: skip


def text(code: str, make: str | Callable[[], str], *command: str) -> Bomb:
    """A bomb that is one program."""
    files = (lambda: {"bomb.tfg": make}) if isinstance(make, str) else lambda: {"bomb.tfg": make()}
    return Bomb(code, files, command or ("check", "bomb.tfg"))


_X = "placeholder x: float32\n"


def _chain(first: str, step: str, count: int, last: str = "") -> str:
    """`a0`, `a1` computed from `a0`, and so on."""
    return f"a0 = {first}\n" + "".join(f"a{i + 1} = {step.format(f'a{i}')}\n" for i in range(count)) + last


def _defs(count: int, body: str) -> str:
    functions = "".join(f"def f{i}(a):\n    return {body.format(f'f{i - 1}')}\n" for i in range(1, count))
    return f"{_X}def f0(a):\n    return a + 1.0\n{functions}b = f{count - 1}(x)\n"


def _imports(count: int) -> Files:
    files = {f"m{i}.tfg": f'import "m{i + 1}.tfg" as a\n' for i in range(count)}
    return {"bomb.tfg": 'import "m0.tfg" as a\n', f"m{count}.tfg": "x = 1\n", **files}


def _npz(shape: str, data: int, real: int | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An .npz whose array claims a shape. It has `data` bytes of zeros, and `real` bytes according to the directory."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method, compresslevel=1) as archive, archive.open("features.npy", "w") as member:
        member.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode())
        while data > 0:
            member.write(bytes(min(data, 1 << 20)))
            data -= 1 << 20
    made = file.getvalue()
    if real is None:
        return made
    at = made.rindex(b"PK\x01\x02")  # the entry in the directory
    return made[: at + 24] + struct.pack("<I", real) + made[at + 28 :]


def _many_members() -> bytes:
    """An .npz whose directory has 300,000 equal entries."""
    name = b"a.npy"
    entry = b"PK\x01\x02" + struct.pack(
        "<4H4L5H2L", 20, 20, 0, 0, 0, zlib.crc32(b""), 0, 0, len(name), 0, 0, 0, 0, 0, 0
    )
    directory = (entry + name) * 300_000
    return directory + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, 65535, 65535, len(directory), 0, 0)


def _data(source: str, name: str, content: Callable[[], str | bytes]) -> Callable[[], Files]:
    return lambda: {"bomb.tfg": f'data d = {source}("{name}")\n', name: content()}


def _config(content: str) -> Callable[[], Files]:
    return lambda: {"bomb.tfg": "param a = 1\n", "c.yaml": content}


_CONFIG = ("check", "bomb.tfg", "--config", "c.yaml")
_ALIASES = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join(['*' + a] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)
_SYMBOLIC = 'd = gradients({}, [v], method="symbolic")\n'

BOMBS: dict[str, Bomb] = {
    # loops and calls that are unrolled while compiling
    "a long loop": text("TFG811", "for i in range(10**9):\n    a = constant(i)\n"),
    "loops in loops": text("TFG812", "".join(f"{'    ' * n}for i{n} in range(100):\n" for n in range(6))
                           + "    " * 6 + "_a = constant(1.0)\n"),
    "a heavy body": text("TFG812", "for i in range(90000):\n    _a = " + " + ".join(["i"] * 2000) + "\n"),
    "many nodes": text("TFG812", f"{_X}for i in range(90000):\n    _a = " + " + ".join(["x"] * 2000) + "\n"),
    "a comprehension": text("TFG802", "a = [i for i in range(900000)]\n"),
    "comprehensions in one another": text(
        "TFG812", "a = [[[[i + j + k + l for i in range(99)] for j in range(99)] for k in range(99)] for l in range(99)]\n"),
    "a comprehension with many clauses": text(
        "TFG802 TFG812", "a = [1 for i in range(3000) for j in range(3000) if i < 0]\n"),
    "calls that double": text("TFG812 TFG802", lambda: _defs(40, "{0}({0}(a))")),
    "calls that double in a list": text("TFG812 TFG802", lambda: _defs(40, "add_n([{0}(a), {0}(a)])")),
    "calls that double in a session": text(
        "TFG116 TFG812", f"def d(a):\n    return a + a\nvariable v = 1.0\nsession:\n    train 1 steps:\n        run v\n"
        f"        print {'d(' * 40}epoch{')' * 40}\n"),
    "a function that calls itself": text("TFG421", f"{_X}def f(a):\n    return f(f(a))\nb = f(x)\n"),
    # nesting
    "brackets": text("TFG116", "a = " + "(" * 100_000 + "1" + ")" * 100_000 + "\n"),
    "open brackets": text("TFG116", "a = " + "([" * 50_000),
    "lists in lists": text("TFG116", "a = " + "[" * 2000 + "]" * 2000 + "\n"),
    "signs": text("TFG116", f"{_X}a = " + "-" * 12_000 + "x\n"),
    "powers of powers": text("TFG116", f"{_X}a = " + "x**" * 12_000 + "x\n"),
    "branches of branches": text("TFG116", "a = " + "1 if false else " * 10_500 + "1\n"),
    "indices": text("TFG116", f"{_X}a = x" + "[0]" * 10_500 + "\n"),
    "functions that call functions": text("TFG116", lambda: _defs(3000, "{0}(a)")),
    "blocks": text("TFG119", "".join(" " * i + "if true:\n" for i in range(1200))),
    "blocks on one line": text("TFG101", "if true: " * 20_000 + "a = 1\n"),
    "loops of the graph": text(
        "TFG119", "i = constant(0)\n" + "".join(" " * n + "while i < 9:\n" for n in range(60)) + " " * 60 + "i = i + 1\n"),
    "branches of the graph by calls": text("TFG119", f"{_X}def f0(a):\n    return a\n" + "".join(
        f"def f{i}(a):\n    if a > 0.0:\n        b = f{i - 1}(a)\n    else:\n        b = a\n    return b\n"
        for i in range(1, 100)) + "y = f99(x)\n"),
    "conditions of a session": text(
        "TFG116", "a = constant(1)\nsession:\n    expect " + " and ".join(["a > 0"] * 5000) + "\n"),
    "feeds of many tensors": text("TFG812", lambda: _X + _chain("x", "tanh({0})", 1500) + "session:\n" + "".join(
        f"    print a1500 with a{i} = 1.0\n" for i in range(500))),
    # imports
    "a chain of imports": Bomb("TFG314", lambda: _imports(40)),
    "a circle of imports": Bomb("TFG311", lambda: {"bomb.tfg": 'import "b.tfg" as b\n', "b.tfg": 'import "bomb.tfg" as c\n'}),
    "an import of a large file": Bomb("TFG841", lambda: {"bomb.tfg": 'import "b.tfg" as b\n', "b.tfg": "#" * 2_000_000}),
    "a large file": text("TFG841", lambda: "a = 1\n" * 1_000_000),
    # values
    "a long number": text("TFG115", "a = " + "9" * 5000 + "\n"),
    "a number beyond floats": text("TFG414", "a = int(1e400)\n"),
    "a tower of powers": text("TFG811", "a = 9**9**9**9\n"),
    "pow": text("TFG811", "a = pow(3, 10**9)\n"),
    "factorial by a loop": text("TFG811 TFG812", "p = 1\nfor i in range(1, 90000):\n    p = p * i\n"),
    "a string repeated": text("TFG811", 'a = "ab" * 10**10\n'),
    "a string doubled": text("TFG811", lambda: _chain('"ab" * 400000', "{0} + {0}", 20)),
    "a string with a width": text("TFG412", 'a = "%1000000000d" % 5\n'),
    "a list repeated": text("TFG811", "a = [0] * 10**9\n"),
    "a list of itself": text("TFG811 TFG812", lambda: _chain("[0]", "[{0}, {0}]", 60)),
    "a list of a long list": text("TFG811", "a = [0] * 1000\nb = [a] * 1000\nc = [b] * 1000\n"),
    "a range": text("TFG811", "a = list(range(10**12))\n"),
    "a range of huge numbers": text("TFG811", "a = list(range(10**4000, 10**4000 + 900000))\n"),
    "a zip of many": text("TFG811", "a = range(100000)\nb = zip(" + ", ".join(["a"] * 1000) + ")\n"),
    "sums of lists": text("TFG811 TFG812", "a = [[0] * 900] * 1000\nb = sum(a + a, [])\n"),
    "a huge shape": text("TFG843", "a = zeros([10**9, 10**9])\n"),
    "a huge variable": text("TFG843", "variable v: float32[100000, 100000, 1000] = zeros\n"),
    "a huge product": text("TFG843", "a = zeros([1000000, 1])\nb = a + zeros([1, 10000000])\n"),
    "a list in a loop": text("TFG812", "a = [0] * 100000\nfor i in range(90000):\n    _b = constant(a)\n"),
    "a template": text("TFG519 TFG518", "a = constant(1)\nsession:\n    print \"" + "{" * 400_001 + "\", a\n"),
    # formulas
    "a formula that doubles": text("TFG812", lambda: "variable v = 1.5\n" + _chain("3.0 * v", "sin({0} * cos({0}))", 1200, _SYMBOLIC.format("a1200"))),
    "a number in a formula": text("TFG462", lambda: "variable v = [1.5]\n" + _chain("3.0 * v", "square({0})", 60, _SYMBOLIC.format("a60"))),
    # long texts with many errors
    "a long line": text("TFG101", "a = (" + "1 + " * 20_000 + ")\n"),
    "a long name": text("TFG301", "a = " + "b" * 900_000 + "\n"),
    "quotes after an open bracket": text("TFG101 TFG108", "a = (1 2\nb = \"" + '\\"' * 400_000 + "\n"),
    "a name that is none, in a loop": text("TFG301", "variable x = 1.0\nfor i in range(100):\n    _y = x" + " ** a" * 40 + "\n"),
    "many errors on one line": text("TFG842", "a = [" + ", ".join(f"b{i}" for i in range(3_000)) + "]\n"),
    "many errors": text("TFG842", "".join(f"a{i} = zz{i}\n" for i in range(3_000))),
    "many meanings": text("TFG303", lambda: "".join(f"scope s{i}:\n    a = 1\n" for i in range(700)) + "b = a\n" * 20),
    # config files
    "aliases of aliases": Bomb("TFG807", _config(_ALIASES), _CONFIG),
    "a config in brackets": Bomb("TFG807", _config("params: " + "[" * 90_000), _CONFIG),
    "a config of items": Bomb("TFG807", _config("- " * 45_000), _CONFIG),
    "a config that is large": Bomb("TFG807", _config("a: 1\n" * 500_000), _CONFIG),
    "an object in a config": Bomb("TFG807", _config('params: !!python/object/apply:os.system ["true"]\n'), _CONFIG),
    # data
    "a zip that expands": Bomb("TFG616", _data("npz", "d.npz", lambda: _npz("(8000000, 10)", 8000000 * 80))),
    "a header that lies": Bomb("TFG618", _data("npz", "d.npz", lambda: _npz("(13421772, 10)", 80))),
    "a directory that lies": Bomb("TFG616 TFG618", _data("npz", "d.npz", lambda: _npz("(1000000, 100)", 80, 800000128))),
    "a header of brackets": Bomb("TFG618", _data("npz", "d.npz", lambda: _npz("(" * 9000, 80))),
    "a zip of another kind": Bomb("TFG616", _data("npz", "d.npz", lambda: _npz("(10, 1)", 80, method=zipfile.ZIP_LZMA))),
    "a zip with many members": Bomb("TFG616", _data("npz", "d.npz", _many_members)),
    "a huge cell": Bomb("TFG606", _data("csv", "d.csv", lambda: "a,b\n1," + "1" * 5_000_000 + "\n")),
    "a quoted cell without an end": Bomb("TFG606", _data("csv", "d.csv", lambda: 'a,b\n1,"' + "1\n" * 5_000_000)),
    "many columns": Bomb("TFG621", _data("csv", "d.csv", lambda: ",".join(f"c{i}" for i in range(300_000)) + "\n1\n")),
    "a footer that lies": Bomb("TFG626", _data("parquet", "d.parquet", lambda: b"PAR1" + b"\xf9" * 5000 + struct.pack("<I", 5000) + b"PAR1")),
    "a footer of structs": Bomb("TFG626", _data("parquet", "d.parquet", lambda: b"PAR1" + b"\x1c" * 90_000 + struct.pack("<I", 90_000) + b"PAR1")),
}  # fmt: skip
