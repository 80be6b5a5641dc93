"""Files that the user names for output: they are replaced as a whole, and no other file is."""

import os

import pytest

from tfdsl.cli import main
from tfdsl.diagnostics import TfgError
from tfdsl.outputs import check_output, write_output


def umask():
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def test_a_file_is_made_and_replaced(here):
    write_output("x.txt", "one\n")
    assert (here / "x.txt").read_text() == "one\n" and (here / "x.txt").stat().st_mode & 0o777 == 0o666 & ~umask()
    os.chmod("x.txt", 0o600)
    write_output("x.txt", "two\n")
    assert (here / "x.txt").read_text() == "two\n" and (here / "x.txt").stat().st_mode & 0o777 == 0o600
    assert os.listdir() == ["x.txt"]


def test_links_stay_and_hard_links_keep_their_content(here):
    (here / "x.txt").write_text("old")
    os.symlink("x.txt", "link")
    os.link("x.txt", "second")
    write_output("link", "new")
    assert (here / "link").is_symlink() and (here / "x.txt").read_text() == "new"
    assert (here / "second").read_text() == "old"


def test_an_unwritable_file_is_an_error(here):
    (here / "folder").mkdir()
    for path in ("no/x.txt", "folder", "x\0y"):
        with pytest.raises(TfgError) as caught:
            write_output(path, "x")
        assert caught.value.diagnostics[0].code == "TFG707"
        with pytest.raises(TfgError) as before:
            check_output(path)
        assert before.value.diagnostics[0].headline == caught.value.diagnostics[0].headline
    assert os.listdir() == ["folder"]


def test_a_check_leaves_nothing(here, monkeypatch):
    (here / "x.txt").write_text("old")
    for path in ("x.txt", "new.txt", "/dev/null"):
        check_output(path)
    assert os.listdir() == ["x.txt"] and (here / "x.txt").read_text() == "old"

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tfdsl.outputs.os.open", refuse)  # an administrator may write in any folder
    for path in ("x.txt", "new.txt"):
        with pytest.raises(TfgError, match="Permission denied"):
            check_output(path)


def test_a_device_is_written_to(here):
    write_output("/dev/null", "x")
    assert not os.path.isfile("/dev/null")


def test_fmt_of_a_folder_does_not_follow_links_out_of_it(here, tmp_path_factory, capfd):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "x.tfg").write_text("a=1\n")
    (here / "own").mkdir()
    (here / "own/y.tfg").write_text("a=1\n")
    (here / "own/link.tfg").symlink_to(outside / "x.tfg")
    (here / "own/folder").symlink_to(outside)
    os.mkfifo("own/pipe.tfg")
    assert main(["fmt", "own"]) == 0
    assert (outside / "x.tfg").read_text() == "a=1\n" and (here / "own/y.tfg").read_text() == "a = 1\n"
    assert "1 file reformatted" in capfd.readouterr().err
    assert main(["fmt", "own/link.tfg"]) == 0  # it is named explicitly
    assert (outside / "x.tfg").read_text() == "a = 1\n" and (here / "own/link.tfg").is_symlink()


def test_bytes_are_written_as_they_are(here):
    write_output("x.png", b"\x89PNG\r\n\x00")
    assert (here / "x.png").read_bytes() == b"\x89PNG\r\n\x00"
