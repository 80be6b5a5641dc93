"""The cell magic `%%tfg` of IPython and Jupyter.

    %load_ext tfdsl

    %%tfg model --set learning_rate=0.05
    variable w = [1.0, 2.0]
    session:
        print w

Each cell is a program with its own graphs, so running a cell again adds nothing to it. A cell can use names that
other cells bound last. They are values there, never nodes:

- a name of an earlier `%%tfg` cell has its value after the sessions of that cell: numbers, strings and lists are
  compile-time values, everything else is an array, like `housing.features`. A name that depends on a fed
  placeholder has no value. `data`, `def` and `import` of an earlier cell can be used as in the cell itself;
- a Python variable, if the name would be unknown otherwise: a number, a string, a list of them, or a value that
  NumPy converts to an array.
"""

import argparse
import keyword
import os
import re
import shlex
import sys
import threading
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import nullcontext, suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any

from .analysis.names import declared, names_of_import
from .analysis.values import KnownData
from .cli import tensorflow
from .cli.options import add_program_options, given
from .cli.parser import CommandParser
from .cli.progress import bar
from .cli.report import WrongUse, bug_found, colour, show, tell
from .cli.signals import interruptible
from .data.given import is_table, refused
from .diagnostics import UNKNOWN_NAME, UNUSED, UNUSED_VALUE, Diagnostic, TfgError
from .diagnostics.render import render_text
from .diagnostics.spelling import counted, did_you_mean, listed
from .draw.curves import curves
from .draw.formats.svg import svg
from .draw.links import linked
from .draw.picture import picture
from .driver import Compiled, check
from .given import whole
from .inputs import CompileInputs, ExternalNames
from .known_values import NO_VALUE, as_data, as_values, is_data
from .program import Ref, Static
from .quiet import load_beside_others
from .record import Record
from .runtime.options import Progress
from .source import Source
from .syntax import tree as t
from .syntax.parse import parse_anyway

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from .runtime.result import Result


def load(shell: "InteractiveShell") -> None:
    """Add the magic `%%tfg` to an IPython shell."""
    magics: Any = shell  # its stub asks for a function that takes the shell
    notebook = Notebook(shell)

    def tfg(line: str, cell: str | None = None) -> object:
        return notebook.run_cell(line, cell)

    tfg.__doc__ = f"Compile a cell and run its sessions.\n\n{_parser().format_help()}"
    magics.register_magic_function(tfg, "line_cell", "tfg")


_PAUSE = 0.5  # seconds between two updates of a progress
_LISTED = 10  # names in a message


