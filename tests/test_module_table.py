"""Tables whose rows are modules: each file is a row, imported on demand."""

import sys

import pytest

from tfdsl.module_table import ModuleTable


@pytest.fixture
def table(tmp_path, monkeypatch):
    folder = tmp_path / "rows_of_a_test"
    (folder / "beta").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "base.py").write_text("SHARED = 1\n")
    (folder / "alpha.py").write_text("from .base import SHARED\n\nROW = SHARED + 1\n")
    (folder / "page.html").touch()
    (folder / "__pycache__").mkdir()
    (folder / "beta" / "__init__.py").write_text("ROW = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield ModuleTable("rows_of_a_test", "ROW")
    for name in [name for name in sys.modules if name.startswith("rows_of_a_test")]:
        del sys.modules[name]


def test_files_and_folders_are_rows(table):
    assert list(table) == ["alpha", "beta"] and len(table) == 2 and "alpha" in table and "gamma" not in table
    assert "rows_of_a_test.alpha" not in sys.modules
    assert dict(table) == {"alpha": 2, "beta": 3} and table.get("gamma") is None


def test_other_files_are_not_keys(table):
    for name in ("gamma", "base", "", "os", "beta.x"):
        with pytest.raises(KeyError):
            table[name]
