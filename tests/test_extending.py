"""docs/extending.md is true: its blocks are applied to a copy of the project, and the additions are tested there.

The line above a block names its file. A block below `<!-- new -->` is a whole new file. One below `<!-- change -->` is
a diff without line numbers: the lines of each part without a `+` must occur in the file consecutively, exactly once. A
block below `<!-- prints -->` is the output of a program.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import forked
import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^\[?`(\S+)`[^\n]*:\n\n<!-- (new|change|prints) -->\n(`{3,4})\w+\n(.*?)^\3$", re.S | re.M)
BLOCKS = [(name, kind, text) for name, kind, _, text in BLOCK.findall(PAGE)]
PARTS = ("tfdsl", "grammars", "tests", "benchmarks", "docs", "models", "README.md", "pyproject.toml")

# The tests of the project that check the additions of the page.
TESTS = [
    "tests/ops/test_op_examples.py::test_example_runs_and_has_tensorflows_type[fresnel_cos]",
    "tests/ops/test_op_examples.py::test_example_runs_and_has_tensorflows_type[diff]",
    "tests/ops/test_ops.py::test_types_are_tensorflows[diff([1.0, 2.0, 4.0])]",
    "tests/ops/test_ops.py::test_dtypes_are_tensorflows[fresnel_cos-T]",
    "tests/ops/test_ops.py::test_dtypes_are_tensorflows[diff-T]",
    "tests/analysis/test_batch_split.py::test_batch_rules_ask_for_existing_arguments",
    "tests/ops/test_batch_rules.py::test_what_rules_claim_is_so[fresnel_cos]",
    "tests/ops/test_batch_rules.py::test_what_rules_claim_is_so[diff]",
    "tests/ops/test_formulas.py::test_formulas_are_tensorflows[fresnel_cos]",
    "tests/program/test_plan.py::test_a_statement_says_what_it_uses[Describe]",
    "tests/diff/test_of_sessions.py::test_a_statement_has_facts[Describe]",
    "tests/test_cases.py::test_the_diagnostics_match_the_comments[warnings/no_difference]",
    "tests/test_cases.py::test_every_code_is_covered",
    "tests/diagnostics/test_explanations.py::test_every_code_has_a_page",
    "tests/diagnostics/test_explanations.py::test_programs_of_a_page[TFG999]",
    "tests/test_architecture.py::test_every_message_is_used",
    "tests/test_architecture.py::test_files_keep_to_one_idea",
    "tests/test_architecture.py::test_unions_have_every_class",
    "tests/test_architecture.py::test_every_statement_is_executed",
    "tests/test_architecture.py::test_the_front_end_imports_no_arrays",
    "tests/test_architecture.py::test_ops_are_named_only_on_their_rows",
    "tests/project/test_docs.py::test_every_source_transform_and_optimizer_is_described",
    "tests/project/test_docs.py::test_every_statement_has_a_heading",
    "tests/reference/test_reference.py::test_every_statement_has_an_entry",
    "tests/project/test_docs.py::test_every_suffix_of_written_files_is_described",
]
TRIED = """
import sys, pytest
sys.dont_write_bytecode = True
for name in [name for name in sys.modules if name.partition(".")[0] == "tfdsl"]:  # that of the project
    del sys.modules[name]
from tfdsl.cli import main
failed = pytest.main(["-q", "-p", "no:cacheprovider", "-n", "0", "--update-golden", "--long", *sys.argv[1:]])
for path in [] if failed else {programs}:
    print("---")
    failed = failed or main(["run", path])
sys.exit(failed)
"""


def changed(text, diff):
    """A text after a diff without line numbers, whose parts are separated by lines with @@."""
    text = f"\n{text}"
    for part in re.split(r"^@@\n", diff, flags=re.M):
        lines = part.splitlines(keepends=True)
        before = "\n" + "".join(line[1:] for line in lines if line[0] in " -")
        after = "\n" + "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"these lines do not occur exactly once in the file:{before}"
        text = text.replace(before, after)
    return text[1:]


def apply_page(root):
    for name, kind, text in BLOCKS:
        path = root / name
        if kind == "change":
            path.write_text(changed(path.read_text(encoding="utf-8"), text), encoding="utf-8")
        elif kind == "new":
            assert not path.exists(), name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")


@pytest.fixture
def added(tmp_path):
    """A copy of the project with the additions of the page."""
    for part in PARTS:
        if (ROOT / part).is_dir():
            # With what Python has compiled. A name such as `a.pyc.123` is of a file that another process writes now.
            shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("*.pyc.*"))
        else:
            shutil.copy(ROOT / part, tmp_path / part)
    apply_page(tmp_path)
    return tmp_path


@pytest.mark.long
def test_the_types_of_the_additions_are_right(added):
    if shutil.which("pyright") is None:
        pytest.skip("pyright is not installed")
    checked = subprocess.run(
        ["pyright", "--pythonpath", sys.executable, "tfdsl"], cwd=added, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stdout


def test_the_additions_of_the_page_work(added):
    own = [name for name, kind, _ in BLOCKS if kind == "new" and re.match(r"tests/[\w/]*test_\w+\.py$", name)]
    printed = {name: text for name, kind, text in BLOCKS if kind == "prints"}
    assert len(own) > 3 and printed
    command = [sys.executable, "-c", TRIED.format(programs=list(printed)), *TESTS, *own]
    environment = {**os.environ, "PYTHONPATH": str(added)}
    ran = forked.run(command, cwd=added, env=environment, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stdout.split("---\n")[1:] == list(printed.values())


def test_a_change_is_applied_at_its_lines():
    assert changed("a\nb\nc\nd\n", " a\n+x\n-b\n@@\n+y\n d\n") == "a\nx\nc\ny\nd\n"
    with pytest.raises(AssertionError, match="once"):
        changed("a\nb\na\nb\n", " a\n+x\n")
