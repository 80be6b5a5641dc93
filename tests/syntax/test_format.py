"""`tfdsl fmt`: one canonical form that keeps meaning and comments, and a command that loses nothing."""

import io
import os
import random
import re
import stat
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest
from conftest import some
from programs import GOLDEN, MODELS, UNHURRIED, programs

from tfdsl.cli import main
from tfdsl.diagnostics import TfgError
from tfdsl.source import Source
from tfdsl.syntax.format import WIDTH, format_text
from tfdsl.syntax.outline import outline
from tfdsl.syntax.parse import parse

ROOT = Path(__file__).resolve().parents[2]
CASES = sorted((ROOT / "tests" / "cases").glob("*/*.tfg"))


def formatted(text):
    return format_text(Source("p.tfg", text))


def shape(text):
    """The tree without spans."""
    return re.sub(r" @\d+:\d+$", "", outline(parse(Source("p.tfg", text))), flags=re.MULTILINE)


def parses(text):
    try:
        parse(Source("p.tfg", text))
    except TfgError:
        return False
    return True


def comments(text):
    strings_out = re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)
    return [line.rstrip() for line in re.findall(r"#.*", strings_out)]


def check(text, name=""):
    after = formatted(text)
    assert shape(after) == shape(text), name
    assert comments(after) == comments(text), name
    assert formatted(after) == after, name
    return after


