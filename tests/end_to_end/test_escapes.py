"""Programs that try to use files outside their folders: all are refused, and nothing there is opened or changed."""

import ctypes
import os
import pickle
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from dataclasses import dataclass
from pathlib import Path

import escapes
import forked
import numpy as np
import pytest
from conftest import some
from escapes import CANARY, DECLARATIONS, FORMS, OUTSIDE, REFUSED, SESSIONS, SPECIAL

import tfdsl
from tfdsl.access import Access
from tfdsl.cli import main
from tfdsl.driver import check
from tfdsl.inputs import CompileInputs
from tfdsl.source import Source

CASES = [
    *((kind, place) for kind in escapes.KINDS for place in (*OUTSIDE, *FORMS)),
    *((kind, place) for kind in DECLARATIONS for place in SPECIAL),
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("escapes")
    escapes.prepare(root)
    return root


@pytest.fixture
def root(folders, monkeypatch):
    monkeypatch.chdir(folders / "work")
    before = escapes.tree(folders)
    yield folders
    assert escapes.tree(folders) == before


def diagnostics(text, root, allowed=()):
    path = str(root / "home/p.tfg")
    return check(Source(path, text), CompileInputs(access=Access(path, allowed)))[1]


def place_ends(place):
    """Whether a path ends like the wanted file."""
    return {**OUTSIDE, **FORMS, **SPECIAL}[place].rstrip("/").endswith("{s}")


def test_the_table_has_many_escapes():
    assert len(CASES) > 700


@pytest.mark.parametrize("kind", escapes.KINDS)
def test_escapes_are_refused_before_anything_runs(kind, root):
    for place in [place for one, place in CASES if one == kind]:
        text = escapes.program(kind, place, root)
        found = [d for d in diagnostics(text, root) if d.severity == "error"]
        no_program = {"TFG310"} if kind in ("import", "from") and not place_ends(place) else set()
        assert found and {d.code for d in found} <= REFUSED | no_program, (place, found)
        assert all(d.help_line for d in found)


@pytest.mark.parametrize("kind", escapes.KINDS)
def test_refused_folders_can_be_allowed(kind, root):
    """This shows that the tests above can fail, and that the help of the errors works."""
    for place in ("absolute", "up", "link", "chain of links", "down and up"):
        text = escapes.program(kind, place, root)
        (error,) = {d.help_line for d in diagnostics(text, root)}
        folder = re.search(r"--allow-path (\S+),", error)[1]
        assert folder == str(root / CANARY)
        assert not {d.code for d in diagnostics(text, root, [folder])} & REFUSED


def test_the_command_line_can_allow_folders(root, capfd):
    program = root / "home/p.tfg"
    program.write_text(escapes.program("from", "absolute", root) + "x = constant(1.0) * m\n")
    try:
        for command in (["check"], ["dump", "--stage", "program"], ["graph"], ["eval"], ["grad"]):
            rest = {"eval": ["x"], "grad": ["x", "wrt", "x"]}.get(command[0], [])
            assert main([*command, str(program), *rest]) == 1
            assert "TFG820" in "".join(capfd.readouterr())
            main([*command, str(program), *rest, "--allow-path", str(root / CANARY)])
            assert "TFG820" not in "".join(capfd.readouterr())
        assert tfdsl.check(str(program))[0].code == "TFG820"
        assert "TFG820" not in {d.code for d in tfdsl.check(str(program), allow_paths=[root / CANARY])}
    finally:
        program.unlink()


def test_a_folder_that_cannot_be_allowed(root, capfd):
    program = str(Path(tfdsl.__file__).parent / "nn/nn.tfg")
    for command in (["check"], ["dump", "--stage", "tree"]):
        assert main([*command, program, "--allow-path", "no/such"]) == 1
        assert "TFG823" in "".join(capfd.readouterr())


@pytest.mark.parametrize("place", ["absolute", "up", "link", "home", "variable", "address of a file", "hard link"])
def test_paths_in_a_config_file_are_restricted(root, place, capfd):
    program, config = root / "home/p.tfg", root / "home/c.yaml"
    text = 'data d = iris()\nplaceholder x: float32\nsession:\n    log to "logs"\n    print x with x = d.rows\n'
    path = escapes.path(place, root, ".csv")
    program.write_text(text)
    try:
        for given in ([f"data: {{d: '{path}'}}"], [f"logdir: '{path}'"] if place != "hard link" else []):
            config.write_text("\n".join(given))
            if given:
                assert main(["run", str(program), "--config", str(config)]) == 1
                assert re.search("TFG82[0-2]", "".join(capfd.readouterr()))
        if place in ("absolute", "up", "link"):
            config.write_text(f"data: {{d: '{path}'}}")
            main(["check", str(program), "--config", str(config), "--allow-path", str(root / CANARY)])
            assert "TFG82" not in "".join(capfd.readouterr())
            main(["check", str(program), "--data", f"d={path}"])
            assert "TFG82" not in "".join(capfd.readouterr())
    finally:
        program.unlink()
        config.unlink()


# --- runs -------------------------------------------------------------------------------------
RUNNING = [sys.executable, escapes.__file__]
ENVIRONMENT = {
    **os.environ,
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "PYTHONPATH": os.path.dirname(os.path.dirname(tfdsl.__file__)),
}


STRACE = shutil.which("strace")


@pytest.mark.parametrize("places", some(["all", "some"], ["some"]))
def test_runs_refuse_escapes_and_python_opens_nothing_there(root, places):
    run_escapes(root, places)


def run_escapes(root, places):
    done = forked.run([*RUNNING, root, places], capture_output=True, text=True, env=ENVIRONMENT)
    assert done.stdout == "done\n", done.stdout + done.stderr[-2000:]


TOUCHES = re.compile(r"^\d+ +(?!readlink|getcwd|execve)\w+\((.*?)\) += ")
WRITES = re.compile(r"^\d+ +(\w+)\((.*)\) += (-?\d+)")
MAKING = ("mkdir", "mkdirat", "rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat", "symlink", "symlinkat",
          "rmdir", "creat", "truncate", "chmod", "fchmodat", "chown", "fchownat", "mknod", "mknodat")  # fmt: skip


@pytest.mark.long
@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
@pytest.mark.parametrize("places", some(["all", "some"], ["some"]))
def test_no_system_call_uses_the_canary(root, tmp_path, places):
    log = tmp_path / "strace"
    command = [
        "strace",
        "-f",
        "--seccomp-bpf",
        "-y",
        "-s",
        "4096",
        "-e",
        "trace=%file,ftruncate",
        "-o",
        log,
        *RUNNING,
        root,
        places,
    ]
    done = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, "PYTHONDONTWRITEBYTECODE": "1"})
    if "ptrace" in done.stderr:
        run_escapes(root, places)
        pytest.skip("strace may not trace here")
    assert done.stdout == "done\n", done.stdout + done.stderr[-2000:]
    lines = log.read_text(errors="replace").splitlines()
    assert len(lines) > 1000
    # The working folder is passed as a path without the canary.
    touched = [line for line in lines if (match := TOUCHES.match(line)) and CANARY in match[1]]
    assert not touched, touched[:5]
    own = (str(root), "/dev/null", "/dev/shm/sem.", "/proc/self/", os.path.join(os.environ.get("TMPDIR", "/tmp"), ""))
    made = []
    for line in lines:
        call = WRITES.match(line)
        if call and int(call[3]) >= 0 and (call[1] in MAKING or re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", call[2])):
            place = re.search(r'<(/[^>]*)>|"(/[^"]*)"', call[2])
            if place and not (place[1] or place[2]).startswith(own):
                made.append(line)
    assert not made, made[:5]


# --- renamed under way ------------------------------------------------------------------------
@pytest.fixture
def swapped(tmp_path, monkeypatch):
    """`work/sub` alternates between a folder and a link to the canary, as fast as possible."""
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    if exchange is None:
        pytest.skip("needs renameat2")
    work, canary = tmp_path / "work", tmp_path / CANARY
    for folder in (work / "sub", canary):
        folder.mkdir(parents=True)
        (folder / "x.csv").write_text("a,y\n1,2\n" if folder is not canary else "secret,y\n1,2\n")
        (folder / "x.tfg").write_text("m = 1\n" if folder is not canary else "secret = 1\n")
    (work / "other").symlink_to(canary)
    monkeypatch.chdir(work)
    stop = threading.Event()

    def swap():
        while not stop.is_set():
            assert exchange(-100, b"sub", -100, b"other", 2) == 0

    thread = threading.Thread(target=swap)
    before = escapes.tree(canary)
    thread.start()
    yield tmp_path
    stop.set()
    thread.join()
    assert escapes.tree(canary) == before


def test_reads_while_folders_are_swapped(swapped):
    seen = set()
    for _ in range(100):
        for text in ('data d = csv("sub/x.csv", target="secret")\n', 'from "sub/x.tfg" import secret\n'):
            codes = {d.code for d in check(Source("p.tfg", text))[1]}
            assert codes, "the canary was read"
            seen |= codes
    assert seen & REFUSED and seen - REFUSED


@pytest.mark.parametrize("kind", some(SESSIONS, SESSIONS.keys() - {"log", "export"}))
def test_writes_while_folders_are_swapped(swapped, kind):
    text = escapes.KINDS[kind][0].format(path="sub/out")
    program = None
    for _ in range(10):
        try:
            program = program or tfdsl.compile(text)
            program.run()
        except tfdsl.TfgError as error:
            codes = {d.code for d in error.diagnostics}
            assert codes <= REFUSED | {"TFG704", "TFG707", "TFG709", "TFG711", "TFG717", "TFG718"}, error


# --- pickles ----------------------------------------------------------------------------------
@dataclass
class Planted:
    """Creates a file when it is unpickled."""

    path: str

    def __reduce__(self):
        return open, (self.path, "w")


def planted(folder: Path) -> dict[str, bytes]:
    """Files that contain a pickle, by name."""
    array = np.empty((1, 1), object)
    array[0, 0] = Planted(str(folder / "ran"))
    np.savez(folder / "objects.npz", X=array)
    np.savez(folder / "target.npz", X=np.ones((1, 1)), y=array[:, 0])
    with zipfile.ZipFile(folder / "bare.npz", "w") as archive:
        archive.writestr("X.npy", pickle.dumps(array))
    np.save(folder / "x.npy", array)
    shutil.move(folder / "x.npy", folder / "array.npz")
    data = pickle.dumps(array)
    for name in ("plain.npz", "plain.csv", "plain.parquet", "plain.tfg", "model.ckpt.index"):
        (folder / name).write_bytes(data)
    record = np.zeros((1, 1), [("a", object)])
    record["a"] = Planted(str(folder / "ran"))
    np.savez(folder / "records.npz", X=record)


@pytest.mark.parametrize(
    "text",
    ['data d = npz("objects.npz")', 'data d = npz("target.npz")', 'data d = npz("bare.npz")', 'data d = npz("array.npz")', 'data d = npz("plain.npz")',
     'data d = npz("records.npz")', 'data d = csv("plain.csv")', 'data d = csv("plain.csv", stream=true)', 'data d = parquet("plain.parquet")', 'import "plain.tfg" as m',
     'variable v = 1.0\nsession:\n    restore from "model.ckpt"'],
)  # fmt: skip
def test_pickles_are_not_executed(text, here):
    planted(here)
    with pytest.raises(tfdsl.TfgError) as caught:
        program = tfdsl.compile(text + "\n")
        if "session" in text:
            program.run()
        program.dataset("d")
    assert caught.value.diagnostics[0].code in {"TFG118", "TFG605", "TFG616", "TFG618", "TFG619", "TFG626", "TFG709"}
    assert not (here / "ran").exists()
    with np.load("objects.npz", allow_pickle=True) as stored:
        stored["X"]
    assert (here / "ran").exists()  # the pickle works
