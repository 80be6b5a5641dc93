"""The command `tfdsl lsp` apart from the protocol, which tests/editor has."""

import sys

import pytest

from tfdsl.cli import main


def test_it_says_what_it_needs(monkeypatch, capsys):
    monkeypatch.delitem(sys.modules, "tfdsl.editor.server", raising=False)
    for name in [one for one in sys.modules if one.partition(".")[0] in ("pygls", "lsprotocol")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pygls", None)
    monkeypatch.setitem(sys.modules, "lsprotocol", None)
    assert main(["lsp"]) == 1
    assert "the server needs it: pip install 'pygls>=2,<3'" in capsys.readouterr().err


def test_help(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["lsp", "--help"])
    assert ended.value.code == 0
    assert "language server protocol" in " ".join(capsys.readouterr().out.split())
