"""The command line as users see it: exit codes, output streams, every option, and never a traceback."""

import gc
import json
import os
import pty
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from conftest import some

from tfdsl.cli import COMMANDS, main
from tfdsl.program.serialize import from_yaml
from tfdsl.syntax.tables import tables

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """\
param rate = 0.5
param n = 3
param flag = true
param name = "x"
data d = moons(10, seed=1)
placeholder X: float32[?, 2]
y = reduce_sum(X) * rate
session main:
    print n, flag, name
    print y with X = d.features
session two:
    print "two"
    expect n == 3
"""
WRONG = "a = foo\nb = constant(1) @ bar\n"
FOUND = re.compile(r"error\[(TFG\d+)\]")


@pytest.fixture(autouse=True)
def collecting():
    """The command line disables garbage collection for its process; enable it again for the tests."""
    yield
    gc.enable()


@pytest.fixture
def files(here):
    """A folder with programs, as the working folder."""
    Path("good.tfg").write_text(PROGRAM, encoding="utf-8")
    Path("wrong.tfg").write_text(WRONG, encoding="utf-8")
    Path("latin.tfg").write_bytes(b'a = "\xff"\n')
    Path("folder.tfg").mkdir()
    return here


@pytest.fixture
def tfdsl(files, capsys):
    """Runs a command in this process. Returns its exit code, standard output and standard error."""

    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = main(list(words))
        except SystemExit as error:
            code = error.code
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        assert "TFG899" not in out + err
        return code, out, err

    return run


def process(*words: str, code: str = "", **options) -> subprocess.CompletedProcess:
    """Runs `python -m tfdsl`, or some code, in a separate process."""
    command = [sys.executable, "-c", code] if code else [sys.executable, "-m", "tfdsl", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    return subprocess.run(command, env=environment, capture_output=True, text=True, **options)


# --- all commands ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(tfdsl, command):
    code, out, err = tfdsl(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: tfdsl {command}")
    options = re.findall(r"^  (-.*)$", out, re.M)
    assert options and all("  " in option or len(option) > 20 for option in options), "each option is explained"


@pytest.mark.parametrize(("name", "words"), [("y.sgv", "did you mean 'y.svg'?"), ("y.xyz", "or give --format")])
def test_a_picture_needs_a_known_suffix(tfdsl, name, words):
    code, out, err = tfdsl("graph", "good.tfg", "-o", name)
    assert (code, out) == (2, "") and f"'{name}' does not end in .dot, .html, .pbtxt or .svg; {words}" in err


def test_help_lists_the_commands(tfdsl):
    code, out, _ = tfdsl("--help")
    assert code == 0
    out = " ".join(out.split())  # long lines are wrapped
    assert all(f"{name} " in out and text in out for name, text in COMMANDS.items())
    assert tfdsl("--version")[1].startswith("tfdsl ")


@pytest.mark.parametrize(
    "words",
    [(), ("nothing",), ("check",), ("run",), ("run", "a", "b"), ("dump", "good.tfg"), ("eval", "good.tfg"),
     ("check", "--no-such-option", "good.tfg"), ("check", "--se", "n=1", "good.tfg"), ("check", "--format", "xml", "x"),
     ("dump", "--stage", "all", "good.tfg"), ("check", "good.tfg", "--set", "n"), ("check", "good.tfg", "--set", "=1"),
     ("check", "good.tfg", "--data", "d"), ("eval", "good.tfg", "y", "--feed", "X"), ("ops", "matmull"),
     ("check", "good.tfg", "--max-unroll", "0"), ("check", "good.tfg", "--max-unroll", "many"),
     ("dump", "good.tfg", "--stage", "graph", "--graph", "other")],
    ids=" ".join,
)  # fmt: skip
def test_wrong_use_exits_2(tfdsl, words):
    code, out, err = tfdsl(*words)
    assert (code, out) == (2, "")
    assert "tfdsl" in err


@pytest.mark.parametrize(
    "words", [("check",), ("run",), ("dump", "--stage", "tree"), ("eval",)], ids=lambda words: words[0]
)
@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("none.tfg", "TFG808"),
        ("folder.tfg", "TFG808"),
        ("latin.tfg", "TFG118"),
        ("\0.tfg", "TFG808"),
        ("/dev/zero", "TFG841"),
    ],
)
def test_unreadable_files(tfdsl, words, file, code):
    status, out, err = tfdsl(*words, file, *(["1"] if words == ("eval",) else []))
    assert status == 1
    assert FOUND.findall(out + err) == [code]


@pytest.mark.parametrize(
    ("path", "help"),
    [
        ("godo.tfg", "did you mean 'good.tfg'?"), ("./godo.tfg", "did you mean './good.tfg'?"),
        ("good.tgf", "did you mean 'good.tfg'?"), ("other.tfg", ""), ("godo/godo.tfg", ""), ("x.tfg", ""),
    ],
)  # fmt: skip
def test_a_misspelt_path(tfdsl, path, help):
    for words in (("check", path), ("eval", path, "1"), ("lift", path), ("check", "good.tfg", "--config", path)):
        said = "".join(tfdsl(*words)[1:])
        assert "TFG808" in said and (f"= help: {help}\n" in said if help else "= help" not in said), words


