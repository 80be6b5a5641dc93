"""The files that a program can use: tests of the module that opens all paths of programs."""

import ctypes
import os
import socket
import threading
from pathlib import Path

import pytest

from tfdsl.access import TRUSTED, Access, AccessRefused, fault
from tfdsl.diagnostics import ALLOWED_MISSING, PATH_FORM, PATH_KIND, PATH_OUTSIDE, TfgError

AT_FDCWD, RENAME_EXCHANGE = -100, 2  # of Linux's renameat2


@pytest.fixture
def places(tmp_path, monkeypatch):
    """`work`, the working folder; `home`, of the program; `outside`, with a secret."""
    for name in ("work", "home", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.csv").write_text(name)
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


@pytest.fixture
def access(places):
    return Access(str(places / "home" / "p.tfg"))


def text(file) -> str:
    with file:
        return file.read().decode()


def refused(call, message) -> AccessRefused:
    with pytest.raises(AccessRefused) as caught:
        call()
    assert caught.value.message is message, caught.value
    assert caught.value.message.help.format(**caught.value.details)
    return caught.value


def test_the_working_folder_and_the_programs_folder_can_be_read(places, access):
    assert text(access.reading("x.csv")) == "work"
    assert text(access.reading("./x.csv")) == "work"
    assert text(access.reading("x.csv", "../home")) == "home"
    assert text(access.reading("../home/x.csv")) == "home"
    assert text(access.reading("../work/x.csv", "../home")) == "work"
    assert text(access.reading(str(places / "work/x.csv"))) == "work"


def test_a_read_file_keeps_its_given_name(access):
    with access.reading("x.csv", "../home") as file:
        assert file.name == "../home/x.csv"


def test_a_missing_file_is_the_systems_error(access):
    with pytest.raises(FileNotFoundError):
        access.reading("no.csv")
    with pytest.raises(FileNotFoundError):
        access.folder("no/where")
    with pytest.raises(NotADirectoryError):
        access.reading("x.csv/y.csv")
    for path in (".", "x.csv/", "..", "../home/"):
        with pytest.raises((IsADirectoryError, AccessRefused)):
            access.reading(path)


@pytest.mark.parametrize(
    "path", ["../outside/x.csv", "..", "../", "/", "/etc/passwd", "../work/../outside/x.csv", "a/../../outside"]
)
def test_paths_outside_are_refused(places, access, path):
    (places / "work/a").mkdir()
    refused(lambda: access.check(path), PATH_OUTSIDE)
    refused(lambda: access.folder(path, create=True), PATH_OUTSIDE)
    if path not in ("..", "../", "/"):
        error = refused(lambda: access.reading(path), PATH_OUTSIDE)
        assert error.details["target"] in (f"{places}/outside/x.csv", f"{places}/outside", "/etc/passwd")


def test_the_check_covers_missing_files(places, access):
    for path in ("no/../../outside/x", "no/no/../../../outside", "no/../.."):
        refused(lambda path=path: access.check(path), PATH_OUTSIDE)
        refused(lambda path=path: access.reading(path), PATH_OUTSIDE)
        refused(lambda path=path: access.folder(path, create=True), PATH_OUTSIDE)
    for path in ("no/../x", "no/no/../../../home/x", "no/../../work", "no"):
        access.check(path)
    assert os.listdir(places / "work") == ["x.csv"]


def test_a_refusal_says_how_to_allow_the_path(places, access):
    error = refused(lambda: access.reading("../outside/x.csv"), PATH_OUTSIDE)
    allowed = Access(str(places / "home" / "p.tfg"), [error.details["folder"]])
    assert text(allowed.reading("../outside/x.csv")) == "outside"


def test_only_folders_that_exist_are_allowed():
    with pytest.raises(TfgError) as caught:
        Access("p.tfg", ["no/such/folder"])
    assert caught.value.diagnostics[0].message is ALLOWED_MISSING


def test_a_root_can_contain_links(places):
    (places / "alias").symlink_to(places / "outside")
    allowed = Access("p.tfg", [places / "alias"])
    assert text(allowed.reading(str(places / "alias/x.csv"))) == "outside"
    assert text(allowed.reading("../outside/x.csv")) == "outside"
    through = Access(str(places / "alias/p.tfg"))
    assert text(through.reading("x.csv", "../alias")) == "outside"


def test_links_are_followed_only_inside(places, access):
    work = places / "work"
    (work / "deep").mkdir()
    (work / "deep/inside.csv").symlink_to("../x.csv")
    (work / "folder").symlink_to("deep")
    (work / "home").symlink_to(places / "home")
    assert text(access.reading("deep/inside.csv")) == "work"
    assert text(access.reading("folder/inside.csv")) == "work"
    assert text(access.reading("folder/../x.csv")) == "work"
    assert text(access.reading("home/x.csv")) == "home"
    (work / "out.csv").symlink_to("../outside/x.csv")
    (work / "out").symlink_to(places / "outside")
    (work / "chain").symlink_to("out")
    (work / "dangling").symlink_to("../outside/new")
    (work / "round").symlink_to("round")
    for path in ("out.csv", "out/x.csv", "chain/x.csv", "dangling"):
        refused(lambda path=path: access.reading(path), PATH_OUTSIDE)
        refused(lambda path=path: access.check(path), PATH_OUTSIDE)
    for path in ("out", "out/new", "chain/new/newer", "dangling", "dangling/new"):
        refused(lambda path=path: access.folder(path, create=True), PATH_OUTSIDE)
    refused(lambda: access.reading("round"), PATH_KIND)
    assert sorted(os.listdir(places / "outside")) == ["x.csv"]


def test_a_file_with_two_names_is_refused(places, access):
    os.link(places / "outside/x.csv", places / "work/second.csv")
    error = refused(lambda: access.reading("second.csv"), PATH_KIND)
    assert "hard link" in error.details["what"]
    (places / "work/copy.csv").write_bytes((places / "work/second.csv").read_bytes())  # as its help says
    assert text(access.reading("copy.csv")) == "outside"
    assert text(TRUSTED.reading("second.csv")) == "outside"


def test_pipes_sockets_and_devices_are_refused(places, access):
    os.mkfifo("pipe")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    refused(lambda: access.reading("pipe"), PATH_KIND)
    refused(lambda: access.reading("socket"), PATH_KIND)
    refused(lambda: Access("p.tfg", ["/dev"]).reading("/dev/null"), PATH_KIND)


@pytest.mark.parametrize(
    "path",
    ["", "a\0b", "a\nb", "\x1b[2Jx", "\u202etxt", "~/x", "~root/x", "$HOME/x", "a/${HOME}", "%APPDATA%/x", "a%00.csv", "%2e%2e/x",
     "C:/x", "C:x", "..\\x", "a/...", "a./b", "a /b", "a ", "\uff0e\uff0e/x", "a\uff0fb", "\u2025/x", "a\u2215b", "a\u2044b", "x" * 5000, "\ud800"],
)  # fmt: skip
def test_ambiguous_paths_are_refused(access, path):
    assert fault(path)
    for call in (access.reading, access.check, access.folder, access.beside):
        refused(lambda call=call: call(path), PATH_FORM)


@pytest.mark.parametrize(
    "path",
    ["a", "a.b/c-d_e", "../a", "./a", ".hidden/x", "größe/日本.csv", "a b/c", "100%", "a$", "run-20260101.5", "a..b"],
)
def test_other_paths_are_fine(path):
    assert not fault(path)


def test_the_users_own_paths_are_unrestricted(places):
    (places / "work/~x").mkdir()
    (places / "work/link").symlink_to(places / "outside/x.csv")
    assert text(TRUSTED.reading("../outside/x.csv")) == "outside"
    assert text(TRUSTED.reading("link")) == "outside"
    with TRUSTED.folder("~x/new", create=True):
        assert (places / "work/~x/new").is_dir()


def test_a_removed_working_folder_is_not_a_root(places):
    access = Access(str(places / "home/p.tfg"))
    (places / "gone").mkdir()
    os.chdir(places / "gone")
    (places / "gone").rmdir()
    assert text(access.reading("x.csv", str(places / "home"))) == "home"
    access.check("anything")
    for call in (access.reading, access.folder, Access("p.tfg").reading, TRUSTED.reading):
        with pytest.raises(FileNotFoundError):
            call("x.csv")


# --- folders ----------------------------------------------------------------------------------


def test_a_folder_is_made_and_written_in(places, access):
    with access.folder("a/b", create=True) as folder:
        with folder.creating("one") as file:
            file.write(b"1")
        with pytest.raises(FileExistsError):
            folder.creating("one")
        (places / "outside/target").write_text("kept")
        (places / "work/a/b/link").symlink_to(places / "outside/target")
        with pytest.raises(FileExistsError):
            folder.creating("link")
        refused(lambda: folder.reading("link"), PATH_KIND)
        assert folder.has("link") and not folder.has("no")
        assert folder.names() == ["link", "one"]
        folder.rename("one", "two")
        folder.sync()
        assert text(folder.reading("two")) == "1"
        with pytest.raises(FileExistsError):
            folder.folder("two", exclusive=True)
        with folder.folder("sub", exclusive=True) as sub:
            folder.rename("two", "two", sub)
            assert sub.names() == ["two"]
            sub.remove("two")
        folder.remove("link")
        assert folder.names() == ["sub"]
    assert (places / "outside/target").read_text() == "kept"
    folder.close()


def test_beside_returns_the_folder_and_the_last_name(places, access):
    folder, name = access.beside("made/now/model.ckpt", create=True)
    with folder:
        assert name == "model.ckpt" and (places / "work/made/now").is_dir() and folder.shown == "made/now"
    folder, name = access.beside("model")
    with folder:
        assert name == "model" and folder.shown == ""
    (places / "work/link").symlink_to(places / "outside/new")
    folder, name = access.beside("link")
    with folder:
        assert name == "link"
    for path in ("made/..", ".", "made/."):
        refused(lambda path=path: access.beside(path), PATH_FORM)


def test_an_open_folder_does_not_follow_its_name(places, access):
    work = places / "work"
    with access.folder("logs", create=True) as folder:
        (work / "logs").rename(work / "moved")
        (work / "logs").symlink_to(places / "outside")
        if not folder.path.startswith("/proc/"):
            pytest.skip("needs /proc")
        Path(folder.path, "written").write_text("here")
        with folder.creating("too"):
            pass
        assert folder.named(f"{folder.path}/x: no such file") == "logs/x: no such file"
    assert sorted(os.listdir(work / "moved")) == ["too", "written"]
    assert os.listdir(places / "outside") == ["x.csv"]


def test_files_stay_open_for_tensorflow(places, access):
    for name in ("m.index", "m.data"):
        (places / "work" / name).write_text(name)
    with access.folder(".") as folder:
        with folder.held({"m.index": "s.index", "m.data": "s.data"}) as path:
            (places / "work/m.data").unlink()
            (places / "work/m.data").symlink_to(places / "outside/x.csv")
            assert {name: Path(path, name).read_text() for name in os.listdir(path)} == {
                "s.index": "m.index",
                "s.data": "m.data",
            }
        assert not os.path.exists(path)
        with pytest.raises(AccessRefused), folder.held({"m.index": "s.index", "m.data": "s.data"}):
            pass


def test_nothing_stays_open(places, access):
    def count():
        return len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    before = count()
    (places / "work/out").symlink_to(places / "outside")
    for _ in range(20):
        access.reading("x.csv").close()
        access.folder("a/b", create=True).close()
        access.beside("a/c")[0].close()
        for path in ("out/x.csv", "../outside/x.csv", "no/x", "a/../no", "\0"):
            with pytest.raises((AccessRefused, OSError)):
                access.reading(path)
            with pytest.raises((AccessRefused, OSError)):
                access.folder(path)
    assert count() == before


# --- renamed under way ------------------------------------------------------------------------


@pytest.fixture
def swapped(places):
    """`work/sub` alternates between a folder and a link to the outside, as fast as possible."""
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None:
        pytest.skip("needs renameat2")
    work = places / "work"
    (work / "sub").mkdir()
    (work / "sub/x.csv").write_text("work")
    (work / "link").symlink_to(places / "outside")
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            assert exchange(AT_FDCWD, b"sub", AT_FDCWD, b"link", RENAME_EXCHANGE) == 0

    thread = threading.Thread(target=swap)
    thread.start()
    yield work
    stop.set()
    thread.join()


def test_renaming_folders_never_leads_outside(places, access, swapped):
    found = set()
    for turn in range(3000):
        try:
            found.add(text(access.reading("sub/x.csv")))
        except (AccessRefused, OSError) as error:
            found.add(type(error))
        try:
            with access.folder(f"sub/{turn % 10}", create=True) as folder, folder.creating(f"{turn}"):
                pass
        except (AccessRefused, OSError) as error:
            found.add(type(error))
    assert "outside" not in found
    assert found >= {"work", AccessRefused}
    assert os.listdir(places / "outside") == ["x.csv"]
