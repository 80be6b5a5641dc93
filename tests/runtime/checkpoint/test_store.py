"""A store of checkpoints after a kill, at every moment of a save."""

import hashlib
import os
import shutil
from contextlib import closing, contextmanager
from functools import partial

import pytest

from tfdsl.access import TRUSTED, Folder
from tfdsl.runtime.checkpoint.store import CheckpointStore


def put(store, step, **values):
    """Save a checkpoint whose variables are the step."""
    contents = {name: text.encode() for name, text in values.items()}
    files = {name: f"value-{hashlib.sha256(content).hexdigest()[:16]}" for name, content in contents.items()}

    def save(prefix):
        with open(f"{prefix}.index", "xb") as file:
            file.write(str(step).encode())

    store.put(
        step, {"step": step, "values": files}, save, {files[name]: partial(bytes, contents[name]) for name in files}
    )


def opened(path):
    return closing(CheckpointStore(str(path), TRUSTED))


@contextmanager
def kills(folder):
    """Copies of a folder, each as a kill at one moment of the block would leave it."""
    copies = []

    def copy():
        copies.append(folder.parent / f"copy-{len(copies)}")
        shutil.copytree(folder, copies[-1])

    def before(function):
        return lambda *args, **options: (copy(), function(*args, **options))[1]

    def after(function):
        return lambda *args: (function(*args), copy())[0]

    with pytest.MonkeyPatch.context() as patch:
        for name in ("rename", "fsync", "unlink", "rmdir"):
            patch.setattr(os, name, before(getattr(os, name)))
        patch.setattr(Folder, "creating", after(Folder.creating))
        yield copies


def test_every_moment_of_a_save_can_be_resumed(tmp_path):
    with opened(tmp_path / "ck") as store:
        for step in (1, 2):
            put(store, step, same="text", other=f"{step}")
        with kills(tmp_path / "ck") as copies:
            put(store, 3, same="text", other="3")
    assert len(copies) > 12
    found = []
    for path in copies:
        with opened(path) as store:
            state, damaged = store.newest()
            found.append(state.about["step"])
            assert not damaged
            assert store.values(state) == {"same": b"text", "other": str(found[-1]).encode()}
            put(store, 3, same="text", other="3")
            state, damaged = store.newest()
            assert state.about["step"] == 3 and not damaged
            store.clear()
        assert not path.exists() or not list(path.iterdir()), "nothing is left of the save"
    assert found == sorted(found) and set(found) == {2, 3}


def test_a_damaged_value_is_written_again(tmp_path):
    with opened(tmp_path / "ck") as store:
        put(store, 1, same="text")
    (file,) = (tmp_path / "ck").glob("value-*")
    file.write_bytes(b"tex")
    with opened(tmp_path / "ck") as store:
        put(store, 2, same="text")
        state, damaged = store.newest()
        assert not damaged and store.values(state) == {"same": b"text"}