@pytest.mark.parametrize(
    ("path", "meant"),
    [("pets", "pets.tfg"), ("PETS", "pets.tfg"), ("pets.py", "pets.tfg"), ("pts", "pets.tfg"), ("birds", "birds.tfg")],
)
def test_a_program_without_its_suffix(tfdsl, path, meant):
    for name in ("pets.tfg", "pets.csv", "birds.tfg"):
        Path(name).write_text(Path("good.tfg").read_text())
    Path("birds").mkdir()
    for words in (("check", path), ("run", path), ("summary", path), ("fmt", path)):
        status, out, err = tfdsl(*words)
        assert status == 1 and f"= help: did you mean '{meant}'?\n" in out + err, words
    assert tfdsl("data", "pets")[2].endswith("did you mean 'pets.csv'?\n")
    Path("p.tfg").write_text('import "pets" as pets\n')
    assert "did you mean 'pets.tfg'?" in tfdsl("check", "p.tfg")[1]


def test_a_misspelt_path_of_data(tfdsl):
    Path("folder.tfg/people.csv").write_text("a,b\n1,2\n")
    Path("p.tfg").write_text('data d = csv("folder.tfg/peple.csv")\n')
    out = tfdsl("check", "p.tfg")[1]
    assert '= help: did you mean "folder.tfg/people.csv"? paths are relative to the folder' in out


def test_modes_that_forbid_reading(tfdsl):
    path = Path("secret.tfg")
    path.touch()
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    assert FOUND.findall(tfdsl("check", "secret.tfg")[1]) == ["TFG808"]


# --- check ----------------------------------------------------------------------------------------


def test_check_of_a_valid_program(tfdsl):
    assert tfdsl("check", "good.tfg") == (0, "", "1 file: 0 errors, 0 warnings\n")
    assert tfdsl("check", "-q", "good.tfg") == (0, "", "")


def test_check_reports_all_errors_of_every_file(tfdsl):
    code, out, err = tfdsl("check", "good.tfg", "wrong.tfg", "none.tfg", "latin.tfg")
    assert code == 1
    assert FOUND.findall(out) == ["TFG301", "TFG301", "TFG808", "TFG118"]
    assert err == "4 files: 4 errors, 0 warnings\n"


def test_check_formats(tfdsl):
    code, out, _ = tfdsl("check", "--format", "concise", "wrong.tfg")
    assert code == 1
    assert out.splitlines()[0] == "wrong.tfg:1:5: error[TFG301]: there is no name 'foo'"
    code, out, err = tfdsl("check", "--format", "json", "wrong.tfg")
    first, second = json.loads(out)["diagnostics"]
    assert (code, err) == (1, "")
    assert first["place"] == {"path": "wrong.tfg", "line": 1, "column": 5, "end_line": 1, "end_column": 8}
    assert second["severity"] == "error"
    assert json.loads(tfdsl("check", "--format", "json", "good.tfg")[1]) == {"diagnostics": []}


def test_warnings_are_not_failures(tfdsl):
    Path("warned.tfg").write_text("a = constant(1)\nb = constant(2)\n", encoding="utf-8")
    code, out, err = tfdsl("check", "warned.tfg")
    assert (code, err) == (0, "1 file: 0 errors, 1 warning\n")
    assert "warning[TFG901]" in out


@pytest.mark.long
def test_max_unroll_lowers_and_raises_the_limit(tfdsl):
    Path("loop.tfg").write_text("xs = [i for i in range(101000)]\n", encoding="utf-8")
    assert "TFG802" in tfdsl("check", "loop.tfg")[1]
    assert tfdsl("check", "loop.tfg", "--max-unroll", "200000")[0] == 0
    assert "TFG802" in tfdsl("check", "loop.tfg", "--max-unroll", "10")[1]


