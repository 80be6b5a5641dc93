"""`tfdsl explain`."""

import json
import re
from pathlib import Path

import pytest
from conftest import some

from tfdsl.analysis.calls.builtins import BUILTINS
from tfdsl.analysis.calls.members import learned_words
from tfdsl.analysis.calls.scopes import LISTERS
from tfdsl.cli import COMMANDS, main
from tfdsl.cli.option_entries import names_of, option_entries, parser_of, taken_by
from tfdsl.data import SOURCES, TRANSFORMS
from tfdsl.diagnostics import CATALOGUE
from tfdsl.libraries import FOLDER
from tfdsl.ops import OPS
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.reference import entries, find
from tfdsl.reference.explanations import explained, explanation
from tfdsl.reference.other_names import _EXPLAINED
from tfdsl.reference.statements import TOPICS
from tfdsl.types import DTYPE_NAMES

PAGES = {path.name: path.read_text(encoding="utf-8") for path in (Path(__file__).parents[2] / "docs").glob("*.md")}


@pytest.fixture
def explain(capsys):
    def run(*words):
        code = main(["explain", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_code(explain):
    code, out, err = explain("TFG201")
    page = explanation("TFG201")
    assert (code, err) == (0, "") and out.startswith(f"TFG201: {page.title}\n---")
    assert "Wrong:\n\n    placeholder X: float32[n, 3]\n" in out
    assert (
        "The check says:\n\n    error[TFG201]: matmul cannot multiply float32[n, 3] by float32[4, 1]: 3 is not 4\n"
        in out
    )
    assert "     --> program.tfg:3:5\n" in out and out.index("The check says") < out.index("Corrected:\n\n")
    assert "```" not in out and "<!--" not in out and max(map(len, out.splitlines())) <= 130


@pytest.mark.parametrize(
    ("words", "help"),
    [
        ("every epochs", "see: tfdsl explain every and tfdsl explain epochs"),
        ("runs show", "see: tfdsl explain runs"),
        ("init train", "see: tfdsl explain init and tfdsl explain train"),
        ("restore if exists", "see: tfdsl explain restore and tfdsl explain if exists"),
        ("sum_slices", "it is an argument of gradient_descent, momentum, adam and "),
        ("units", "it is an argument of nn.dense, "),
        ("zzz qqq", "nothing called 'zzz qqq'\n"),
        ("x", "nothing called 'x'\n"),
    ],
)
def test_words_that_are_no_name_lead_to_those_that_are(explain, words, help):
    for given in ([words], words.split()):
        code, out, err = explain(*given)
        assert (code, out) == (2, "") and help in err


@pytest.mark.parametrize("name", ["slots", "clipnorm", "weight_decay"])
def test_arguments_of_all_optimizers_are_explained(explain, name):
    code, out, err = explain(name)
    assert (code, err) == (0, "") and name in out.partition("\n\n")[2]


@pytest.mark.parametrize("words", [["tfg201"], ["[TFG201]"], ["error[TFG201]:"]])
def test_a_code_as_a_message_shows_it(explain, words):
    assert explain(*words) == explain("TFG201")


def test_without_a_name_it_lists_what_there_is(explain):
    code, out, err = explain()
    assert (code, err) == (0, "") and out.startswith("tfdsl explain NAME explains ")
    made = json.loads(explain("--json")[1])
    known = {one["kind"]: one["names"] for one in made}
    assert "TFG201" in known["code"] and "matmul" in known["op"] and "train" in known["statement"]
    for kind, listed in known.items():
        assert f"\n  {kind} " in out and listed[0] in out


def test_files_of_a_page_are_shown_and_read(explain):
    out = explain("TFG613")[1]
    assert "houses.csv:\n\n    area,rooms,price\n" in out and 'error[TFG613]: there is no column "cost"' in out


@pytest.mark.parametrize(
    "names", some([explained(), explained()[::10]], [explained()[::10]]), ids=lambda names: f"{len(names)} pages"
)
def test_every_page_has_its_message(names, explain):
    for name in names:
        page = explanation(name)
        out = explain(name)[1]
        is_checked = page.wrong is not None and page.wrong.note == "wrong" and page.wrong.kind == "tfg"
        assert (re.search(rf"    (error|warning)\[{name}\]: ", out) is not None) == is_checked, name


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["train"], ["train: a statement of sessions", "train EXPR (epochs | steps) [on DATA]", "- Order. `shuffled`"]),
        (["stop"], ["stop after EXPR (", "stop when EXPR [with ...]"]),
        (["stop", "when"], ["stop when: a statement of sessions", "Ends the training at once"]),
        (["wrt"], ["wrt: a word of statements", "wrt` lists"]),
        (["engine"], ["engine: a setting", '`with engine="step"`']),
        (["csv"], ["csv: a source of data", 'data houses = csv("houses.csv", target="price")']),
        (["standardize"], ["standardize: a transform of data", "\n| standardize("]),
        (["adam"], ["adam: an optimizer", "Keras: keras.optimizers.Adam"]),
        (["nn.dense"], ["nn.dense: a function of the library nn", "nn.dense(X, units"]),
        (["tf.keras.layers.LSTM"], ["nn.lstm(X, units"]),
        (["matmul"], ["matmul: an op", "TensorFlow: tf.compat.v1.matmul"]),
        (["raw.Roll"], ["raw.Roll: an op", "-> output: T"]),
        (["tfdsl", "gradcheck"], ["gradcheck: a command", "tfdsl gradcheck FILE [NODE]"]),
        (["data"], ["data: a statement of the graph half", "data: a command"]),
        (["float32"], ["float32: a dtype"]),
        (["enumerate"], ["enumerate: a function", "a list of pairs"]),
        (["column"], ["column: a function", 'column("home city")', '| where(column("home city") == "Rome"']),
        ([".validation"], ["validation: a field of data", "After `split(validation=...)`"]),
        (["std"], ['d.std("age")', "learned by `standardize`"]),
        (["--resume-anyway"], ["--resume-anyway: an option of commands", "Taken by `tfdsl run`, `tfdsl launch`."]),
        (["tfdsl", "check", "--watch"], ["--watch: an option", "Ctrl-C ends it", "tfdsl check models/moons.tfg --watch"]),
        (["towers"], ["--towers N", "Example:\n    tfdsl run"]),
        (["-o"], ["Taken by `tfdsl predict`.", "Taken by `tfdsl graph`."]),
        (["--engine=loop"], ["--engine {step,loop,xla,auto}"]),
    ],
)  # fmt: skip
def test_a_name(words, shown, explain):
    code, out, err = explain(*words)
    assert (code, err) == (0, "")
    for text in shown:
        assert text in out
    assert not re.search(r"\]\(\w*[.#]|```|<!--", out), "Markdown is left"


