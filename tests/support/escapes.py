"""Programs that try to reach a forbidden folder, the canary: a table, and a process that runs them all.

As a program it takes the folder that `prepare` has set up, and runs the sessions of each escape without the check that
comes before a run, so that the run itself must refuse. It prints each Python event that names the canary, and each
escape that was not refused.
"""

import os
import socket
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

CANARY = "canary-7c1f"
REFUSED = {"TFG820", "TFG821", "TFG822"}

# What takes a path: its program, and the suffix of its files.
GRAPH = """placeholder X: float32[2]
variable v = [1.0, 2.0]
z = v * X
loss reduce_sum(square(v))
summary scalar reduce_sum(v) as "sum"
optimize with gradient_descent(learning_rate=0.1)
session:
"""
DECLARATIONS = {
    "import": ('import "{path}" as m\n', ".tfg"),
    "from": ('from "{path}" import m\n', ".tfg"),
    "csv": ('data d = csv("{path}")\n', ".csv"),
    "csv of a stream": ('data d = csv("{path}", stream=true)\n', ".csv"),
    "npz": ('data d = npz("{path}")\n', ".npz"),
    "parquet": ('data d = parquet("{path}")\n', ".parquet"),
}
SESSIONS = {
    "save": '    save to "{path}"\n',
    "save of one": '    save v as "v" to "{path}"\n',
    "restore": '    restore from "{path}"\n',
    "restore if": '    restore from "{path}" if exists\n',
    "log": '    log to "{path}"\n    train 2 epochs:\n        log\n',
    "checkpoint": '    train 2 epochs:\n        checkpoint every 1 epoch in "{path}"\n',
    "export": '    export z with X to "{path}"\n',
    "save by a param": '    save to "{{p}}"\n',
}
KINDS = {**DECLARATIONS, **{name: (GRAPH + text, "") for name, text in SESSIONS.items()}}
KINDS["save by a param"] = ('param p = "{path}"\n' + GRAPH + SESSIONS["save by a param"], "")

# How it tries: the path, in which {root} contains `work`, `home` and the canary, and {s} is the suffix of files.
OUTSIDE = {
    "absolute": "{root}/{canary}/x{s}",
    "up": "../{canary}/x{s}",
    "down and up": "sub/../../{canary}/x{s}",
    "slashes": "..//{canary}//x{s}",
    "dots": "./.././{canary}/./x{s}",
    "in and out": "../work/../{canary}/x{s}",
    "far up": "../../../../../../../../../../../../../../../..{root}/{canary}/x{s}",
    "the top": "/{canary}{s}",
    "a system file": "/etc/x{s}",
    "case": "../CANARY-7C1F/x{s}",
    "by a folder that is missing": "no/no/../../../{canary}/x{s}",
    "link": "link/x{s}",
    "absolute link": "absolute/x{s}",
    "chain of links": "chain/x{s}",
    "link up": "sub/up/x{s}",
    "link to the folder above": "above/{canary}/x{s}",
    "link to the top": "top{root}/{canary}/x{s}",
    "link to a file": "file{s}",
    "link to nothing": "dangling{s}",
    "link to no folder": "nowhere/x{s}",
    "link of /proc": "cwd/../{canary}/x{s}",
    "/proc": "/proc/self/root{root}/{canary}/x{s}",
    "the working folder by /proc": "/proc/self/cwd/../{canary}/x{s}",
    "a file by its number": "/dev/fd/0",
    "standard input": "/dev/stdin",
    "trailing slash": "../{canary}/sub{s}/",
    "trailing dot": "../{canary}/.",
}  # fmt: skip
FORMS = {
    "home": "~/x{s}",
    "home of root": "~root/x{s}",
    "variable": "$HOME/x{s}",
    "variable in braces": "${{HOME}}/x{s}",
    "variable of Windows": "%APPDATA%/x{s}",
    "null": "x\\x00{s}",
    "line break": "x\\n../{canary}{s}",
    "terminal": "\\x1b[2J{s}",
    "right to left": "\\u202egst.{s}",
    "drive": "C:/x{s}",
    "backslashes": "..\\\\{canary}\\\\x{s}",
    "share": "\\\\\\\\server\\\\share\\\\x{s}",
    "address of a file": "file://{root}/{canary}/x{s}",
    "address in memory": "ram://x{s}",
    "address of a bucket": "gs://bucket/x{s}",
    "long": "{long}{s}",
    "two dots in one": "\\u2025/{canary}/x{s}",
    "wide dots": "\\uff0e\\uff0e/{canary}/x{s}",
    "division slash": "..\\u2215{canary}\\u2215x{s}",
    "wide slash": "..\\uff0f{canary}\\uff0fx{s}",
    "three dots": ".../x{s}",
    "dot at the end": "sub./x{s}",
    "space at the end": ".. /{canary}/x{s}",
    "percent": "%2e%2e/{canary}/x{s}",
    "percent null": "x%00{s}",
}
# For paths that are read as files.
SPECIAL = {
    "hard link": "hard{s}",
    "pipe": "pipe{s}",
    "socket": "socket{s}",
    "round of links": "round{s}",
    "null device": "null{s}",
}