def test_colours_only_on_a_terminal_and_without_no_color(tfdsl, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert "\x1b[" not in tfdsl("check", "wrong.tfg")[1]
    monkeypatch.setattr(type(sys.stdout), "isatty", lambda self: True)
    assert "\x1b[1;31merror" in tfdsl("check", "wrong.tfg")[1]
    assert "\x1b[" not in tfdsl("check", "--format", "concise", "wrong.tfg")[1]
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in tfdsl("check", "wrong.tfg")[1]


# --- params, data, config -------------------------------------------------------------------------


def printed(tfdsl, *words: str) -> str:
    code, out, err = tfdsl("run", "good.tfg", "--session", "main", *words)
    assert code == 0, err
    return out.splitlines()[0]


def test_set_by_the_type_of_the_param(tfdsl):
    assert printed(tfdsl) == "3 True x"
    assert printed(tfdsl, "--set", "n=-7", "--set", "flag=false", "--set", "name=a = b") == "-7 False a = b"
    assert printed(tfdsl, "--set", "n=1", "--set", "n=2", "--set", "flag=True", "--set", "name=") == "2 True "
    assert tfdsl("eval", "good.tfg", "rate", "--set", "rate=1e-3")[1] == "0.001\n"


@pytest.mark.parametrize(
    "setting", ["n=1.5", "n=x", "n=", "flag=1", "flag=maybe", "rate=fast", f"n={'9' * 5000}", "n=\x1b[31m"]
)
def test_set_of_the_wrong_type(tfdsl, setting):
    code, out, _ = tfdsl("check", "good.tfg", "--set", setting)
    assert code == 2
    assert FOUND.findall(out) == ["TFG804"] and "--set gives " in out
    assert out.replace("\n", "").isprintable()


def test_unknown_params_and_data(tfdsl):
    code, out, _ = tfdsl("check", "good.tfg", "--set", "rte=1")
    assert (code, FOUND.findall(out)) == (2, ["TFG803"])
    assert "did you mean 'rate'?" in out
    code, out, _ = tfdsl("check", "good.tfg", "--data", "e=x.csv")
    assert (code, FOUND.findall(out)) == (2, ["TFG805"])


@pytest.mark.parametrize("words, code", [
    ("run good.tfg --set rte=1", "TFG803"), ("run good.tfg --data e=x.csv", "TFG805"),
    ("run good.tfg --session other", "TFG809"), ("dump good.tfg --stage program --set rte=1", "TFG803"),
    ("graph good.tfg -o g.dot --data e=x.csv", "TFG805"), ("data good.tfg --data e=x.csv", "TFG805"),
    ("summary good.tfg --set rte=1", "TFG803"), ("gradcheck good.tfg --set rte=1", "TFG803"),
    ("eval good.tfg rte", "TFG301"), ("eval good.tfg rate --feed Z=1", "TFG301"),
    ("eval good.tfg rate --graph other", "TFG508"), ("eval good.tfg rate --data e=x.csv", "TFG805"),
    ("grad good.tfg rte wrt rate", "TFG301"), ("data d.csv --target z", "TFG613"),
])  # fmt: skip
def test_a_name_that_the_program_does_not_have_is_wrong_use(tfdsl, words, code):
    Path("d.csv").write_text("a,b,price\n1,2,0\n3,4,0\n", encoding="utf-8")
    ended, out, error = tfdsl(*words.split())
    assert (ended, FOUND.findall(error)) == (2, [code]), out + error


def test_a_wrong_name_beside_an_error_of_the_program(tfdsl):
    Path("wrong.tfg").write_text("param rate = 0.1\nx = unknown\n", encoding="utf-8")
    code, out, _ = tfdsl("check", "wrong.tfg", "--set", "rte=1")
    assert (code, sorted(FOUND.findall(out))) == (1, ["TFG301", "TFG803"])


def test_data_from_csv_and_npz(tfdsl):
    Path("d.csv").write_text("a,b,price\n1,2,0\n3,4,0\n", encoding="utf-8")
    np.savez("d.npz", X=np.ones((3, 2)))
    assert tfdsl("eval", "good.tfg", "y", "--feed", "X=d.features", "--data", "d=d.csv")[1] == "5.0\n"
    assert tfdsl("eval", "good.tfg", "y", "--feed", "X=d.features", "--data", "d=d.npz")[1] == "3.0\n"
    assert tfdsl("check", "good.tfg", "--data", "d=d.csv")[0] == 0


@pytest.mark.parametrize(("path", "code"), [("none.csv", "TFG603"), ("good.tfg", "TFG604"), ("three.csv", "TFG502")])
def test_invalid_data(tfdsl, path, code):
    Path("three.csv").write_text("a,b,c,target\n1,2,3,4\n", encoding="utf-8")
    status, out, _ = tfdsl("check", "good.tfg", "--data", f"d={path}")
    assert status == 1
    assert code in FOUND.findall(out)


def test_options_override_the_config_file(tfdsl):
    Path("d.csv").write_text("a,b,price\n1,2,0\n3,4,0\n", encoding="utf-8")
    Path("c.yaml").write_text(
        "params: {n: 8, flag: false, name: no}\ndata: {d: d.csv}\nlogdir: logs\n", encoding="utf-8"
    )
    assert printed(tfdsl, "--config", "c.yaml") == "8 False no"
    assert printed(tfdsl, "--config", "c.yaml", "--set", "n=9") == "9 False no"
    Path("empty.yaml").touch()
    assert printed(tfdsl, "--config", "empty.yaml") == "3 True x"


def test_later_config_files_override_earlier_ones(tfdsl):
    Path("b.yaml").write_text("params: {n: 9, name: y}\n", encoding="utf-8")
    Path("a.yaml").write_text("params: {n: 8, flag: false}\n", encoding="utf-8")
    assert printed(tfdsl, "--config", "a.yaml", "--config", "b.yaml") == "9 False y"
    assert printed(tfdsl, "--config", "b.yaml", "--config", "a.yaml") == "8 False y"
    Path("sub").mkdir()
    Path("sub/d.csv").write_text("a,b,price\n1,2,0\n3,4,0\n", encoding="utf-8")
    Path("sub/c.yaml").write_text("data: {d: sub/d.csv}\n", encoding="utf-8")
    assert printed(tfdsl, "--config", "sub/c.yaml", "--config", "a.yaml") == "8 False x"


@pytest.mark.parametrize(
    ("text", "code"),
    [("param: 3", "TFG806"), ("1: 2", "TFG806"), ("[1]", "TFG807"), ("params: [n]", "TFG807"), ("data: x", "TFG807"),
     ("data: {d: 3}", "TFG807"), ("logdir: 3", "TFG807"), ("params: {", "TFG807"), ("a: \0", "TFG807"),
     ("params: &p {n: *p}", "TFG807"), ("params: {rte: 1}", "TFG803"), ("data: {e: d.csv}", "TFG805"),
     ("params: !!python/object:os.system {}", "TFG807"),
     ("params: {n: [1]}", "TFG804"), ("params: {n: yes}", "TFG804"), ("params: {flag: no}", "TFG804"), ("params: {name: !!str 1}", "TFG807"),
     ("params: {name: &a x}", "TFG807"), ("? " * 20_000, "TFG807"), ("a:\n" + "".join(" " * i + "a:\n" for i in range(1, 60)), "TFG807"),
     ("params: {n: " + "9" * 5000 + "}", "TFG80"), ("\"" * 99_999, "TFG80"), ("params: {n: 2001-01-01}", "TFG804"),
     ("params: {n: {a: 1}}", "TFG804"), ("params: {n: 1, n: 2}", "TFG807"), ("params: {n: 1}\nparams: {}", "TFG807"),
     ("[a]: 1", "TFG807"), ("[" * 20_000, "TFG807"), ("- " * 20_000, "TFG807"), ("#" * 2_000_000, "TFG807"),
     ("\xff", "TFG807"), ("params: {n: 1" + "0" * 5000 + "}", "TFG80")],
    ids=lambda text: str(text)[:24],
)  # fmt: skip
def test_invalid_config_files(tfdsl, text, code):
    Path("c.yaml").write_bytes(text.encode("latin-1"))
    status, out, err = tfdsl("check", "good.tfg", "--config", "c.yaml")
    assert status == 2
    assert "c.yaml" in out + err
    assert [found[: len(code)] for found in FOUND.findall(out + err)] == [code]


def test_missing_config_file(tfdsl):
    assert FOUND.findall(tfdsl("check", "good.tfg", "--config", "none.yaml")[2]) == ["TFG808"]
    assert FOUND.findall(tfdsl("check", "good.tfg", "--config", "folder.tfg")[2]) == ["TFG808"]


# --- run ------------------------------------------------------------------------------------------


def test_run_prints_what_the_program_prints(tfdsl):
    code, out, err = tfdsl("run", "good.tfg", "--session", "two")
    assert (code, out, err) == (0, "two\n", "")
    code, out, _ = tfdsl("run", "good.tfg")
    assert code == 0
    assert out.splitlines()[0] == "3 True x"
    assert out.splitlines()[-1] == "two"


def test_run_one_session(tfdsl):
    code, out, err = tfdsl("run", "good.tfg", "--session", "tw")
    assert (code, out, FOUND.findall(err)) == (2, "", ["TFG809"])
    assert "did you mean 'two'?" in err


def test_failing_run(tfdsl):
    assert tfdsl("run", "wrong.tfg")[:2] == (1, "")
    code, out, err = tfdsl("run", "good.tfg", "--set", "n=4")
    assert (code, FOUND.findall(err)) == (1, ["TFG703"])
    assert out.endswith("two\n"), "what was printed before it stays"
    Path("silent.tfg").write_text("a = constant(1)\n", encoding="utf-8")
    assert FOUND.findall(tfdsl("run", "silent.tfg")[2]) == ["TFG810"]


def test_run_as_json(tfdsl):
    code, out, err = tfdsl("run", "good.tfg", "--json")
    result = json.loads(out)
    assert (code, err) == (0, "")
    assert result["printed"][0] == "3 True x"
    assert result["params"] == {"rate": 0.5, "n": 3, "flag": True, "name": "x"}
    assert result["data"]["d"]["rows"] == 10
    assert result["expectations"] == 1
    assert isinstance(result["values"]["y"], float)
    assert tfdsl("run", "wrong.tfg", "--json")[:2] == (1, "")


TRAINING = """\
variable w = 1.0
variable unused = 2.0
loss square(w)
optimize with gradient_descent()
summary scalar w as "W"
session:
    log to "logs/{now}"
    train 4 steps:
        log
    print w
"""


def test_run_logs_to_the_given_folder(tfdsl):
    Path("train.tfg").write_text(TRAINING, encoding="utf-8")
    code, _, err = tfdsl("run", "-v", "train.tfg", "--logdir", "elsewhere")
    assert code == 0
    assert os.listdir("elsewhere") and not Path("logs").exists()
    assert "tfdsl: logged to elsewhere" in err
    Path("c.yaml").write_text("logdir: from_config\n", encoding="utf-8")
    assert tfdsl("run", "train.tfg", "--config", "c.yaml")[0] == 0
    assert os.listdir("from_config")
    history = json.loads(tfdsl("run", "train.tfg", "--json", "--logdir", "x")[1])["history"]
    assert [step for step, _ in history["W"]] == [0, 1, 2, 3]


def test_run_cannot_log(tfdsl):
    Path("train.tfg").write_text(TRAINING, encoding="utf-8")
    code, _, err = tfdsl("run", "train.tfg", "--logdir", "good.tfg")
    assert (code, FOUND.findall(err)) == (1, ["TFG707"])


def test_run_quiet_and_verbose(tfdsl):
    Path("train.tfg").write_text(TRAINING, encoding="utf-8")
    quiet, plain, loud = (tfdsl("run", *option, "train.tfg") for option in (["-q"], [], ["-v"]))
    assert quiet[1] == plain[1] == loud[1]
    assert quiet[2] == ""
    assert "TFG901" in plain[2] and "tfdsl: checked" not in plain[2]
    assert re.search(r"tfdsl: checked train.tfg: \d+ nodes, 1 session\n", loud[2])
    assert "tfdsl: ran 4 steps and met 0 expectations" in loud[2]


# --- eval -----------------------------------------------------------------------------------------


def test_eval(tfdsl):
    assert tfdsl("eval", "good.tfg", "n * 2 + 1") == (0, "7\n", "")
    assert tfdsl("eval", "good.tfg", "y + 1.0", "--feed", "X=[[1, 2]]")[1] == "2.5\n"
    assert tfdsl("eval", "good.tfg", "y", "--feed", "X=d.features[:0]")[1] == "0.0\n"
    assert tfdsl("eval", "good.tfg", "name, n")[0] == 2


@pytest.mark.parametrize(
    ("expression", "value"),
    [("n", 3), ("name", "x"), ("flag", True), ("constant([1.0, -1.0]) / 0.0", ["inf", "-inf"]), ("[n, 2.5]", [3, 2.5]),
     ("constant([[1, 2]])", [[1, 2]]), ('constant("a")', "a"), ("X.shape[1]", 2), ("reduce_sum(X)", 3.0)],
)  # fmt: skip
def test_eval_as_json(tfdsl, expression, value):
    code, out, err = tfdsl("eval", "good.tfg", expression, "--json", "--feed", "X=[[1, 2]]")
    assert (code, err) == (0, "")
    assert json.loads(out) == value


@pytest.mark.parametrize(
    ("words", "code"),
    [(["foo"], "TFG301"), (["("], "TFG108"), ([""], "TFG101"), (["y"], "TFG501"), (["y", "--feed", "X=[["], "TFG108"),
     (["y", "--feed", "Z=1"], "TFG301"), (["y", "--feed", "X=[1]"], "TFG502"), (["y", "--feed", "n=1"], "TFG505"),
     (["y", "--graph", "g"], "TFG508"), (["y", "--feed", 'X=[["a", "b"]]'], "TFG503"), (["1\n2"], "TFG101")],
    ids=str,
)  # fmt: skip
def test_invalid_eval(tfdsl, words, code):
    status, out, err = tfdsl("eval", "good.tfg", *words)
    wanted = 2 if code in ("TFG301", "TFG508") or code.startswith("TFG1") else 1
    assert (status, out, FOUND.findall(err)) == (wanted, "", [code])


def test_eval_says_how_to_feed(tfdsl):
    Path("two.tfg").write_text("placeholder a: float32\nplaceholder b: float32\nvariable w = 1.0\nc = a * b * w\n")
    assert "help: give it a value: --feed X=VALUE" in tfdsl("eval", "good.tfg", "y")[2]
    err = tfdsl("eval", "two.tfg", "c")[2]
    assert "the expression needs a and b to be fed" in err and "--feed a=VALUE --feed b=VALUE" in err
    assert "help: the placeholders are a, b" in tfdsl("eval", "two.tfg", "c", "--feed", "zzz=1")[2]
    assert "help: feed a placeholder" in tfdsl("eval", "two.tfg", "c", "--feed", "w=1")[2]
    assert tfdsl("eval", "two.tfg", "c", "--feed", "a=2", "--feed", "b=3")[1] == "6.0\n"


def test_a_file_with_another_separator_in_place_of_a_source(tfdsl):
    Path("plants.tfg").write_text("data d = iris()\nsession: print d.rows, d.columns\n", encoding="utf-8")
    Path("plants.csv").write_text("a;b\n1;2\n3;4\n", encoding="utf-8")
    assert tfdsl("run", "plants.tfg", "--data", "d=plants.csv")[:2] == (0, "2 1\n")


def test_eval_on_another_graph(tfdsl):
    Path("two.tfg").write_text("a = constant(1)\ngraph g:\n    b = constant(2)\n", encoding="utf-8")
    assert tfdsl("eval", "two.tfg", "b", "--graph", "g")[1] == "2\n"
    assert tfdsl("eval", "two.tfg", "a")[1] == "1\n"


# --- ops and dump ---------------------------------------------------------------------------------


def test_ops(tfdsl):
    code, out, _ = tfdsl("ops")
    assert code == 0
    assert "  matmul(a: T, b: T" in out and "optimizers:" in out and "  moons(" in out
    code, out, _ = tfdsl("ops", "matmul")
    assert (code, out.splitlines()[0][:7]) == (0, "matmul(")
    assert "TensorFlow: tf.compat.v1.matmul" in out
    assert "did you mean 'matmul'?" in tfdsl("ops", "matmull")[2]
    out = tfdsl("ops", "split")[1]  # an op and a transform
    assert "split(value: T, num_or_size_splits" in out and "| split(test=0.2, seed=42" in out


def test_ops_as_json(tfdsl):
    every = json.loads(tfdsl("ops", "--json")[1])
    assert every["matmul"] == json.loads(tfdsl("ops", "matmul", "--json")[1])["matmul"]
    assert {entry["group"] for entry in every.values()} >= {"optimizers", "data sources", "data transforms"}
    assert all(entry["doc"] and "signature" in entry for entry in every.values())


def test_dump_each_stage(tfdsl):
    code, out, _ = tfdsl("dump", "--stage", "tree", "good.tfg")
    assert code == 0 and out.startswith("File @1:1\n  body:\n    Param @1:1\n")
    code, out, _ = tfdsl("dump", "--stage", "program", "good.tfg", "--set", "n=5")
    assert code == 0 and from_yaml(out).params[1].value == 5
    code, out, _ = tfdsl("dump", "--stage", "graph", "good.tfg")
    assert code == 0 and "X = Placeholder() -> float32[?, 2]\n" in out
    Path("two.tfg").write_text("a = constant(1)\ngraph g:\n    b = constant(2)\n", encoding="utf-8")
    assert tfdsl("dump", "--stage", "graph", "--graph", "g", "two.tfg")[1] == "b = Const() value=2 -> int32\n"


@pytest.mark.parametrize("stage", ["program", "graph"])
def test_dump_an_invalid_program(tfdsl, stage):
    code, out, err = tfdsl("dump", "--stage", stage, "wrong.tfg")
    assert (code, out, FOUND.findall(err)) == (1, "", ["TFG301", "TFG301"])


def test_dump_a_tree_that_is_too_deep(tfdsl):
    Path("deep.tfg").write_text("a = " + " + ".join(["1"] * 20_000), encoding="utf-8")
    assert tfdsl("check", "deep.tfg")[0] == 0
    assert FOUND.findall(tfdsl("dump", "--stage", "tree", "deep.tfg")[2]) == ["TFG116"]


# --- processes ------------------------------------------------------------------------------------

_LIGHT = """
import sys
import tfdsl
from tfdsl.cli import main
for model in sys.argv[1:]:
    assert main(["check", model]) == 0, model
    heavy = {"tensorflow", "numpy", "sklearn", "pandas", "yaml", "rich", "lark"} & set(sys.modules)
    assert not heavy, (model, heavy)
"""


def test_check_imports_nothing_heavy():
    tables()  # so that the cache has them
    models = sorted(map(str, (ROOT / "models").glob("*.tfg")))[1::12]
    done = subprocess.run([sys.executable, "-c", _LIGHT, *models], cwd=ROOT, capture_output=True, text=True)
    assert models and done.returncode == 0, done.stderr


def test_as_a_module(files):
    done = process("check", "wrong.tfg")
    assert (done.returncode, FOUND.findall(done.stdout)) == (1, ["TFG301", "TFG301"])
    assert done.stderr == "1 file: 2 errors, 0 warnings\n"
    assert process().returncode == 2


def test_commands_import_no_pandas(files):
    """Arrow would. Here it is a module that no process can import."""
    Path("pandas.py").write_text("raise SystemExit('pandas was imported')\n")
    Path("d.csv").write_text("a,b,price\n1,,0\n3,4,0\n", encoding="utf-8")
    done = process("check", "good.tfg", "--data", "d=d.csv", env={"PYTHONPATH": os.pathsep.join([str(ROOT), "."])})
    assert "pandas" not in done.stdout + done.stderr and "TFG" in done.stdout


def test_run_hides_the_output_of_tensorflow(files):
    done = process("run", "good.tfg", "--session", "two")
    assert (done.returncode, done.stdout, done.stderr) == (0, "two\n", "")


@pytest.mark.parametrize("words", [("ops",), ("check", "wrong.tfg"), ("check", "--format", "json", "wrong.tfg")])
def test_a_closed_pipe_is_quiet(files, words):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "tfdsl", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert done.returncode == 1
    assert not [line for line in done.stderr.splitlines() if not line.startswith("1 file")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [("ops",), ("check", "wrong.tfg")])
def test_a_full_disk_is_not_a_bug(files, words):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "tfdsl", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert FOUND.findall(done.stderr) == ["TFG707"]


def test_closed_streams_and_other_encodings(files):
    Path("odd.tfg").write_text("é = ☃\n", encoding="utf-8")
    done = process("check", "odd.tfg", env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, FOUND.findall(done.stdout)) == (1, ["TFG102"])
    for closed in (1, 2):
        code = f"import os, sys; os.close({closed}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
        command = [sys.executable, "-c", code, "-m", "tfdsl", "check", "wrong.tfg"]
        done = subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
        assert done.returncode == 1
        assert "Traceback" not in done.stderr + done.stdout


def test_colours_on_a_real_terminal(files):
    outer, inner = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "tfdsl", "check", "-q", "wrong.tfg"]
    subprocess.run(command, env=environment, stdout=inner, stderr=subprocess.PIPE)
    os.close(inner)
    assert b"\x1b[1;31merror" in os.read(outer, 10_000)
    os.close(outer)