PAIRS = {
    "rest": ("def f( x,** rest ):\n    return g( ** rest ,y=2 ** 3)\n", "def f(x, **rest):\n    return g(**rest, y=2**3)\n"),
    "operators": ("f=x*x*y+y  -2\ng = - x**2 +(a@b)[ 0 ]", "f = x * x * y + y - 2\ng = -x**2 + (a @ b)[0]\n"),
    "calls": ("y = f ( x ,k= 2 )\nz = (f (x))", "y = f(x, k=2)\nz = (f(x))\n"),
    "slices": ("y = x [0 , 1 : 2,:, : : 2, ..., none]", "y = x[0, 1:2, :, ::2, ..., none]\n"),
    "bytes": ('a=b"\\x00 # \\""+b"b"  # b"', 'a = b"\\x00 # \\"" + b"b"  # b"\n'),
    "types": ("placeholder X : float32 [ ? ,n]\nvariable w:int32=3 , trainable = false",
              "placeholder X: float32[?, n]\nvariable w: int32 = 3, trainable=false\n"),
    "params": ("param a=1\nparam longer : float32 = 2\n\nparam b = 3",
               "param a               = 1\nparam longer: float32 = 2\n\nparam b = 3\n"),
    "comments": ("a = 1 # one\nlonger = 2# two\n\nb = 3   # three", "a = 1       # one\nlonger = 2  # two\n\nb = 3  # three\n"),
    "blocks": ("scope a :\n  x = 1\n\n\n  # in\n  if true : y = 2\n  else:\n     y = 3\n# out\n\n\n\nz = 1",
               "scope a:\n    x = 1\n\n    # in\n    if true: y = 2\n    else:\n        y = 3\n# out\n\n\nz = 1\n"),
    "soft": ("loss = - 1\nloss -loss\nprint = 3\nsession:\n  print - print", None),
    "session": ("session :\n  train 3 epochs on d in batches of 5 shuffled seed 7 as b :\n    feed X=b.features,y = b.target\n"
                "    every 10 batches:log\n  expect a==- 1 within .5 with X=[[1]]\n  save w as\"v\"to \"p\"",
                "session:\n    train 3 epochs on d in batches of 5 shuffled seed 7 as b:\n        feed X = b.features, y = b.target\n"
                "        every 10 batches: log\n    expect a == -1 within .5 with X = [[1]]\n    save w as \"v\" to \"p\"\n"),
    "modules": ("import   nn\nfrom \"a.tfg\"import b ,c\ndevice   \"/cpu:0\" :\n  y = raw . Roll (input = x, shift=1,axis=0)", None),
    "crlf": ("a = 1\r\nb = 2  \r\n", "a = 1\nb = 2\n"),
    "brackets": ("a = [\n  1, # one\n  [2,\n     3]\n  ]\n", "a = [\n    1,  # one\n    [2,\n        3]\n]\n"),
    "empty": ("\n\n# only this", "# only this\n"),
    "line ends": ("a = (1 +\r\n  2)  # b\r\n\r", "a = (1 + 2)  # b\n"),
    "slice on a line of its own": ("y = x[a,\n :,\n b]\nz = (30\n.shape)", "y = x[a, :, b]\nz = (30 .shape)\n"),
    "dot behind a number": ("a = 30 . shape\nb = x . y", "a = 30 .shape\nb = x.y\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_examples(name):
    before, after = PAIRS[name]
    text = before.replace("\r\n", "\n")
    result = check(text)
    assert after is None or result == after


def test_long_lines_are_opened_at_their_largest_brackets():
    names = ", ".join(f"argument_{i}=value_{i}" for i in range(12))
    numbers = ", ".join(str(1000 + i) for i in range(60))
    after = check(f"y = function({names})\nz = constant([{numbers}])\n")
    lines = after.split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert lines[0] == "y = function(" and lines[1] == "    argument_0=value_0," and lines[13] == ")"
    assert after.count("\n") < 40


def test_long_data_gets_a_line_for_each_transform():
    source = 'data houses = csv("houses.csv", target="price")'
    steps = ['drop("name")', "split(test=0.2)", 'fill("age", with="median")', "standardize", "one_hot"]
    short = f"{source} | {steps[0]}\n"
    assert check(short) == short
    assert check(" | ".join([source, *steps]) + "\n") == "\n    | ".join([source, *steps]) + "\n"


@pytest.mark.parametrize("path", [*MODELS, *GOLDEN, ROOT / "tfdsl" / "nn" / "nn.tfg"], ids=lambda path: path.stem)
def test_the_programs_of_the_project_are_formatted(path):
    text = path.read_text(encoding="utf-8")
    assert check(text) == text


def test_programs_with_errors_are_formatted_if_they_parse(request):
    for path in CASES if request.config.getoption("--long") else CASES[::6]:
        text = path.read_text(encoding="utf-8")
        if parses(text):
            check(text, f"{path.parent.name}/{path.stem}")


@hypothesis.settings(UNHURRIED, max_examples=25)
@hypothesis.given(programs)
def test_meaning_and_comments_stay(text):
    hypothesis.assume(parses(text))
    check(text)


def respaced(text, seed):
    """The text with other spaces, other indentation, and line breaks inside brackets."""
    chance, result, depth = random.Random(seed), [], 0
    width = chance.choice([1, 2, 3, 8])
    for line in text.split("\n"):
        stripped = line.lstrip(" ")
        level = (len(line) - len(stripped)) // 4
        result.append(" " * (width * level))
        for token in re.findall(r'"(?:[^"\\\n]|\\.)*"|#.*|\w+|[ ]+|\*\*|//|[<>=!]=|\.\.\.|.', stripped):
            if token.isspace():
                token = " " * chance.randint(1, 3)
            result.append(token)
            depth += (token in ("(", "[")) - (token in (")", "]"))
            if depth and token in ("(", "[", ",") and chance.random() < 0.3:
                result.append("\n" + " " * chance.randint(0, 9))
        result.append("\n")
    return "".join(result)


def without_comments(text):
    return re.sub(r'("(?:[^"\\\n]|\\.)*")|[ ]*#.*', lambda match: match[1] or "", text)


@pytest.mark.parametrize("path", [*MODELS, *GOLDEN], ids=lambda path: path.stem)
@pytest.mark.parametrize("seed", some(range(3), [0]))
def test_spacing_does_not_matter(path, seed):
    text = path.read_text(encoding="utf-8")
    code = without_comments(text)  # whose place depends on the lines
    code = re.sub(r"\n{3,}", "\n\n", code).strip("\n") + "\n"
    assert formatted(respaced(code, seed)) == formatted(code)


@hypothesis.settings(UNHURRIED, max_examples=20)
@hypothesis.given(programs, st.integers(0, 1000))
def test_spacing_does_not_matter_in_generated_programs(text, seed):
    hypothesis.assume(parses(text))
    code = formatted(without_comments(text))
    other = respaced(code, seed)
    # A soft keyword may depend on the space after it.
    hypothesis.assume(parses(other) and shape(other) == shape(code))
    assert formatted(other) == formatted(code)


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ugly.tfg").write_text("a=1\n")
    (tmp_path / "nice.tfg").write_text("a = 1\n")
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "ugly.tfg").write_text("b=2\n")
    return tmp_path


def test_writes_and_reports_changed_files(folder, capsys):
    os.chmod("ugly.tfg", 0o640)
    before = os.stat("nice.tfg")
    assert main(["fmt", "."]) == 0
    out, err = capsys.readouterr()
    assert (out, err) == ("", "2 files reformatted, 1 file left unchanged\n")
    assert Path("ugly.tfg").read_text() == "a = 1\n" and Path("inner/ugly.tfg").read_text() == "b = 2\n"
    assert stat.S_IMODE(os.stat("ugly.tfg").st_mode) == 0o640
    assert (os.stat("nice.tfg").st_ino, os.stat("nice.tfg").st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert sorted(os.listdir(".")) == ["inner", "nice.tfg", "ugly.tfg"]
    assert main(["fmt", "."]) == 0
    assert capsys.readouterr().err == "3 files left unchanged\n"


def test_check_names_files_and_writes_nothing(folder, capsys):
    assert main(["fmt", "--check", "."]) == 1
    out, err = capsys.readouterr()
    assert out.split() == ["inner/ugly.tfg", "ugly.tfg"]
    assert err == "2 files would be reformatted, 1 file would be left unchanged\n"
    assert Path("ugly.tfg").read_text() == "a=1\n"
    assert main(["fmt", "--check", "nice.tfg"]) == 0


def test_diff_shows_the_change(folder, capsys):
    assert main(["fmt", "--diff", "ugly.tfg", "nice.tfg"]) == 1
    out = capsys.readouterr().out
    assert "-a=1\n+a = 1\n" in out and "\033" not in out
    assert Path("ugly.tfg").read_text() == "a=1\n"


def test_standard_input_to_standard_output(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a=1\r\n")))
    assert main(["fmt", "-"]) == 0
    assert capsys.readouterr() == ("a = 1\n", "")


def test_a_file_that_does_not_parse_is_unchanged(folder, capsys):
    (folder / "wrong.tfg").write_text("a = (1\n")
    assert main(["fmt", "wrong.tfg", "ugly.tfg"]) == 1
    err = capsys.readouterr().err
    assert "TFG108" in err and "1 file reformatted, 1 file with errors" in err
    assert Path("wrong.tfg").read_text() == "a = (1\n" and Path("ugly.tfg").read_text() == "a = 1\n"


def test_missing_files_and_empty_folders_are_errors(folder, capsys):
    (folder / "empty").mkdir()
    assert main(["fmt", "none.tfg"]) == 1
    assert main(["fmt", "empty"]) == 1
    err = capsys.readouterr().err
    assert "none.tfg" in err and "no .tfg file" in err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_an_error(folder, capsys):
    os.chmod("inner", 0o500)
    try:
        assert main(["fmt", "inner/ugly.tfg"]) == 1
        assert "TFG707" in capsys.readouterr().err
        assert Path("inner/ugly.tfg").read_text() == "b=2\n"
    finally:
        os.chmod("inner", 0o700)
