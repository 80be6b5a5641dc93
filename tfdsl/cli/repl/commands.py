"""The commands of the prompt, which begin with a colon."""

import os
import shlex
from collections.abc import Callable

from ...diagnostics.spelling import did_you_mean, listed, shortened
from ...outputs import write_output
from ...program.summary import as_text
from ...record import Record
from ...syntax.read import read
from ..graph import drawn
from ..report import WrongUse, show
from ..summary import print_layers
from .live import Effect, LiveProgram


class Command(Record):
    """A command: what follows its name, what it does, and the function that does it."""

    usage: str
    doc: str
    function: Callable[[LiveProgram, str], Effect | None]


class Leave(Exception):
    """The user wants to leave."""


def _type(live: LiveProgram, rest: str) -> None:
    if not rest:
        raise WrongUse(":type takes an expression")
    show(live.type_of(rest))


def _graph(live: LiveProgram, rest: str) -> None:
    compiled = live.compiled()
    if not rest:
        show(as_text(compiled.program))
        return

    write_output(rest, drawn(compiled, rest))
    show(f"drew {rest}")


def _summary(live: LiveProgram, rest: str) -> None:
    print_layers(live.compiled().program)


def _vars(live: LiveProgram, rest: str) -> None:
    states = live.variables()
    for name, value in states.items():
        text = (
            "no value yet: the next entry that computes something gives it its initial one"
            if value is None
            else _short(value)
        )
        show(f"{name} = {text}")
    for name, value in live.values.items():
        fields = {f"{name}.{field}": one for field, one in value.items()} if isinstance(value, dict) else {name: value}
        for one, part in fields.items():
            show(f"{one} = {_short(part)}  (of a session)")
    if not states and not live.values:
        show("there are no variables")


def _short(value: object) -> str:
    import numpy as np

    text = " ".join(str(value).split())
    if isinstance(value, np.ndarray) and value.shape:
        return f"{value.dtype}[{', '.join(map(str, value.shape))}] {shortened(text)}"
    return text


def _load(live: LiveProgram, rest: str) -> Effect:
    path = _path(":load", rest)
    return live.load(path, read(path).text)


def _save(live: LiveProgram, rest: str) -> None:
    path = _path(":save", rest)
    if not path.endswith(".tfg"):
        raise WrongUse("a program is saved to a file that ends in .tfg")
    if os.path.exists(path):
        raise WrongUse(f"{path!r} exists: choose another name")

    saved = live.saved()
    write_output(path, saved.text)
    changed = f"{listed(saved.changed)} {'has' if len(saved.changed) == 1 else 'have'} changed since"
    if saved.left_out and not saved.changed:
        show(f"saved {path}, without the statements that ran, which cannot be in one session")
    elif saved.left_out:
        show(f"saved {path}, without the statements that ran: {changed}")
    elif saved.changed:
        show(f"saved {path}, but its session does not do what ran here: {changed}")
    else:
        show(f"saved {path}")


def _reset(live: LiveProgram, rest: str) -> None:
    live.reset()
    show("all variables have their initial values")


def _help(live: LiveProgram, rest: str) -> None:
    show("Declarations and statements of the language run at once; a bare expression shows its value.\n")
    width = max(len(f":{name} {one.usage}") for name, one in COMMANDS.items())
    for name, one in COMMANDS.items():
        show(f"  {f':{name} {one.usage}':{width}}  {one.doc}")


def _quit(live: LiveProgram, rest: str) -> None:
    raise Leave


def _path(command: str, rest: str) -> str:
    try:
        words = shlex.split(rest)
    except ValueError:
        words = []
    if len(words) != 1:
        raise WrongUse(f"{command} takes the name of a file")
    return words[0]


COMMANDS = {
    "type": Command("EXPR", "dtype and shape of an expression, or what it is", _type),
    "graph": Command("[FILE]", "the names of the graph, or a picture of it: .svg, .html, .dot ...", _graph),
    "summary": Command("", "the layers with their parameters", _summary),
    "vars": Command("", "the variables with their values", _vars),
    "load": Command("FILE", "add the declarations of a program", _load),
    "save": Command("FILE", "write the program to a file", _save),
    "reset": Command("", "give all variables their initial values", _reset),
    "help": Command("", "this list", _help),
    "quit": Command("", "leave; so does Ctrl-D", _quit),
}  # fmt: skip


def run_command(live: LiveProgram, text: str) -> Effect | None:
    """Run a line that begins with a colon. Raises `WrongUse` for one that is no command."""
    name, _, rest = text.strip().removeprefix(":").partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        near = did_you_mean(name, COMMANDS)
        raise WrongUse(f"there is no command :{name}; {near or ':help lists them'}")
    return command.function(live, rest.strip())