def test_every_entry_can_be_shown(explain):
    """A sample of each kind, whole; test_reference.py looks at all of them."""
    for kind in sorted({one.kind for one in entries()}):
        name = next(one.name for one in reversed(entries()) if one.kind == kind)
        code, out, _ = explain(*name.split())
        assert code == 0 and out.strip(), name


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trian"], "there is nothing called 'trian': did you mean 'train'?"),
        (["nn.dens"], "did you mean 'nn.dense'?"),
        (["TFG000"], "there is no message with the code TFG000; codes are TFG001 to "),
        ([""], "name what to explain, as in: tfdsl explain train"),
        (["keras.callbacks.EarlyStopping"], "see: tfdsl explain stop after"),
        (["binary_crossentropy"], "see: tfdsl explain nn.sigmoid_cross_entropy"),
        (["tf.train.Saver"], "see: tfdsl explain save"),
        (["tf.compat.v1.placeholder"], "see: tfdsl explain placeholder"),
        (["sess.run"], "see: tfdsl explain run"),
        (["pd.read_csv"], 'write: csv("file.csv", target="y")'),
        (["np.average"], "here it is called reduce_mean"),
        (["zzzzzz"], "there is nothing called 'zzzzzz'\n"),
        (["--wacth"], "no command has the option --wacth: did you mean '--watch'?"),
        (
            ["predict", "--seed"],
            "tfdsl predict: error: there is no option --seed: the program sets it, as in 'seed 42'",
        ),
        (["--epochs"], "there is no option --epochs: the program sets it, as in 'train 20 epochs'"),
        (["trian", "--watch"], "there is nothing called 'trian': did you mean 'train'?"),
    ],
)
def test_an_unknown_name(words, said, explain, capsys):
    try:
        code, out, err = explain(*words)
    except SystemExit as end:  # of a parser
        code, (out, err) = end.code, capsys.readouterr()
    assert (code, out) == (2, "") and said in err


