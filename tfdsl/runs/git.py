"""The commit of the folder of a program, and whether files that belong to it have changed since."""

import os
import re
import subprocess
from contextlib import suppress

_PATIENCE = 10.0  # seconds at the end of a run
# Settings of a repository with which `git status` would run other programs. A repository can come with a program.
_RISKY = re.compile(r"^\s*\[\s*(filter|include|includeif)\b|\bfsmonitor\b", re.IGNORECASE | re.MULTILINE)


class GitState:
    """Asks git in the background, beginning at once. Nothing is asked outside a checkout."""

    def __init__(self, folder: str):
        self._process: subprocess.Popen[bytes] | None = None
        if _is_checkout(folder):
            command = ["git", "-c", "core.fsmonitor=false", "--no-optional-locks", "-C", folder, "status",
                       "--porcelain=v2", "--branch", "--untracked-files=no", "--ignore-submodules=all"]  # fmt: skip
            with suppress(OSError):  # there is no git
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
                )

    def value(self) -> dict[str, object] | None:
        """The commit, and whether it is dirty. None if git does not say so."""
        if self._process is None:
            return None
        try:
            said, _ = self._process.communicate(timeout=_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None
        lines = said.decode("utf-8", "replace").splitlines()
        commit = next((line.split()[-1] for line in lines if line.startswith("# branch.oid ")), "")
        if self._process.returncode != 0 or not re.fullmatch(r"[0-9a-f]{40,64}", commit):
            return None
        return {"commit": commit, "dirty": any(not line.startswith("#") for line in lines)}


def _is_checkout(folder: str) -> bool:
    """Whether a folder is in a checkout whose settings run nothing."""
    place = os.path.abspath(folder or ".")
    while True:
        found = os.path.join(place, ".git")
        if os.path.exists(found):
            return not _is_risky(found)
        above = os.path.dirname(place)
        if above == place:
            return False
        place = above


def _is_risky(found: str) -> bool:
    try:
        if os.path.isfile(found):  # of a worktree: `gitdir: PATH`
            with open(found, encoding="utf-8", errors="replace") as file:
                found = os.path.join(os.path.dirname(found), file.read(4096).partition(":")[2].strip())
            common = os.path.join(found, "commondir")
            if os.path.isfile(common):
                with open(common, encoding="utf-8", errors="replace") as file:
                    shared = os.path.join(found, file.read(4096).strip())
                return any(map(_has_risks, (os.path.join(found, "config.worktree"), os.path.join(shared, "config"))))
        return any(_has_risks(os.path.join(found, name)) for name in ("config", "config.worktree"))
    except OSError:
        return True


def _has_risks(path: str) -> bool:
    if not os.path.exists(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        return bool(_RISKY.search(file.read()))
