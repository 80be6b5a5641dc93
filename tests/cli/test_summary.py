"""`tfdsl summary`: its table, its JSON, and what is wrong use."""

import json
import subprocess
import sys

import pytest

from tfdsl.cli import main

PROGRAM = """
import nn
param units = 3
placeholder X: float32[n, 4]
placeholder y: float32[n, 2]
scope net:
    x = nn.batch_norm(nn.dense(X, units, activation=relu))
    out = nn.dense(x, 2) as head
loss nn.mean_squared_error(y, out)
optimize with momentum(momentum=0.9, learning_rate=0.01)
"""

TABLE = """\
layer               output         params  trainable  memory  flops
net                 float32[n, 2]      35         29   140 B     98
  net.dense         float32[n, 3]      15         15    60 B     30
  net.batch_norm    float32[n, 3]      12          6    48 B     54
  net.head          float32[n, 2]       8          8    32 B     14
mean_squared_error  float32             0          0     0 B      6

Total params: 35 (140 B)
Trainable params: 29 (116 B)
Non-trainable params: 6 (24 B)
Optimizer params: 29 (116 B)
Flops for a row: 104 (with n = 1)
"""


@pytest.fixture
def file(here):
    (here / "p.tfg").write_text(PROGRAM)
    return here


def test_the_table(file, capsys):
    assert main(["summary", "p.tfg"]) == 0
    assert capsys.readouterr().out == TABLE


def test_options(file, capsys):
    assert main(["summary", "p.tfg", "--depth", "1", "--set", "units=300"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["layer", "net", "mean_squared_error"]
    assert lines[1].split()[3:] == ["3,302", "2,702", "12.90", "KB", "9,602"]


def test_json(file, capsys):
    assert main(["summary", "p.tfg", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    (graph,) = made["graphs"]
    assert made["path"] == "p.tfg" and graph["name"] == "" and graph["batch_sizes"] == ["n"]
    assert graph["layers"][3] == {
        "name": "net.head", "level": 1, "outputs": ["float32[n, 2]"], "trainable_params": 8, "non_trainable_params": 0,
        "bytes": 32, "flops": 14, "known_flops": 14, "unknown": [],
    }  # fmt: skip
    assert graph["total"] == {
        "trainable_params": 29, "non_trainable_params": 6, "bytes": 140, "flops": 104, "known_flops": 104, "unknown": [],
        "optimizer_params": 29, "optimizer_bytes": 116,
    }  # fmt: skip


def test_several_graphs(here, capsys):
    (here / "g.tfg").write_text("graph one:\n    variable a = 1.0\ngraph two:\n    variable b: float32[600] = zeros\n")
    assert main(["summary", "g.tfg"]) == 0
    one, two = capsys.readouterr().out.split("\n\ngraph two:\n")
    assert one.startswith("graph one:\nlayer") and "Total params: 1 (4 B)" in one
    assert "Total params: 600 (2.34 KB)" in two
    assert main(["summary", "g.tfg", "--graph", "two"]) == 0
    assert capsys.readouterr().out == two
    assert main(["summary", "g.tfg", "--graph", "three"]) == 2
    assert "there is no graph 'three'" in capsys.readouterr().err


def test_what_is_not_known_is_said(here, capsys):
    (here / "u.tfg").write_text("placeholder A: float32[n, 5, 5]\nx = matrix_inverse(A) + 1.0\n")
    assert main(["summary", "u.tfg"]) == 0
    out = capsys.readouterr().out
    assert "Flops for a row: 25 + ? (with n = 1)\nFlops not known: matrix_inverse\n" in out
    assert main(["summary", "u.tfg", "--json"]) == 0
    total = json.loads(capsys.readouterr().out)["graphs"][0]["total"]
    assert (total["flops"], total["known_flops"], total["unknown"]) == (None, 25, ["matrix_inverse"])


def test_a_program_without_nodes(here, capsys):
    (here / "e.tfg").write_text("# nothing\n")
    assert main(["summary", "e.tfg"]) == 0
    assert capsys.readouterr().out.startswith("Total params: 0 (0 B)\n")


def test_errors(here, capsys):
    (here / "wrong.tfg").write_text("x = y\n")
    assert main(["summary", "wrong.tfg"]) == 1
    assert "TFG" in capsys.readouterr().err
    assert main(["summary", "missing.tfg"]) == 1
    with pytest.raises(SystemExit) as ended:
        main(["summary", "wrong.tfg", "--depth", "0"])
    assert ended.value.code == 2


@pytest.mark.parametrize("is_plain", [True, False])
def test_the_head_is_bold_on_a_terminal(file, capsys, monkeypatch, is_plain):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1" if is_plain else "")
    assert main(["summary", "p.tfg"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("\x1b[1mlayer") is not is_plain
    assert out.replace("\x1b[1m", "").replace("\x1b[0m", "") == TABLE


def test_it_needs_no_tensorflow(file):
    program = (
        "import sys, tfdsl.cli\ncode = tfdsl.cli.main(['summary', 'p.tfg'])\n"
        "print(code, [m for m in ('tensorflow', 'numpy', 'rich') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == TABLE + "0 []\n"