def test_a_bug_is_reported_as_a_bug(tfdsl, monkeypatch, capsys):
    def broken(arguments):
        raise KeyError("x")

    monkeypatch.setattr("tfdsl.cli.check.command", broken)
    assert main(["check", "good.tfg"]) == 1
    err = capsys.readouterr().err
    assert "error[TFG899]: this is a bug in tfdsl" in err and "Traceback" not in err


def test_out_of_memory(tfdsl, monkeypatch, capsys):
    def hungry(arguments):
        raise MemoryError

    monkeypatch.setattr("tfdsl.cli.check.command", hungry)
    assert main(["check", "good.tfg"]) == 1
    err = capsys.readouterr().err
    assert "error[TFG738]: there is not enough memory for this run" in err and "Traceback" not in err


@pytest.mark.parametrize(
    "words, found",
    [
        (["rnu", "good.tfg"], "there is no command 'rnu': did you mean 'run'?"),
        (["graph", "good.tfg", "--format", "dot", "-o", "good.tfg"], "'good.tfg' ends in .tfg, so it would be taken"),
        (["run", "good.tfg", "--trace", "other.TFG"], "'other.TFG' ends in .tfg"),
        (
            ["frobnicate"],
            "there is no command 'frobnicate': the commands are new, run, runs, tensorboard, tune, predict, export, launch, server",
        ),
        (["--vresion"], "there is no option --vresion: did you mean '--version'?"),
        (["run", "good.tfg", "--enigne", "loop"], "there is no option --enigne: did you mean '--engine'?"),
        (
            ["run", "good.tfg", "--epochs", "3"],
            "the program sets it, as in 'train 20 epochs'; if it has a param for this, write",
        ),
        (
            ["run", "good.tfg", "--batch-size=3"],
            "as in 'in batches of 32'; if it has a param for this, write --set PARAM=VALUE",
        ),
        (
            ["run", "good.tfg", "--engine", "lop"],
            "--engine is step, loop, xla or auto, not 'lop': did you mean 'loop'?",
        ),
        (["check", "good.tfg", "--format", "yaml"], "--format is text, concise, json or github, not 'yaml'"),
        (["completion", "fihs"], "SHELL is bash, zsh or fish, not 'fihs': did you mean 'fish'?"),
        (["good.tfg"], "there is no command 'good.tfg': did you mean 'tfdsl run good.tfg'?"),
        (["TFG201"], "did you mean 'tfdsl explain TFG201'?"),
        (["help"], "did you mean 'tfdsl --help'?"),
        (["train", "good.tfg"], "there is no command 'train': did you mean 'run'?"),
        (
            ["run", "good.tfg", "--rate", "0.1"],
            "there is no option --rate: to set the param of the program, write --set rate=0.1",
        ),
        (["run", "good.tfg", "--rate=0.1"], "write --set rate=0.1"),
        (["run", "good.tfg", "--nane", "y"], "set with --set name=VALUE; its params are rate, n, flag, name"),
        (["run", "good.tfg", "--resume"], "a run goes on from its last checkpoint without it"),
        (["run", "good.tfg", "--set", "rate", "=", "0.1"], "write it without spaces: --set rate=0.1"),
        (["run", "--set", "rate=", "0.1", "good.tfg"], "write it without spaces: --set rate=0.1"),
        (["run", "good.tfg", "--set", "rate", "=0.1"], "write it without spaces: --set rate=0.1"),
        (["eval", "good.tfg", "y", "--feed", "X", "=", "[[1, 2]]"], "write it without spaces: --feed X=[[1, 2]]"),
        (["run", "good.tfg", "--set", "rate", "0.1"], "write it without spaces: --set rate=0.1"),
        (["run", "--set", "rate", "-1", "good.tfg"], "write it without spaces: --set rate=-1"),
        (["run", "good.tfg", "x=1"], "'x=1' is one argument too many; to set a param, write --set x=1"),
        (
            ["run", "good.tfg", "a.csv"],
            "one argument too many; to read it as data of the program, write --data d=a.csv",
        ),
        (["tune", "good.tfg", "--maximise", "w"], "there is no option --maximise: did you mean '--maximize'?"),
        (["tune", "good.tfg"], "error: the following arguments are required: --over: tfdsl tune --help describes them"),
        (
            ["tune", "good.tfg", "--over", "rate=int(1,2)"],
            "one of the arguments --minimize --maximize is required: tfdsl",
        ),
        (["run", "good.tfg", "more.tfg"], "'more.tfg' is one argument too many"),
        (["fmt", "--chekc", "good.tfg"], "there is no option --chekc: did you mean '--check'?"),
        (["ops", "--zzz"], "there is no option --zzz: tfdsl ops --help lists them"),
    ],
)
def test_a_misspelt_command_or_option_has_a_suggestion(tfdsl, words, found):
    Path("a.csv").write_text("a\n1\n", encoding="utf-8")
    code, out, err = tfdsl(*words)
    assert (code, out) == (2, "")
    assert found in err and len(err.splitlines()) == 1