def test_an_option_of_a_command(explain):
    """One that several commands have has an entry for each of its meanings."""
    assert explain("-o")[1].count("an option of commands") >= 2
    _, out, _ = explain("graph", "-o")
    assert out.count("an option of commands") == 1 and "Taken by `tfdsl graph`." in out


def test_every_option_has_an_entry_and_an_example():
    """test_docs.py runs the commands of the pages."""
    shown = {line for text in PAGES.values() for line in re.findall(r"^ *(?:\$ )?(tfdsl .*?)(?: +#.*)?$", text, re.M)}
    known = set()
    for entry in option_entries():
        assert entry.doc and entry.page and entry.example in shown, entry.name
        assert any(re.search(rf"(?<!\S){name}(?![\w-])", entry.example) for name in names_of(entry.signature))
        known |= {(command, name) for command in taken_by(entry) for name in names_of(entry.signature)}
    for command in COMMANDS:
        options = {one for action in parser_of(command).shown for one in action.option_strings} - {"-h", "--help"}
        assert options == {name for other, name in known if other == command}, command


def test_nothing_lacks_an_entry_or_an_example():
    """The statements, words, settings, fields, dtypes, ops, layers, optimizers, sources, transforms, commands, options
    and codes that there are, each with an entry and an example. That the examples run is tested where they are: in
    test_reference.py, test_docs.py, test_op_examples.py and test_explanations.py, which knows the codes without one."""
    layers = re.findall(r"^def ([a-z]\w*)\(", (Path(FOLDER) / "nn.tfg").read_text(encoding="utf-8"), re.M)
    there = {
        *OPS, *OPTIMIZERS, *SOURCES, *TRANSFORMS, *BUILTINS, *LISTERS, *DTYPE_NAMES, *COMMANDS, *CATALOGUE,
        *(topic.name for topic in TOPICS), *(f"nn.{name}" for name in layers), *learned_words(),
        *(name for command in COMMANDS for action in parser_of(command).shown for name in action.option_strings[-1:]),
    }  # fmt: skip
    every = [*entries(), *option_entries()]
    assert there - {one.name for one in every} == {"--help"} and len(layers) > 30 and len(there) > 1200
    assert {one.name for one in every if not one.doc or not one.signature} == set()
    assert {one.name for one in every if not one.example and one.kind != "code"} == set()


def test_json(explain):
    (code,) = json.loads(explain("TFG201", "--json")[1])
    assert code["kind"] == "code" and code["name"] == "TFG201" and "<!-- wrong -->" in code["doc"]
    assert [one["kind"] for one in json.loads(explain("data", "--json")[1])] == ["declaration", "command"]


def test_a_terminal_has_colours(explain, monkeypatch):
    plain = explain("TFG201")[1]
    monkeypatch.setattr("tfdsl.cli.explain.colour", lambda stream: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    coloured = explain("TFG201")[1]
    assert "\x1b[1mTFG201: " in coloured and "\x1b[36m" in coloured
    words = re.findall(r"\w+", re.sub(r"\x1b\[[\d;]*m", "", coloured))
    assert words == re.findall(r"\w+", plain)


def test_what_names_of_other_libraries_lead_to_exists(explain):
    for name in set(_EXPLAINED.values()):
        assert find(name), name
