"""git with the settings of the how-to page shows graphs as text, and compares programs by meaning."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tfdsl.driver import compile_source
from tfdsl.lowering.tf import v1
from tfdsl.source import Source

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "howto" / "diff.md").read_text(encoding="utf-8")
PROGRAM = """\
placeholder X: float32[?, 2]
variable w: float32[2, 1] = zeros
mse = reduce_mean(square(X @ w - 1.0))
optimize mse with adam(learning_rate=0.1) as train
"""


def of_page(note):
    """The code block below a comment on the page."""
    return re.search(rf"<!-- {note} -->\n```\w+\n(.*?)```", PAGE, re.S)[1]


@pytest.fixture
def repository(here):
    """A shell in a repository with two versions of a program and of its graph, the first of them committed."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GIT_")},
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]), "HOME": str(here),
        "GIT_CONFIG_NOSYSTEM": "1", "GIT_PAGER": "cat", "TF_CPP_MIN_LOG_LEVEL": "3",
        **{f"GIT_{who}_{what}": "a@b.c" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }  # fmt: skip

    def shell(text):
        done = subprocess.run(["sh", "-c", text], env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def version(text):
        (here / "model.tfg").write_text(text)
        graph = compile_source(Source("model.tfg", text)).built().graph
        v1.train.write_graph(graph, ".", "model.pb", as_text=False)

    shell("git init -q .")
    (here / ".gitattributes").write_text(of_page("git attributes"))
    version(PROGRAM)
    shell("git add . && git commit -q -m first")
    version(PROGRAM.replace("0.1", "0.01").replace("w:", "weights:").replace("@ w", "@ weights"))
    return shell


@pytest.mark.long
def test_a_graph_as_text(repository):
    repository(of_page("git config"))
    changed = [line for line in repository("git diff model.pb").splitlines() if re.match(r"[-+] ?\w", line)]
    assert changed == [
        "-variable w: float32[2, 1] = zeros",
        "-mse = reduce_mean(square(X @ w - 1.0))",
        "-optimize mse with adam(learning_rate=0.1) as train",
        "+variable weights: float32[2, 1] = zeros",
        "+mse = reduce_mean(square(X @ weights - 1.0))",
        "+optimize mse with adam(learning_rate=0.01) as train",
    ]


@pytest.mark.long
def test_a_graph_as_a_list_of_ops(repository):
    repository(of_page("git config").replace("tfdsl lift", "tfdsl dump --stage graph"))
    shown = repository("git diff model.pb")
    assert "\n-train/learning_rate = Const() value=0.1 -> float32\n" in shown
    assert "\n+train/learning_rate = Const() value=0.01 -> float32\n" in shown


def test_programs_by_meaning(repository):
    shown = repository(of_page("git difftool").replace("HEAD~1", "HEAD"))
    assert shown.endswith(
        "\nvariables\n  > w -> weights\n\noptimizers\n  ~ train  learning_rate 0.1 -> 0.01\n\n1 changed, 1 renamed\n"
    )