class CellError(Exception):
    """A cell failed. IPython shows its text and stops running further cells."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


class Cell:
    """A cell that ran: its `program`, the `result` of its sessions, and the values of its names, `cell["w"]`.

    A value is the value of the name after the sessions: a NumPy array, or a plain number or string. The name of an
    `evaluate` of several values has a dict, and `cell["test.cost"]` is one of them. A name in a scope has dots, as in
    the program, or slashes, as in TensorFlow: `cell["dense.kernel"]`, `cell["dense/kernel"]`.
    """

    def __init__(self, program: Compiled, result: "Result | None" = None):
        self.program: Compiled = program
        self.result: Result | None = result
        self._values: dict[str, object] = {}

    def needs(self, name: str) -> list[str]:
        """The placeholders that must be fed to compute the value of a name."""
        if name not in self.program:
            return []
        graph, named = self.program.names[name]
        nodes = graph.reach([named.value]) if isinstance(named.value, Ref) else ()
        return [graph.nodes[n].given_name for n in sorted(nodes) if graph.nodes[n].is_placeholder
                and "default" not in graph.nodes[n].args]  # fmt: skip

    def is_inner(self, name: str) -> bool:
        """Whether a function computed a name for itself, unlike the variables that it made."""
        if name not in self.program:
            return False
        graph, named = self.program.names[name]
        is_variable = isinstance(named.value, Ref) and graph.nodes[named.value.node].is_variable
        return named.is_inner and not is_variable

    @property
    def session_values(self) -> Mapping[str, object]:
        """The values that the sessions of the cell gave to names."""
        return self.result.session_values if self.result is not None else {}

    def _evaluated(self, name: str) -> object:
        """A value that the sessions gave: of a name, or of a field of an `evaluate`. `NO_VALUE` if they gave none."""
        of, _, field = name.rpartition(".")
        fields = self.session_values.get(of)
        found = fields.get(field, NO_VALUE) if isinstance(fields, dict) else NO_VALUE
        return self.session_values.get(name, found)

    def __contains__(self, name: str) -> bool:
        name = name.replace("/", ".")
        if self._evaluated(name) is not NO_VALUE:
            return True
        if name not in self.program:
            return False
        graph, named = self.program.names[name]
        if isinstance(named.value, Ref):
            return graph.type(named.value) is not None and not self.needs(name)
        return isinstance(named.value, Static)  # the meaning of a list of tensors in a later cell is undecided

    def __getitem__(self, name: str) -> object:
        name = name.replace("/", ".")
        if (found := self._evaluated(name)) is not NO_VALUE:
            return found
        if name not in self:
            needed = " and ".join(self.needs(name))
            names = [one for one in (*self.session_values, *self.program.names) if not self.is_inner(one)]
            having = [one for one in names if one in self]
            near = did_you_mean(name, names) or f"the names with values are {listed(having, _LISTED) or 'none'}"
            why = f" without a feed of {needed}, {_instead(self, name)}" if needed else f"; {near}"
            raise KeyError(f"{name!r} has no value in this cell{why}")
        if name not in self._values:
            graph, _ = self.program.names[name]
            variables = self.result.variables if self.result else None
            with self.program.session(graph.name, variables) as session:
                bare = name.removeprefix(graph.prefix)
                self._values[name] = session.run(bare)
        return self._values[name]

    def __getattr__(self, name: str) -> object:
        way = f"; write [{name!r}] for the value of the name" if not name.startswith("_") and name in self else ""
        raise AttributeError(f"a cell has no attribute {name!r}{way}")

    @property
    def graph(self) -> "Drawn":
        """The picture of its graphs, with data sets and sessions."""
        program = self.program.program
        return Drawn(svg([linked(picture(graph), program, graph) for graph in program.graphs]), f"{self!r}: graph")

    @property
    def curves(self) -> "Drawn":
        """The curves of the scalars that it logged."""
        history = self.result.history if self.result else {}
        found = f"curves of {', '.join(history)}" if history else "no curves: its sessions logged no scalars with 'log'"
        return Drawn(curves(history), f"{self!r}: {found}")

    def __repr__(self) -> str:
        return f"<Cell {repr(self.program)[len('<Compiled ') :]}"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return self.program._repr_mimebundle_()


class Drawn:
    """A picture that notebooks show: `svg` is its text."""

    def __init__(self, svg: str, text: str):
        self.svg: str = svg
        self._text = text

    def __repr__(self) -> str:
        return f"<{self._text}>"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "image/svg+xml": self.svg}


class ProgressLine(Progress):
    """The progress of a training in the output of a cell: one line that changes in place, and is empty in the end. A
    training that is over before the first `pause` shows none."""

    def __init__(self, publish: Callable[..., object], total: int, unit: str, pause: float = _PAUSE):
        self._publish, self._total, self._pause = publish, total, pause
        self._id = os.urandom(8).hex()
        self._due = monotonic() + pause
        self._counts_epochs, self._epoch, self._loss = unit == "epoch", 0, ""
        self._is_shown = False

    def at(self, epoch: int, loss: float | None) -> None:
        self._epoch, self._loss = epoch, "" if loss is None else f", loss {loss:.4g}"

    def step(self, done: int) -> None:
        now = monotonic()
        if now >= self._due:
            self._due = now + self._pause
            epoch = f"epoch {self._epoch}, " if self._counts_epochs else ""
            text = f"{epoch}step {done:,} of {self._total:,}{self._loss}"
            self._show(text, f'<progress value="{done}" max="{self._total}"></progress> {text}')

    def close(self) -> None:
        if self._is_shown:
            self._show("", "")

    def _show(self, text: str, html: str) -> None:
        data = {"text/plain": text, "text/html": html}
        self._publish(data, transient={"display_id": self._id}, update=self._is_shown)
        self._is_shown = True


class _Bound(Record):
    """A name that a cell bound, and the Python variable of that name at that time. A newer Python variable replaces
    it."""

    value: Cell | KnownData | t.Def
    cell: Cell
    python: object


class _Names(Mapping):
    """Names whose values are computed on first use."""

    def __init__(self, names: Iterable[str], find: Callable[[str], object]):
        self._names, self._find = frozenset(names), find
        self._found: dict[str, object] = {}

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __getitem__(self, name: str) -> object:
        if name in self._names and name not in self._found:
            self._found[name] = self._find(name)
        if self._found.get(name, NO_VALUE) is NO_VALUE:
            raise KeyError(name)
        return self._found[name]


class _Around:
    """The names that a cell can see in addition to its own. `used` has the cells whose data it uses."""

    def __init__(self, bound: Mapping[str, _Bound], python: Mapping[str, object], hidden: Container[str]):
        data = {n: v for n, v in python.items() if is_data(v) and not n.startswith("_") and n not in hidden}
        self._python = {n: v for n, v in data.items() if n not in bound or bound[n].python is not v}
        self._bound = {n: v for n, v in bound.items() if n not in self._python}
        self._variables = {n: v for n, v in python.items() if not n.startswith("_") and n not in hidden}
        self.used: dict[str, Cell] = {}
        self.names = ExternalNames(_Names(self._bound, self._of_cell), _Names(self._python, self._of_python))

    def _of_python(self, name: str) -> object:
        return as_data(self._python[name], of_python=True)

    def _of_cell(self, name: str) -> object:
        bound = self._bound[name]
        if isinstance(bound.value, Cell):
            return as_values(bound.value[name]) if name in bound.value else NO_VALUE
        if isinstance(bound.value, KnownData):
            self.used[name] = bound.cell
        return bound.value

    def advised(self, diagnostic: Diagnostic) -> Diagnostic:
        """Explain an unknown name: why one of an earlier cell has no value, or how a Python variable becomes data."""
        name = (diagnostic.details or {}).get("name") if diagnostic.message is UNKNOWN_NAME else None
        if not isinstance(name, str):
            return diagnostic
        if name in self._variables and (declared := _source_of(diagnostic)):
            line = f"%%tfg --data {declared}={name}"
            why = f"'{name}' is a Python variable. The line {line} gives it to the declaration: "
            return replace(diagnostic, help=f'{why}data {declared} = csv("{name}.csv")')
        help = _without_value(name, self._bound[name].cell) if name in self._bound else ""
        inside = {other: bound.cell for other, bound in self._bound.items() if other.startswith(f"{name}.")}
        if not help and inside:
            help = _in_scope(name, inside)
        if not help and name in self._variables:
            help = _unreadable(name, self._variables[name])
        return replace(diagnostic, help=help) if help else diagnostic


def _without_value(name: str, cell: Cell) -> str:
    """Why a name of an earlier cell has no value for another cell, and what has."""
    here, needed = cell.program.program.path, cell.needs(name)
    if needed == [name]:
        return f"'{name}' of {here} is a placeholder, which only that cell can feed: declare one here"
    if not needed:
        return f"'{name}' of {here} is an operation without output"
    return f"'{name}' of {here} has no value without a feed of {' and '.join(needed)}, {_instead(cell, name)}"


def _instead(cell: Cell, name: str) -> str:
    """What to use in place of a value that needs a feed."""
    known = [
        f"{one}.{name}" for one, fields in cell.session_values.items() if isinstance(fields, dict) and name in fields
    ]
    return f"but {known[0]} has one" if known else "so evaluate or print it there"


def _in_scope(name: str, inside: Mapping[str, Cell]) -> str:
    """How to read the values in a scope of an earlier cell, from the names in it and their cells."""
    inside = {other: cell for other, cell in inside.items() if not cell.is_inner(other)}
    having = [f'["{other}"]' for other, cell in inside.items() if other in cell]
    if having:
        return f"'{name}' is a scope of an earlier cell, whose values Python can read: {listed(having, _LISTED)}"
    if not inside:
        return f"'{name}' is a scope of an earlier cell, in which only a call has values"
    other, cell = next(iter(inside.items()))
    why = _without_value(other, cell)
    return f"'{name}' is a scope of an earlier cell, without values that other cells can use: {why}"


def _unreadable(name: str, value: object) -> str:
    """Why a Python variable has no value in a cell."""
    of_type = f"'{name}' is a Python variable of type {type(value).__name__}"
    if is_table(value) or isinstance(value, Mapping):
        return (
            f"{of_type}. A cell reads a table only if its columns are all numbers, or all texts. Any table can be "
            f'data: %%tfg --data table={name}, and in the cell data table = csv("{name}.csv")'
        )
    return f"{of_type}. A cell reads numbers, texts, lists of them, and what NumPy makes an array of one of these kinds"


def _unnamed(option: str, text: str) -> str:
    """What to write for a `--data` that names no data of the cell."""
    declared = re.findall(r"^data\s+(\w+)", text, re.MULTILINE)
    name = declared[0] if declared else "table"
    more = "" if declared else f', and in the cell: data {name} = csv("{name}.csv")'
    return f"'--data {option}' does not say which data of the cell gets it: write --data {name}={option}{more}"


def _source_of(diagnostic: Diagnostic) -> str:
    """The name of the data set whose source a diagnostic is about. "" if it is about something else."""
    span = diagnostic.span
    before = span.source.text[: span.start].rpartition("\n")[2] if span is not None else ""
    match = re.fullmatch(r"\s*data\s+(\w+)\s*=\s*", before)
    return match[1] if match else ""


class _CellParser(CommandParser):
    def error(self, message: str):
        raise WrongUse(message)


def _parser() -> CommandParser:
    parser = _CellParser(prog="%%tfg", add_help=False, allow_abbrev=False)
    parser.add_argument("name", nargs="?", help="a Python variable for the cell: its program, result and values")
    data = add_program_options(parser)
    data.metavar = "NAME=SOURCE"
    parser.late_help(data, lambda: "give the data NAME: a Python variable with a table, or the path of a file")
    parser.add_argument("--fresh", action="store_true", help="forget the checkpoints of interrupted trainings")
    parser.add_argument("--show", choices=("graph", "curves"), action="append", default=[],
                        help="draw the graph, or the curves of the logged scalars; can be repeated")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="no warnings, and no list of names")
    return parser


class Notebook:
    """The cells of one shell."""

    def __init__(self, shell: "InteractiveShell"):
        self.shell = shell
        self.bound: dict[str, _Bound] = {}
        self.imports: dict[str, t.Import] = {}  # by the names that they bind

    def run_cell(self, line: str, cell: str | None) -> object:
        """Compile a cell and run its sessions. `%tfg`, in a line of Python, has no cell."""
        try:
            if cell is None:
                raise WrongUse("the program goes into the lines below %%tfg; %tfg? shows the options")
            return self._run(line, cell)
        except TfgError as error:
            text = "\n".join(render_text(d, self._colour()) for d in error.diagnostics)
        except WrongUse as error:
            text = f"%%tfg: {error}\n{_parser().format_usage()}"
        except Exception as error:
            if os.environ.get("TFDSL_TRACEBACK"):
                raise
            text = render_text(bug_found(error), self._colour())
        raise CellError(text)

    def _run(self, line: str, text: str) -> object:
        arguments = _options(line)
        for option in arguments.data:
            if "=" not in option:
                raise WrongUse(_unnamed(option, text))
        extra = given(arguments)
        # Lines count from the line of the magic, like in the notebook.
        cell = Source(f"In[{self.shell.displayhook.prompt_count}]", "\n" + text)
        tree = self._with_imports(parse_anyway(cell, extra.limits))
        data = whole({name: self._given(name, value) for name, value in extra.data.items()})
        access = extra.access("")
        around = _Around(self.bound, self.shell.user_ns, self.shell.user_ns_hidden)

        def compiled(tree: t.File) -> Compiled:
            foreign = tensorflow.foreign(load_beside_others)
            inputs = CompileInputs(extra.params, data, extra.limits, around.names, foreign, access)
            program, diagnostics = check(tree, inputs)
            if program is None:
                raise TfgError(map(around.advised, diagnostics))
            return Compiled(program, data, diagnostics, around.names, access=access)

        program, is_shown = _compile(tree, compiled)
        for name, owner in around.used.items():
            program.share(name, owner.program)
        has_sessions = bool(program.program.sessions)
        if not arguments.quiet:
            # Without sessions, all names are for later cells.
            self._note(d for d in program.diagnostics if has_sessions or d.message not in (UNUSED, UNUSED_VALUE))
        result = self._run_sessions(program, arguments.fresh, is_shown) if has_sessions else None
        made = Cell(program, result)
        self._bind(tree, made, data, around.used)
        if arguments.name:
            self.shell.user_ns[arguments.name] = made
        for what in arguments.show:
            drawn = made.graph if what == "graph" else made.curves
            self.shell.display_pub.publish(drawn._repr_mimebundle_())
        if result is None:
            return None if arguments.quiet else made
        if result.interrupted:
            raise CellError(f"interrupted after {counted(result.steps, 'step')}; the names have their current values")
        return next(iter(result.values.values()), result.printed[0]) if is_shown else None

    def _given(self, name: str, value: str) -> object:
        """The data for the value of an option: the Python variable with this name, or else the path of a file."""
        if value in self.shell.user_ns:
            found = self.shell.user_ns[value]
            if found is None:  # which stands for the data of the program elsewhere
                error = refused(name, f"the Python variable {value}, which is None")
                raise TfgError([Diagnostic(error.message, None, error.details)])
            return found
        if value.isidentifier() and not os.path.exists(value):
            near = did_you_mean(value, [name for name in self.shell.user_ns if not name.startswith("_")])
            raise WrongUse(f"there is no Python variable {value!r}, and no file" + (f"; {near}" if near else ""))
        return value

    def _with_imports(self, tree: t.File) -> t.File:
        """A cell after the imports of other cells that its text, or the text of a function it uses, seems to need."""
        own = {target.id for target, _ in declared(tree.body)} | _imported(tree).keys()
        used, todo = set(own), [tree.span.source.text]
        while todo:
            new = set(re.findall(r"\w+", todo.pop())) - used
            used |= new
            values = (self.bound[name].value for name in new & self.bound.keys())
            todo += [value.span.source.text for value in values if isinstance(value, t.Def)]
        needed = dict.fromkeys(statement for name, statement in self.imports.items() if name in used - own)
        return replace(tree, body=(*needed, *tree.body))

    def _run_sessions(self, program: Compiled, fresh: bool, is_shown: bool) -> "Result":
        load_beside_others()
        from .runtime.options import Options

        def write(line: str) -> None:
            if not is_shown:
                show(line)

        def note(line: str) -> None:
            tell(line)

        is_main = threading.current_thread() is threading.main_thread()  # only this thread can handle signals
        with interruptible() if is_main else nullcontext(lambda: False) as interrupted:
            return program.run(options=Options(
                write=write, note=note, fresh=fresh, interrupted=interrupted, progress=self._progress()))  # fmt: skip

    def _progress(self) -> Callable[[int, int, str], Progress] | None:
        """How to show the progress of a training: in the output of a cell, by the bar of a command, or not at all."""
        if hasattr(self.shell, "kernel"):
            publish = self.shell.display_pub.publish
            return lambda total, done, unit: ProgressLine(publish, total, unit)
        return bar(self._colour()) if sys.stderr.isatty() else None

    def _bind(self, tree: t.File, cell: Cell, data: Mapping[str, object], used: Mapping[str, Cell]) -> None:
        """Make the names of a cell visible to later cells."""
        program = cell.program.program
        values: dict[str, Cell | KnownData | t.Def] = dict.fromkeys(
            (*cell.session_values, *program.graph().names), cell
        )
        values |= {statement.target.id: statement for statement in tree.body if isinstance(statement, t.Def)}
        for one in program.data:
            if one.name not in used and "." not in one.name:  # as data of an imported file has
                values[one.name] = KnownData(one, cell.program.pipeline(one.name))
        self.imports |= _imported(tree)
        for name, value in values.items():
            self.bound[name] = _Bound(value, cell, self.shell.user_ns.get(name, NO_VALUE))

    def _note(self, diagnostics: Iterable[Diagnostic]) -> None:
        for diagnostic in diagnostics:
            print(render_text(diagnostic, self._colour()), file=sys.stderr)

    def _colour(self) -> bool:
        """Whether to write in colour: in a notebook, or on a terminal that supports it."""
        is_plain = os.environ.get("NO_COLOR") or str(self.shell.colors).lower() == "nocolor"
        return not is_plain and (hasattr(self.shell, "kernel") or colour(sys.stdout))


def _imported(tree: t.File) -> dict[str, t.Import]:
    """The names that the imports of a cell bind."""
    imports = [statement for statement in tree.body if isinstance(statement, t.Import)]
    return {name: statement for statement in imports for name in names_of_import(statement)}


def _options(line: str) -> argparse.Namespace:
    try:
        arguments = _parser().parse_args(shlex.split(line))
    except ValueError as error:  # of shlex: a quote is not closed
        raise WrongUse(str(error).lower()) from None
    if arguments.name is not None and (not arguments.name.isidentifier() or keyword.iskeyword(arguments.name)):
        raise WrongUse(f"{arguments.name!r} is not the name of a Python variable")
    return arguments


def _compile(tree: t.File, compiled: Callable[[t.File], Compiled]) -> tuple[Compiled, bool]:
    """A compiled cell, and whether it shows the value of its last expression, like Python cells.

    Only a cell without sessions does. If its expression has no value of its own, the cell declares a graph.
    """
    *before, last = tree.body or (None,)
    if isinstance(last, t.ExpressionStatement) and not any(isinstance(s, t.Session) for s in before):
        shown = t.Session(last.span, None, None, (t.Print(last.span, (last.value,), ()),))
        with suppress(TfgError):
            return compiled(replace(tree, body=(*before, shown))), True
    return compiled(tree), False