SUFFIXES = sorted({suffix for _, suffix in KINDS.values()})
LINKS = {
    "link": "../{name}", "absolute": "{canary}", "chain": "chain2", "chain2": "sub/chain3", "sub/chain3": "../link",
    "sub/up": "../../{name}", "above": "..", "top": "/", "nowhere": "../{name}/new", "cwd": "/proc/self/cwd",
}  # fmt: skip


def path(place: str, root: Path, suffix: str) -> str:
    """The path of a place as a program writes it."""
    text = {**OUTSIDE, **FORMS, **SPECIAL}[place]
    return text.format(root=root, canary=CANARY, s=suffix, long="x" * 5000)


def program(kind: str, place: str, root: Path) -> str:
    text, suffix = KINDS[kind]
    # In a string of a program, braces are doubled.
    escaped = path(place, root, suffix).replace("{", "{{").replace("}", "}}") if kind in SESSIONS else None
    return text.format(path=escaped or path(place, root, suffix))


def prepare(root: Path) -> None:
    """The folders, and the links out of them: paths are relative to `home` in declarations, to `work` in sessions."""
    canary, here = root / CANARY, os.getcwd()
    canary.mkdir()
    for suffix in SUFFIXES:
        for name in ("x", "second"):
            (canary / f"{name}{suffix}").write_text("m = 1\n1\n")
    for folder in (root / "work", root / "home"):
        (folder / "sub").mkdir(parents=True)
        os.chdir(folder)  # the name of a socket cannot be long
        for suffix in SUFFIXES:
            os.symlink(f"../{CANARY}/x{suffix}", f"file{suffix}")
            os.symlink(f"../{CANARY}/new{suffix}", f"dangling{suffix}")
            os.symlink(f"round{suffix}", f"round{suffix}")
            os.symlink("/dev/null", f"null{suffix}")
            os.link(canary / f"second{suffix}", f"hard{suffix}")
            os.mkfifo(f"pipe{suffix}")
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(f"socket{suffix}")
        for name, target in LINKS.items():
            os.symlink(target.format(canary=canary, name=CANARY), name)
    os.chdir(here)


def tree(folder: Path) -> dict[str, object]:
    """The contents of a folder: names, kinds, contents."""
    return {
        str(one.relative_to(folder)): one.read_bytes()
        if one.is_file() and not one.is_symlink()
        else one.lstat().st_mode
        for one in sorted(folder.rglob("*"))
    }


def pairs(kinds: Iterable[str], places: Iterable[str], every: bool) -> Iterator[tuple[str, str]]:
    """Kinds with places: all pairs, or a sixth of them, with each kind and each place."""
    for number, kind in enumerate(kinds):
        yield from ((kind, place) for at, place in enumerate(places) if every or (at + number) % 6 == 0)


def run_all(root: Path, every: bool) -> None:
    """Check the declarations of escapes, and run the sessions, unchecked."""
    os.chdir(root / "work")
    import tfdsl
    from tfdsl.analysis.sessions import paths
    from tfdsl.driver import check
    from tfdsl.source import Source

    paths.refused = lambda program, access: ()
    tfdsl.compile("x = constant(1.0)\nsession:\n    print x\n").run()  # load everything that TensorFlow needs
    sys.addaudithook(_heard)
    for kind, place in pairs(DECLARATIONS, (*OUTSIDE, *FORMS, *SPECIAL), every):
        _heard.case = f"{kind}: {place}"
        found = check(Source(str(root / "home/p.tfg"), program(kind, place, root)))[1]
        if not {diagnostic.code for diagnostic in found} & (REFUSED | {"TFG310"}):
            print(f"{_heard.case}: not refused")
    for kind, place in pairs(SESSIONS, (*OUTSIDE, "null", "terminal", "backslashes", "address of a file"), every):
        if place in ("link to a file", "link to nothing") and kind not in ("log", "checkpoint"):
            continue  # they write beside the link, which is inside
        _heard.case = f"{kind}: {place}"
        text = program(kind, place, root)
        try:
            tfdsl.compile(text).run()
        except tfdsl.TfgError as error:
            codes = {diagnostic.code for diagnostic in error.diagnostics}
            if not codes & REFUSED:
                print(f"{_heard.case}: {codes}")
        else:
            print(f"{_heard.case}: not refused")
    print("done")


def _heard(event: str, arguments: tuple) -> None:
    said = " ".join(os.fsdecode(a) if isinstance(a, bytes) else str(a) for a in arguments)
    if event.split(".")[0] in ("open", "os", "shutil", "pathlib", "glob", "subprocess", "tempfile") and CANARY in said:
        print(f"{_heard.case}: {event} {arguments}")


if __name__ == "__main__":
    run_all(Path(sys.argv[1]), every=sys.argv[2] == "all")
