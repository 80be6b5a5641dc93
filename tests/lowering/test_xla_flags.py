"""The flags of XLA: beside those of the user, and only while the first training is compiled."""

import os

import pytest

from tfdsl.lowering.xla_flags import xla_flags

OURS = "--xla_disable_hlo_passes=tree_reduction_rewriter"


@pytest.mark.parametrize(
    ("given", "inside"),
    [
        (None, OURS),
        ("--xla_dump_to=dump", f"--xla_dump_to=dump {OURS}"),
        ("--xla_disable_hlo_passes=fusion", "--xla_disable_hlo_passes=fusion"),
        ("flags.txt", "flags.txt"),
    ],
    ids=["none", "others", "of the same name", "a file"],
)
def test_flags_inside_and_afterwards(given, inside, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "flags.txt").write_text("--xla_dump_to=dump")
    if given is None:
        monkeypatch.delenv("XLA_FLAGS", raising=False)
    else:
        monkeypatch.setenv("XLA_FLAGS", given)
    with pytest.raises(ValueError, match="it fails"), xla_flags():
        assert os.environ["XLA_FLAGS"] == inside
        raise ValueError("it fails")
    assert os.environ.get("XLA_FLAGS") == given
