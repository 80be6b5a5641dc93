"""The pages are true: their programs, commands, Python, output, links and numbers.

A page is README.md or one of docs/. Its blocks run in order, in a folder with the files that it shows (those below
`<!-- file: NAME -->`) and the project's `models/`:

- ```tfg is a whole program: canonical, without a warning, and run if it has a session. ```output below it is its
output; - ```console is a tfdsl command and its output, including errors; - ```python runs with the names of the blocks
before it; a line `x # => VALUE` shows the value of `x`; - ```ipython is a cell, and ```text below it is its output.

In docs/tutorial/ and docs/howto/ files appear where the page shows them, and may change; a ```console block has one or
more commands and all that a terminal shows. `--update-golden` writes what the commands show.
"""

import argparse
import contextlib
import io
import json
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import forked
import numpy as np
import pytest
from conftest import some
from curves import curves

import tfdsl
from tfdsl.cli import COMMANDS, main
from tfdsl.cli.options import CONFIG_KEYS
from tfdsl.cli.parser import CommandParser
from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.data.outputs import output_suffixes
from tfdsl.data.sources.california_housing import fetch
from tfdsl.diagnostics.render import render_text
from tfdsl.draw.formats import FORMATS
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.reference.calls import functions
from tfdsl.reference.pages import BLOCK
from tfdsl.source import Source
from tfdsl.syntax.format import format_text
from tfdsl.syntax.hints import GRAPH_WORDS, SESSION_WORDS

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PATHS = {"README.md": ROOT / "README.md"} | {
    path.relative_to(DOCS).as_posix(): path for path in sorted(DOCS.rglob("*.md"))
}
PAGES = {page: path.read_text(encoding="utf-8") for page, path in PATHS.items()}
LESSONS = [page for page in PAGES if page.startswith(("tutorial/", "howto/"))]
OTHERS = [page for page in PAGES if page not in LESSONS]
VALUE = re.compile(r"^(\S.*?) +# => (.+)$", re.M)
NUMBER = re.compile(r"-?\d+\.\d+")
# The engine that builds the least, for trainings whose engine is not a page's subject. The results are the same.
STEP = ("--engine", "step")
# Output that depends on the engine: where Ctrl-C stops a training, and the note that it goes step by step.
OF_ENGINE = re.compile(r"--engine|^\^C$|step by step", re.M)
# Long trainings of layers that the tests of `nn` train too. Without `--long` they are only compiled.
LONG_PROGRAM = re.compile(
    r"(?:nn\.(?:bidirectional|transformer_block|global_avg_pool|conv2d_transpose|nce|dropout)\(|def critic).*^    train ",
    re.M | re.S,
)
# Long trainings, and many processes, whose commands and statements other pages and the tests of the models, of records
# and of tuning have too. Without `--long` their programs are only checked.
LONG_LESSONS = {
    "howto/text.md",
    "howto/pictures.md",
    "howto/time-series.md",
    "howto/two-optimizers.md",
    "howto/transfer.md",
    "howto/from-keras.md",
    "howto/from-ludwig.md",
    "howto/regularization.md",
    "howto/reproduce.md",
    "howto/schedules.md",
    "howto/tensorboard.md",
    "howto/runs.md",
    "howto/tune.md",
    "tutorial/10-networks.md",
}


def blocks(page):
    """The blocks of a page: note, kind, text, and the block that directly follows."""
    found = list(BLOCK.finditer(PAGES[page]))
    for one, below in zip(found, [*found[1:], None]):
        follows = below is not None and not PAGES[page][one.end() : below.start()].strip()
        yield one["note"] or "", one["kind"], one["text"], below if follows else None


