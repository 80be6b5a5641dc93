"""`tfdsl new`: copies a program that comes with the package, and the files that it needs, to a folder."""

import argparse
import os
import re
import shlex
import shutil
from contextlib import suppress

from ..bundled import bundled
from ..diagnostics.spelling import counted, did_you_mean
from ..record import Record
from .parser import CommandParser
from .report import WrongUse, show

DEFAULT = "ferries"


class Example(Record):
    """A program to begin with: the file `models/NAME.tfg`, or `models/NAME/NAME.tfg` with the other files there."""

    name: str
    folder: str  # with its files
    program: str  # the text
    files: tuple[str, ...]  # and folders

    @property
    def has_data(self) -> bool:
        return os.path.basename(self.folder) == self.name

    def header(self) -> str:
        return "\n".join(re.findall(r"^# ?(.*)", re.split(r"^(?!#)", self.program, maxsplit=1, flags=re.M)[0], re.M))

    def summary(self) -> str:
        """The first sentence of the header."""
        paragraph = " ".join(self.header().split("\n\n")[0].split())
        return re.split(r"(?<=[.?]) ", paragraph)[0]

    def commands(self) -> list[str]:
        """The commands of the header, in the folder of the copy."""
        return re.findall(r"^ +((?:tfdsl|python) .*)", self.copied(self.header()), re.M)

    def copied(self, text: str) -> str:
        """A text of a program with the paths of the copy."""
        for file in self.files:
            place = f"models/{self.name}/{file}" if self.has_data else f"models/{file}"
            text = text.replace(place, file)
        return text


def examples() -> dict[str, Example]:
    """By name, those with data first."""
    top = bundled("models")
    names = sorted(name for name in os.listdir(top) if os.path.isfile(os.path.join(top, name, f"{name}.tfg")))
    found = [_example(name, os.path.join(top, name), None) for name in names]
    for file in sorted(os.listdir(top)):
        if file.endswith(".tfg"):
            found.append(_example(file.removesuffix(".tfg"), top, file))
    return {one.name: one for one in found}


def _example(name: str, folder: str, alone: str | None) -> Example:
    with open(os.path.join(folder, f"{name}.tfg"), encoding="utf-8") as file:
        text = file.read()
    if alone is None:
        files = [file for file in os.listdir(folder) if file != "__pycache__"]
    else:  # with the files that it speaks of, such as one that describes a cluster
        spoken = {alone, *re.findall(r"\bmodels/([\w.-]*\w)", text)}
        files = [file for file in spoken if os.path.isfile(os.path.join(folder, file))]
    return Example(name, folder, text, tuple(sorted(files)))


def configure(parser: CommandParser) -> None:
    parser.description = (
        "Copy a program that comes with tfdsl, and the data that it needs, to a folder, and say what to type next. "
        "Nothing that exists is replaced."
    )
    parser.add_argument("folder", metavar="DIR", nargs="?", help="the folder to create; . is the current folder")
    parser.add_argument("--from", metavar="PROGRAM", dest="example", help=f"which program (default: {DEFAULT})")
    parser.add_argument("--list", action="store_true", help="list the programs")


def command(arguments: argparse.Namespace) -> int:
    known, folder = examples(), arguments.folder
    if arguments.list:
        if folder is not None or arguments.example is not None:
            raise WrongUse("--list copies nothing: leave out the rest")
        width = max(map(len, known))
        for example in known.values():
            print(f"{example.name:{width}}  {example.summary()}")
        return 0
    if folder is None:
        raise WrongUse("tfdsl new needs the name of a folder, as in: tfdsl new shop")
    name = DEFAULT if arguments.example is None else arguments.example
    if name not in known:
        raise WrongUse(f"there is no program {name!r}: {did_you_mean(name, known) or 'tfdsl new --list shows all'}")
    example = known[name]
    _copy(example, folder)
    for file in example.files:
        path = _path(folder, file)
        inside = sum(len(files) for _, _, files in os.walk(path))
        show(f"{path}/ ({counted(inside, 'file')})" if os.path.isdir(path) else path)
    print("\nNext:\n")
    enter = [] if os.path.normpath(folder) == "." else [f"cd {shlex.quote(folder)}"]
    for line in enter + example.commands():
        show(f"    {line}")
    if arguments.example is None:
        named = os.path.basename(os.path.normpath(folder))
        is_other = named in known and named != DEFAULT
        print(
            f"\nFor the program {named}: tfdsl new DIR --from {named}"
            if is_other
            else "\nFor other programs: tfdsl new --list"
        )
    return 0


def _copy(example: Example, folder: str) -> None:
    """Copy the files of an example, or none of them."""
    is_new = not os.path.lexists(folder)
    try:
        os.makedirs(folder, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise WrongUse(f"{folder!r} cannot be a folder: a file is in its way") from None
    except ValueError:
        raise WrongUse(f"{folder!r} cannot be the name of a folder") from None
    taken = [path for path in (_path(folder, file) for file in example.files) if os.path.lexists(path)]
    if taken:
        raise WrongUse(f"{_listed(taken)} already: nothing was copied; name another folder")
    made: list[str] = []
    try:
        for file in example.files:
            source, path = os.path.join(example.folder, file), _path(folder, file)
            if os.path.isdir(source):
                os.mkdir(path)
                made.append(path)
                shutil.copytree(source, path, copy_function=shutil.copyfile, dirs_exist_ok=True)
                continue
            with open(source, "rb") as given, open(path, "xb") as taking:
                made.append(path)
                content = given.read()
                taking.write(example.copied(content.decode()).encode() if _is_text(file) else content)
    except BaseException:
        for path in made:
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        if is_new:
            with suppress(OSError):
                os.rmdir(folder)
        raise


def _path(folder: str, file: str) -> str:
    return os.path.normpath(os.path.join(folder, file))


def _is_text(file: str) -> bool:
    """Whether a file may speak of the others."""
    return file.endswith((".tfg", ".yaml"))


def _listed(paths: list[str]) -> str:
    if len(paths) == 1:
        return f"{paths[0]!r} exists"
    return f"{', '.join(map(repr, paths[:-1]))} and {paths[-1]!r} exist"