def test_a_folder_in_place_of_a_program_says_which_programs_it_has(tfdsl):
    Path("shop").mkdir()
    Path("shop/a.tfg").write_text("x = 1\n", encoding="utf-8")
    assert "shop cannot be read: is a directory\n  = help: it has the program shop/a.tfg\n" in tfdsl("run", "shop")[2]
    Path("shop/b.tfg").write_text("x = 1\n", encoding="utf-8")
    assert "= help: it has the programs shop/a.tfg, shop/b.tfg\n" in tfdsl("run", "shop")[2]


def test_without_a_command_all_commands_are_listed_on_standard_error(tfdsl):
    code, out, err = tfdsl()
    assert (code, out) == (2, "")
    assert "compare the gradients of a program" in err


def test_a_closed_standard_input_is_not_a_bug(tfdsl, monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    code, _, err = tfdsl("fmt", "-")
    assert code == 2 and "standard input is closed" in err


def test_examples_of_optimizers_are_valid_programs(tfdsl):
    from tfdsl.ops.optimizers import OPTIMIZERS

    for name in OPTIMIZERS:
        example = tfdsl("ops", name)[1].partition("Example:\n")[2]
        Path("example.tfg").write_text(textwrap.dedent(example) + "session:\n    train 2 steps:\n        print w\n")
        assert tfdsl("check", "example.tfg")[0] == 0, name


def test_ops_lists_the_functions_of_a_library(tfdsl):
    code, out, _ = tfdsl("ops", "nn.dense")
    assert code == 0 and out.splitlines()[0].startswith("nn.dense(X, units, activation=none, ")
    assert "X @ kernel + bias" in out
    assert "nn.dropout(X, rate=0.5, training=training, seed=none)" in tfdsl("ops")[1]
    assert "did you mean 'nn.dense'?" in tfdsl("ops", "nn.dens")[2]
    code, _, err = tfdsl("ops", "nn")
    assert code == 2 and "it is a library, with nn.dense, " in err and "nn._conv2d" not in err


def closed(*words, **redirected):
    """A command whose standard output is closed."""
    code = "import os, sys; os.close(1); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
    command = [sys.executable, "-c", code, "-m", "tfdsl", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, **redirected)


WRITING = [("run", "good.tfg", "--session", "two"), ("ops",), ("dump", "--stage", "tree", "good.tfg")]


@pytest.mark.parametrize(
    "words", some([(one,) for one in WRITING], [(one,) for one in WRITING[1:]]), ids=lambda words: words[0]
)
def test_writing_to_a_closed_output_is_an_error(files, words):
    done = closed(*words)
    assert done.returncode == 1
    assert "error[TFG707]: cannot write standard output: it is closed" in done.stderr and "bug" not in done.stderr


def test_a_closed_output_without_writes_is_fine(files):
    assert closed("check", "good.tfg").returncode == 0
    assert closed("fmt", "--check", "-q", "good.tfg").returncode in (0, 1)


def test_programs_are_written_in_utf8_for_any_terminal_encoding(files):
    text = '# caf\u00e9 \u4e2d\nx = constant("\u4e2d")\n'
    command = [sys.executable, "-m", "tfdsl", "fmt", "-"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "latin-1"}
    done = subprocess.run(command, env=environment, input=text.encode(), capture_output=True)
    assert (done.returncode, done.stdout.decode("utf-8")) == (0, text)


EMPTY = [("run", ""), ("check", "good.tfg", ""), ("fmt", ""), ("run", "good.tfg", "--trace", ""),
         ("run", "good.tfg", "--logdir", ""), ("run", "good.tfg", "--config", ""), ("eval", "", "y"),
         ("check", "good.tfg", "--allow-path", ""), ("graph", "good.tfg", "-o", "")]  # fmt: skip


@pytest.mark.parametrize("words", EMPTY, ids=" ".join)
def test_an_empty_file_name(tfdsl, words):
    code, out, err = tfdsl(*words)
    assert code == 2 and not out and "needs the name of a fi" in err.replace("folder", "file") and "it is empty" in err


def test_an_empty_folder_in_a_config_file(tfdsl):
    Path("c.yaml").write_text('logdir: ""\n', encoding="utf-8")
    code, _, err = tfdsl("run", "good.tfg", "--config", "c.yaml")
    assert code == 2 and "'logdir' must be the name of a folder" in err


@pytest.mark.parametrize("command", ["run", "check", "graph"])
def test_data_is_no_program(tfdsl, files, command):
    Path("rows.csv").write_text("a,b\n1,2\n")
    code, out, err = tfdsl(command, "rows.csv")
    assert (code, out) == (2, "") and "tfdsl data rows.csv suggests a program for it" in err