def of_kind(kind, pages):
    """The pages that have a block of a kind."""
    return [page for page in pages if any(kind == one for _, one, _, _ in blocks(page))]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder for a page, without a network."""

    def prepared(page):
        if "models/" in PAGES[page]:
            shutil.copytree(ROOT / "models", tmp_path / "models")
        for note, _, text, _ in blocks(page):
            if note.startswith("file: ") and page not in LESSONS:
                path = tmp_path / note.removeprefix("file: ")
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        return tmp_path

    def unreachable():
        raise OSError("no network in tests")

    monkeypatch.setattr(fetch, "fetched", unreachable)
    monkeypatch.setattr(subprocess, "Popen", forked.Popen)
    return prepared


# What differs from run to run and from machine to machine in the output of `tfdsl runs`.
OF_RUNS = (
    (r"\b\d{8}-\d{6}-[0-9a-f]{6}\b", "ID"), (r"\b\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\b", "TIME"),
    (r"^(versions|host|seconds|memory|commit) .*", r"\1"), (r"^(ID .*?) +\d+\.\d(?=  |$)", r"\1 SECONDS"),
    (r"(?<!\.)\b[0-9a-f]{16}\b", "DIGEST"), (r"^id +program .*", "id program"),
)  # fmt: skip


def steady(text):
    for pattern, instead in OF_RUNS:
        text = re.sub(pattern, instead, text, flags=re.M)
    return text


def alike(found, shown, atol=0.02):
    """Whether texts are equal, except that fractions may differ slightly, as they do between processors."""
    found, shown = steady(found), steady(shown)
    assert NUMBER.sub("#", found) == NUMBER.sub("#", shown)
    numbers = [[float(n) for n in NUMBER.findall(text)] for text in (found, shown)]
    np.testing.assert_allclose(*numbers, atol=atol, rtol=1e-3)


def fails(command, shown):
    """Whether the exit code of a command is not 0, according to its output. `diff` has output only for differences."""
    return bool(shown) if command.startswith(("diff ", "runs diff ")) else bool(re.search(r"error\[|\^C", shown))


@pytest.mark.parametrize("page", of_kind("tfg", OTHERS))
def test_programs(page, place, request):
    place(page)
    runs_long = request.config.getoption("--long")
    for note, kind, text, below in blocks(page):
        if kind != "tfg" or note:
            continue
        program = tfdsl.compile(text)
        problems = [render_text(one) for one in program.diagnostics]
        assert not problems, problems
        assert format_text(Source(page, text)) == text
        shown = below["text"] if below and below["kind"] == "output" else None
        if LONG_PROGRAM.search(text) and not runs_long:
            assert program.program.sessions
        elif program.program.sessions:
            options = tfdsl.Options(engine="" if "engine" in page + text else "step")
            printed = "".join(line + "\n" for line in program.run(options=options).printed)
            if shown is not None:
                alike(printed, shown)
        else:
            assert shown is None


# test_cluster_shared.py runs the commands that need a cluster.
COMMANDS_SHOWN = [
    pytest.param(page, command, text.partition("\n")[2],
                 marks=[pytest.mark.long] if "--verify-resume" in command else [], id=f"{page}: {command}")
    for page in OTHERS if page != "clusters.md"
    for note, kind, text, _ in blocks(page) if kind == "console"
    for command in [text.partition("\n")[0].removeprefix("$ tfdsl ")]
]  # fmt: skip


@pytest.mark.parametrize(("page", "command", "output"), COMMANDS_SHOWN)
def test_commands(page, command, output, place, capsys):
    place(page)
    failed = main([*shlex.split(command), *STEP] if command.startswith("run ") else shlex.split(command))
    said = capsys.readouterr()
    alike(said.out + said.err if failed else said.out, output)
    assert output and bool(failed) == fails(command, output)


# Commands that do not end by themselves, that need servers, or that fork, which a process of its own has to do.
ENDLESS = re.compile(r"tfdsl (?:tune|lsp|launch|server|reset|tensorboard)\b|.* --watch\b")


@pytest.mark.parametrize("page", some(["commands.md", "limits.md"], ["limits.md"]))
def test_commands_without_output(page, place, monkeypatch, capsys):
    """They run, one after the other."""
    place(page)
    Path("entries.txt").write_text("f + 1\n", encoding="utf-8")
    commands = re.findall(r"^tfdsl .*$", "".join(text for _, kind, text, _ in blocks(page) if kind == "sh"), re.M)
    assert commands
    for command in filter(lambda one: not ENDLESS.match(one), commands):
        _, *words = shlex.split(command)
        if words[-2:-1] == ["<"]:
            monkeypatch.setattr("sys.stdin", io.StringIO(Path(words.pop()).read_text(encoding="utf-8")))
            words.pop()
        assert main(words) == 0, (command, capsys.readouterr())


@pytest.mark.parametrize("page", of_kind("python", OTHERS))
def test_python(page, place, monkeypatch):
    place(page)
    names: dict = {"__name__": page}
    for note, kind, text, _ in blocks(page):
        if kind == "python" and not note:
            exec(text, names)
            for expression, value in VALUE.findall(text):
                assert repr(eval(expression, names)) == value, expression


class Terminal(io.StringIO):
    """What a terminal shows. After some lines Ctrl-C is pressed, if it is to be."""

    def __init__(self, lines_before_interrupt=None):
        super().__init__()
        self.lines = lines_before_interrupt

    def write(self, text):
        super().write(text)
        if self.lines is not None and self.getvalue().count("\n") >= self.lines:
            self.lines = None
            super().write("^C\n")
            signal.raise_signal(signal.SIGINT)
        return len(text)


def _shown(command, before):
    """What a command shows in a terminal. `before` is what it showed before; if it has a line ^C, Ctrl-C is pressed there."""
    program, *arguments = shlex.split(command)
    if program == "cat":
        return Path(*arguments).read_text(encoding="utf-8")
    lines = before.splitlines()
    shown = Terminal(lines.index("^C") if "^C" in lines else None)
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        if program == "pytest":
            from test_pytest_plugin import run

            shown.write(re.sub(r" in [\d.]+s", "", run("-q", *arguments)[1]))
        elif arguments[0] == "tune":  # it forks
            process = [sys.executable, "-m", "tfdsl", *arguments]
            shown.write(forked.run(process, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout)
        elif program == "python":
            runpy.run_path(*arguments, run_name="__main__")
        else:
            assert program == "tfdsl"
            step = arguments[0] == "run" and not OF_ENGINE.search(f"{command}\n{before}")
            failed = main([*arguments, *STEP] if step else arguments)
            assert bool(failed) == fails(" ".join(arguments), shown.getvalue()), shown.getvalue()
    return re.sub(r" +$", "", shown.getvalue(), flags=re.M)


@pytest.mark.parametrize("page", LESSONS)
def test_lessons(page, place, request):
    folder = place(page)
    names: dict = {"__name__": page}
    changed, at = PAGES[page], 0
    is_only_checked = page in LONG_LESSONS and not any(map(request.config.getoption, ("--long", "--update-golden")))
    for note, kind, text, _ in blocks(page):
        if note.startswith("file: "):
            path = folder / note.removeprefix("file: ")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if kind == "tfg":
                assert format_text(Source(page, text)) == text
                if f"check {path.relative_to(folder)}" not in PAGES[page]:
                    problems = [render_text(one) for one in tfdsl.check(path)]
                    assert not problems, problems
        elif kind == "console":
            parts = [part.partition("\n") for part in re.split(r"^\$ ", text, flags=re.M)[1:]]
            if is_only_checked:
                parts = [part for part in parts if re.match(r"tfdsl (?:new|check|summary) ", part[0])]
                text = "".join(f"$ {command}\n{before}" for command, _, before in parts)
            found = "".join(f"$ {command}\n{_shown(command, before)}" for command, _, before in parts)
            if request.config.getoption("--update-golden"):
                at = changed.index(f"```console\n{text}```", at)
                changed = changed[:at] + changed[at:].replace(text, found, 1)
                at += len(found)
            else:
                alike(found, text)
        elif kind == "python":
            exec(text, names)
            for expression, value in VALUE.findall(text):
                assert repr(eval(expression, names)) == value, expression
        else:
            assert kind in ("sh", "text", "ipython", "yaml", "lua", "toml", "elisp"), f"{kind} without a name"
    if changed != PAGES[page]:
        PATHS[page].write_text(changed, encoding="utf-8")


@pytest.mark.parametrize("page", of_kind("ipython", PAGES))
def test_cells(page, place, capsys, monkeypatch):
    pytest.importorskip("IPython")
    from test_notebook import shell_in

    shell = shell_in(place(page), capsys, monkeypatch)
    for _, kind, text, below in blocks(page):
        if kind == "ipython" and text != "%load_ext tfdsl\n":  # the shell has done that
            alike(shell(text), below["text"] if below and below["kind"] == "text" else "")


def test_program_at_the_top_of_the_readme_is_the_model():
    first = next(text for _, kind, text, _ in blocks("README.md") if kind == "tfg")
    assert first == (ROOT / "models" / "moons.tfg").read_text(encoding="utf-8")


PICTURES = [
    pytest.param(page, *found, marks=[pytest.mark.long] if "curves" in found and page in LONG_LESSONS else [])
    for page, text in PAGES.items()
    for found in re.findall(r"^<!-- (\S+\.svg): (graph|curves) of (\S+) -->$", text, re.M)
]  # fmt: skip


@pytest.mark.parametrize(("page", "picture", "kind", "program"), PICTURES)
def test_pictures_are_of_the_program(page, picture, kind, program, place, capsys, request):
    """A comment on the page says of what: `graph of FILE` is what `tfdsl graph` draws, `curves of FILE` what is logged."""
    folder = place(page)
    for note, _, text, _ in blocks(page):
        if note == f"file: {program}":
            (folder / program).write_text(text, encoding="utf-8")
    path = PATHS[page].parent / picture
    if kind == "curves":
        drawn = curves(tfdsl.compile(program).run().history)
        if request.config.getoption("--update-golden"):
            path.write_text(drawn, encoding="utf-8")
        alike(drawn, path.read_text(encoding="utf-8"), atol=1)
    else:
        assert main(["graph", program, "--format", "svg"]) == 0
        drawn = capsys.readouterr().out
        if request.config.getoption("--update-golden"):
            path.write_text(drawn, encoding="utf-8")
        assert drawn == path.read_text(encoding="utf-8")


def test_every_command_is_described():
    for name in COMMANDS:
        assert f"`tfdsl {name}" in PAGES["commands.md"]


def section(page, words):
    """The text below the heading of a page that has all words, "" without one."""
    parts = re.split(r"^## (.*)$", PAGES[page], flags=re.M)
    return next((text for title, text in zip(parts[1::2], parts[2::2]) if words <= set(title.split())), "")


def options(command):
    """The spellings of each option of a command, apart from hidden ones and those of all commands."""
    parser = CommandParser()
    import_module(f"tfdsl.cli.{command}").configure(parser)
    shown = [action for action in parser._actions if action.help != argparse.SUPPRESS]
    spellings = [action.option_strings for action in shown if action.option_strings]
    return [one for one in spellings if not {"--help", "--verbose"} & set(one)]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_described(command):
    """In the section of the command, or for all commands at the top, or on a page that the section links to."""
    text = PAGES["commands.md"].partition("\n## ")[0] + section("commands.md", {command}) + PAGES["limits.md"]
    if command in ("launch", "server", "reset", "run"):
        text += PAGES["clusters.md"] + section("commands.md", {"run"})
    missing = [
        names for names in options(command) if not any(re.search(rf"(?<![\w-]){one}(?![\w-])", text) for one in names)
    ]
    assert not missing


def test_the_options_of_limits_are_those_of_run():
    from tfdsl.cli.options import LIMITS

    assert {option for option, _ in LIMITS.values()} <= {one for names in options("run") for one in names}


def test_every_key_of_config_files_is_described():
    text = section("commands.md", {"Config", "files"})
    assert CONFIG_KEYS and not [key for key in CONFIG_KEYS if f"`{key}`" not in text]


def test_every_suffix_of_written_files_is_described():
    """The files of values have a row in the language reference and are in the section of predict; pictures are in that
    of graph."""
    rows = re.findall(r"^\| `(\.\w+)` \|", PAGES["language.md"].partition("\n### `write`\n")[2], re.M)
    assert sorted(rows) == sorted(output_suffixes())
    predict, graph = section("commands.md", {"predict"}), section("commands.md", {"graph"})
    assert not [suffix for suffix in output_suffixes() if f"`{suffix}`" not in predict]
    assert FORMATS and not [name for name in FORMATS if f"`.{name}`" not in graph]


def test_names_on_the_pages_are_public_and_documented():
    names = {name for text in PAGES.values() for name in re.findall(r"(?<![/\w])tfdsl\.([A-Za-z]\w*)(?=[(`])", text)}
    assert names - {"serialize"} <= set(tfdsl.__all__) and {"compile", "check", "Options", "Limits"} <= names
    for name in tfdsl.__all__:
        assert getattr(tfdsl, name).__doc__, name


def test_every_function_of_nn_is_described_as_in_the_library():
    found = dict(
        re.findall(r"^### `(nn\.\w+)`\n\n```text\n.*?\n```\n\n(.*?)(?=\n\n|\Z)", PAGES["nn.md"].rstrip(), re.S | re.M)
    )
    shown = re.findall(r"^### `(nn\.\w+)`\n\n```text\n(.*?)\n```", PAGES["nn.md"], re.S | re.M)
    known = {one.name: one for one in functions("nn")}
    assert dict(shown) == {name: one.signature for name, one in known.items()}
    assert {name: " ".join(doc.split()) for name, doc in found.items()} == {
        name: one.doc.partition("\n\n")[0] for name, one in known.items()
    }


def _calls(rows):
    """Sources or transforms as a table: the call, and its description."""
    lines = [f"| `{row.name}({row.usage})` | {row.doc} |" for row in rows]
    return "\n".join(["| call | what it is |", "| --- | --- |", *lines])


def test_every_source_transform_and_optimizer_is_described(request):
    """The tables of the language page are generated from the sources' own descriptions. `--update-golden` writes
    them."""
    signatures = "\n".join(f"{row.name}({row.signature})" for row in OPTIMIZERS.values())
    page = PAGES["language.md"]
    for name, text in (("sources", _calls(SOURCES.values())), ("transforms", _calls(TRANSFORMS.values())),
                       ("optimizers", f"```text\n{signatures}\n```")):  # fmt: skip
        before, mark, rest = page.partition(f"<!-- {name} -->\n")
        assert mark, name
        page = f"{before}{mark}{text}\n\n{rest.partition(chr(10) * 2)[2]}"
    if request.config.getoption("--update-golden"):
        (DOCS / "language.md").write_text(page, encoding="utf-8")
    assert page == (DOCS / "language.md").read_text(encoding="utf-8")


def test_every_statement_has_a_heading():
    """Each keyword of the grammar that begins a statement. Clauses are described with their statement."""
    words = {*GRAPH_WORDS, *SESSION_WORDS} - {"elif", "else", "from", "return"}
    assert len(words) > 30
    headings = {one.split()[0] for one in re.findall(r"^### `(.+)`$", PAGES["language.md"], re.M)}
    assert not words - headings


def test_every_limit_is_described_with_its_default():
    from tfdsl.cli.options import LIMITS

    rows = dict(re.findall(r"^\| `(--max-[\w-]+) N` \|.*\| (\d+) \|$", PAGES["limits.md"], re.M))
    assert rows == {option: str(int(getattr(tfdsl.Limits(), name))) for name, (option, _) in LIMITS.items()}


def test_the_speeds_are_the_measured_ones():
    loads = json.loads((ROOT / "benchmarks" / "results.json").read_text())["loads"].values()
    table = PAGES["benchmarks.md"].partition("<!-- speeds -->\n")[2].partition("\n\n")[0].splitlines()
    names, *rows = ([cell.strip(" `") for cell in line.split("|")[1:-1]] for line in table)
    assert len(rows) > 5
    for title, *cells in rows[1:]:
        found = next(load["contenders"] for load in loads if load["title"] == title)
        for name, cell in zip(names[1:], cells, strict=True):
            assert (not cell and name not in found) or float(cell) == pytest.approx(found[name]["speed"], rel=0.05)


def test_other_figures_are_the_measured_ones():
    loads = json.loads((ROOT / "benchmarks" / "results.json").read_text())["loads"]
    speed = {name: one["speed"] for name, one in loads["housing"]["contenders"].items()}
    check = loads["startup"]["contenders"]["tfdsl check models/housing.tfg"]
    for figure in (
        f"about {check['seconds']:.2f} seconds", f"{speed['loop']:.0f} times as fast", f"{speed['xla']:.0f} times as fast",
        f"PyTorch is {speed['PyTorch']:.1f} times", f"which is {1 / speed['Keras fit']:.1f} times as fast as Keras `fit`",
    ):  # fmt: skip
        assert figure in " ".join(PAGES["README.md"].split())
    logging = loads["logging"]["contenders"]
    building = loads["building"]["contenders"]["tfdsl, 20,000 nodes"]
    chapter = loads["startup"]["contenders"]["tfdsl run: the chapter's housing program"]
    for figure in (
        f"costs `loop` {100 * (logging['loop, no log']['speed'] / logging['loop']['speed'] - 1):.0f} %",
        f"takes {1 / building['speed']:.2f} times as long", f"takes {1 / chapter['speed']:.2f} times as long",
    ):  # fmt: skip
        assert figure in " ".join(PAGES["benchmarks.md"].split())
    assert f"`tfdsl check` takes {1 / check['speed']:.1f} times as long as `import lark`" in PAGES["benchmarks.md"]


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("*.md"), *DOCS.rglob("*.md"), ROOT / "models" / "README.md"],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_links(path):
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", BLOCK.sub("", text))):
        file, _, heading = target.partition("#")
        page = path.parent / file if file else path
        assert page.is_file(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.M)
            assert heading in [re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings], target


def test_the_glossary_names_existing_things():
    rows = re.findall(r"^\| (.*?) \| .* \| (?:`(\w+)` in )?\[.*\]\((.*)\) \|$", PAGES["glossary.md"], re.M)
    assert len(rows) > 50 and len({word for word, _, _ in rows}) == len(rows)
    for _, name, path in rows:
        text = (DOCS / path).read_text(encoding="utf-8")
        assert not name or re.search(rf"^(?:class|def) {name}\b|^{name}\b.* = ", text, re.M), name


def test_no_message_suggests_to_install_the_package_from_an_index():
    from tfdsl.diagnostics import CATALOGUE

    hints = [line for message in CATALOGUE.values() for line in (message.headline, message.help)]
    assert not [hint for hint in hints if "pip install" in hint and "tfdsl" in hint]
    for path in (ROOT / "tfdsl").rglob("*.py"):
        assert not re.search(r"pip install \S*tfdsl", path.read_text(encoding="utf-8")), path
