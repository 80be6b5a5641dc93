"""What the functions of the editor answer about places of a document."""

from pathlib import Path

import pytest
from conftest import some
from edited_programs import LAYERS, NETWORK

from tfdsl.analysis.calls.builtins import BUILTINS
from tfdsl.analysis.calls.scopes import LISTERS
from tfdsl.editor.callees import signature_help
from tfdsl.editor.completion import complete
from tfdsl.editor.cursor import cursor
from tfdsl.editor.fixes import fixes
from tfdsl.editor.formatting import formatted
from tfdsl.editor.hints import hints
from tfdsl.editor.hover import hover
from tfdsl.editor.navigation import definition, references
from tfdsl.editor.outline import folds, outline
from tfdsl.editor.rename import Refused, rename
from tfdsl.editor.text import OpenText
from tfdsl.editor.tokens import tokens
from tfdsl.editor.workspace import Workspace
from tfdsl.ops import OPS
from tfdsl.ops.optimizers import OPTIMIZERS
from tfdsl.syntax import tree as t
from tfdsl.types import DTYPE_NAMES

ROOT = Path(__file__).resolve().parents[2]
DATA = 'csv("rows.csv", target="y") | split(test=0.4, ordered=true)'
MAIN = (
    NETWORK.replace("DATA", DATA)
    + """cost = reduce_mean(square(logits - y))
optimize cost with adam(learning_rate=rate) wrt dnn.head, dnn.first

session:
    train 3 epochs on d.train in batches of 2 as b:
        feed X = b.features, y = b.target
        after every 1 epoch:
            test = evaluate cost on d.test in batches of 2 as c with X = c.features, y = c.target
            print "epoch {epoch}: {test:.3f}"
    print cost, dnn.first.kernel with X = d.test.features, y = d.test.target
"""
)


@pytest.fixture(scope="module")
def workspace():
    """One for all tests, so that it reads the library `nn` once."""
    return Workspace()


@pytest.fixture
def documents(tmp_path, workspace):
    (tmp_path / "rows.csv").write_text("age,income,y\n" + "".join(f"{i}.5,{2 * i}.5,{i % 3}.5\n" for i in range(10)))

    def document(text=MAIN, name="main.tfg"):
        workspace.change(str(tmp_path / name), OpenText(text))
        return workspace.document(str(tmp_path / name))

    document(LAYERS, "layers.tfg")
    yield document
    for path in list(workspace.open):
        workspace.change(path, None)


def at(text, piece, plus=0):
    return text.index(piece) + plus


def test_the_program_has_no_diagnostics(documents):
    assert documents().diagnostics == []


@pytest.mark.parametrize(
    ("piece", "plus", "expected"),
    [
        ("rate = 0", 0, ["rate = 0.01", "A param. how fast it learns"]),
        ("d.train", 0, ["10 rows", "`train`: 6 rows", "`income`: float32", "`y`: float32, target"]),
        ("d.train", 2, ["train: data, 6 rows"]),
        ("b.features", 2, ["features: float32[2, 2]"]),
        ("nn.dense", 4, ["def dense(X, units", "Makes `kernel"]),
        ("relu)", 0, ["relu(features: T)", "`T`: real"]),
        ("activation", 0, ["activation=none"]),
        ("half(h", 0, ["def half(X, factor=0.5)", "Halves what it gets.", "Line 2 of layers.tfg"]),
        ("cost = ", 0, ["cost: float32"]),
        ("{test", 1, ["test: float32"]),
        ("batch, 2", 0, ["A named size"]),
        ("dnn.first.kernel", 10, ["kernel: float32[2, 4]"]),
        ("learning_rate", 0, ["learning_rate = 0.01", "An argument of `adam("]),
        ("csv(", 0, ["csv(path"]),
        ("split(", 0, ["split("]),
        ("train 3", 0, ["train EXPR (epochs | steps)"]),
        ("in batches", 0, ["in batches of"]),
        ("logits - y", 7, ["float32[batch, 1]"]),
        ("float32[batch, 2]", 0, ["A type is a dtype and a shape"]),
    ],
)
def test_hover(documents, piece, plus, expected):
    found = hover(documents(), at(MAIN, piece, plus))
    assert found is not None and not [text for text in expected if text not in found.text], found


SESSION = MAIN + "    "


@pytest.mark.parametrize(
    ("text", "expected", "missing"),
    [
        (SESSION, {"print", "run", "train", "save"}, {"placeholder", "elif", "feed", "every", "after", "checkpoint"}),
        (SESSION + "for i in [1]:\n        ", {"print", "train", "restore"}, {"stop", "keep", "every"}),
        (SESSION + "train 3 steps:\n        ", {"feed", "every", "after", "print"}, {"train", "restore", "export"}),
        (SESSION + "train 3 steps: ", {"feed", "checkpoint", "run"}, {"restore", "export"}),
        (SESSION + "train 3 steps:\n        # all\n        every 2 steps:\n            ", {"stop", "log"}, {"train"}),
        (SESSION + "if 1 < 2: ", {"print"}, {"feed", "checkpoint"}),
        (SESSION + "print ", {"cost", "dnn", "d", "test", "relu"}, {"print"}),
        (SESSION + "print dnn.", {"first", "head", "h", "logits"}, {"cost"}),
        (SESSION + "print dnn.first.", {"kernel", "bias"}, {"h"}),
        (SESSION + "print d.", {"train", "test", "features", "target", "age", "rows"}, {"kernel"}),
        (SESSION + "print d.test.", {"features", "income"}, {"train"}),
        (SESSION + 'print d["', {"age", "income", "y"}, {"cost"}),
        (SESSION + "print cost with ", {"X", "y"}, {"cost"}),
        (SESSION + "train 3 ", {"epochs", "steps"}, {"cost"}),
        (SESSION + "train 3 epochs on d.train as z:\n        feed X = z.", {"features", "age"}, {"train"}),
        (SESSION + "save ", {"dnn", "to"}, {"cost"}),
        (SESSION + 'print "{', {"cost", "rate", "now"}, {"dnn"}),
        (SESSION + "stop after 3 epochs ", {"without"}, {"cost"}),
        ("import nn\nx = nn.", {"dense", "lstm"}, {"_features"}),
        ("import nn\nplaceholder X: float32[2, 2]\nx = nn.dense(X, ", {"units=", "activation=", "X"}, set()),
        ("import nn\nplaceholder X: float32[2, 2]\nx = nn.dense(X, units=", {"X"}, {"activation="}),
        ("data e = ", {"csv", "moons"}, {"standardize"}),
        ("data e = moons(10) | ", {"standardize", "split"}, {"moons"}),
        ('data e = csv("', {"rows.csv"}, {"layers.tfg"}),
        ("variable z: ", {"float32"}, {"relu"}),
        ("import ", {"nn"}, {"cost"}),
        ("from ", {"nn"}, {"cost"}),
        ("from nn import ", {"dense", "lstm"}, {"nn", "_features", "relu"}),
        ("from nn import dense, ls", {"lstm"}, {"dense", "relu"}),
        ('from "layers.tfg" import ', {"half"}, {"nn", "relu"}),
        ('from "missing.tfg" import ', set(), {"nn", "relu"}),
        ("loss = 1.0\noptimize loss with ", {"adam", "ftrl"}, {"relu", "float32"}),
        ("apply 1.0 to w with ", {"adam"}, {"relu"}),
        ("summary ", {"scalar", "image"}, {"cost"}),
        ("loss = 1.0\noptimize loss ", {"with"}, {"relu"}),
        ("x = raw.", {"Roll"}, {"relu"}),
        ("x = 1 # ", set(), {"relu"}),
        ("def f(a, b):\n    c = a + b\n    return ", {"a", "b", "c"}, set()),
        ("if 1 > 2:\n    x = 1\n", {"else", "elif", "variable"}, set()),
    ],
)  # fmt: skip
def test_completion(documents, text, expected, missing):
    document = documents()
    assert document.diagnostics == []  # the unfinished statement adds none
    labels = {item.label for item in complete(documents(text), len(text))}
    assert expected <= labels
    assert not missing & labels


def test_the_likeliest_completions_come_first(documents):
    text = "import nn\nplaceholder X: float32[2, 2]\nx = nn.dense(X, "
    labels = [item.label for item in complete(documents(text), len(text))]
    assert labels.index("units=") < labels.index("X") < labels.index("relu")


@pytest.mark.parametrize(
    ("piece", "signature", "active"),
    [
        ("nn.dense(X, ", "nn.dense(X, units, activation=none, ", 1),
        ("activation=", "nn.dense(X, units, activation=none, ", 2),
        ("layers.half(h, factor=", "layers.half(X, factor=0.5)", 1),
        ("reduce_mean(square(", "square(x: T)", 0),
        ("csv(", "csv(path, ", 0),
        ("split(test=", "split(", 0),
    ],
)
def test_signatures(documents, piece, signature, active):
    document = documents()
    call = cursor(MAIN, at(MAIN, piece, len(piece))).calls()[-1]
    found = signature_help(document, call)
    assert found is not None
    assert found.callee.signature.startswith(signature)
    assert found.active == active


def test_definitions_and_references(documents, tmp_path):
    document = documents()
    there = definition(document, at(MAIN, "factor=0.5)\n"))
    assert (there.path, there.start) == (str(tmp_path / "layers.tfg"), at(LAYERS, "factor"))
    assert definition(document, at(MAIN, '"layers.tfg"')).path == str(tmp_path / "layers.tfg")
    assert definition(document, at(MAIN, "dense(X")).path.endswith("nn.tfg")
    assert definition(document, at(MAIN, "relu)")) is None
    here = references(document, at(MAIN, "cost = "))
    assert len(here) == 4 and {one.path for one in here} == {document.path}
    assert len(references(document, at(MAIN, "h = nn"))) == 4  # bound again by an expression that uses it


@pytest.mark.parametrize(
    ("piece", "plus", "name", "count"),
    [
        ("cost = ", 0, "error", 4), ("dnn:", 0, "net", 4), ("first\n", 0, "one", 3), ("batch, 2", 0, "rows", 2),
        ("b:", 0, "rows", 3), ("test = ", 0, "tested", 2), ("rate = ", 0, "speed", 2), ("layers\n", 0, "parts", 2),
        ("nn.dense", 0, "library", 3),
    ],
)  # fmt: skip
def test_rename(documents, piece, plus, name, count):
    document = documents()
    found = rename(document, at(MAIN, piece, plus), name)
    assert sum(map(len, found.edits.values())) == count
    changed = documents(document.text.edited(found.edits[document.path]))
    assert changed.diagnostics == []


@pytest.mark.parametrize(
    ("piece", "plus", "name", "reason"),
    [
        ("cost = ", 0, "logits", "line 12 has the name 'logits' already"),
        ("cost = ", 0, "relu", "'relu' is a name of the language, which line 10 uses"),
        ("cost = ", 0, "2x", "'2x' is no name"),
        ("cost = ", 0, "none", "'none' is a value of the language"),
        ("rate = ", 0, "batch", "has the name 'batch' already"),
        ("batch, 2", 0, "X", "has the name 'X' already"),
        ("dnn.first.kernel", 10, "k", "'kernel' is a name of a library"),
        ("relu)", 0, "k", "'relu' is a name of the language"),
        ("3 epochs", 0, "k", "there is no name of the program here"),
    ],
)
def test_rename_is_refused(documents, piece, plus, name, reason):
    with pytest.raises(Refused, match=reason):
        rename(documents(), at(MAIN, piece, plus), name)


def test_braces_in_conditions_are_found(tmp_path):
    text = (
        'param rate = 0.1\nvariable w = 1.0\nsession:\n    k = 1\n    expect "{k}" == "1" and not "{rate}" == "" or w < 3.0\n'
        '    if w > 2.0 and "{k}" == "1": print "{rate}"\n    log to "logs/" + "{rate}"\n'
    )
    (tmp_path / "p.tfg").write_text(text)
    document = Workspace().document(str(tmp_path / "p.tfg"))
    assert [len(references(document, text.index(one))) for one in ("rate", "k = 1")] == [4, 3]


def test_rename_leaves_out_files_that_are_gone(tmp_path):
    workspace, library, main = Workspace(), str(tmp_path / "l.tfg"), tmp_path / "main.tfg"
    main.write_text('from "l.tfg" import f\ny = f(1)\n')
    workspace.change(library, OpenText("def f(x):\n    return x\n"))
    workspace.change(str(main), OpenText(main.read_text()))
    workspace.document(str(main)).symbols  # noqa: B018 it imports the other
    assert set(rename(workspace.document(library), 4, "g").edits) == {library, str(main)}
    workspace.change(str(main), None)
    main.unlink()
    assert set(rename(workspace.document(library), 4, "g").edits) == {library}


def test_rename_keeps_tags_of_summaries(documents):
    text = 'variable x = 1.0\nsummary scalar x\nsession:\n    log to "logs"\n    log x\n'
    document = documents(text)
    assert document.text.edited(rename(document, 9, "z").edits[document.path]) == text.replace(" x", " z")
    named = text.replace("scalar x", 'scalar x as "x"')
    with pytest.raises(Refused, match="line 5 would be wrong"):
        rename(documents(named), 9, "z")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("relu)", "rleu)"), ("reduce_mean(", "reduce_maen("), ("learning_rate=", "learning_rat="), ("d.train", "d.trian"),
        ("b.features", "b.feature"), ("float32[batch, 2]", "float23[batch, 2]"), ("as b:", "as b"), ("csv(", "cvs("),
        ("import nn\nimport", "import"),
    ],
)  # fmt: skip
def test_fixes(documents, right, wrong):
    """A fix gives the program back."""
    document = documents(MAIN.replace(right, wrong, 1))
    found = fixes(document, 0, len(MAIN))
    assert MAIN in [document.text.edited(list(one.edits)) for one in found], [one.title for one in found]


def test_outline_folds_and_hints(documents):
    document = documents()
    parts = outline(document)
    assert [one.name for one in parts] == ["layers", "rate", "d", "X", "y", "dnn", "cost", "session"]
    assert [one.name for one in parts[-1].children[0].children] == ["test"]
    assert (8, 11) in [(one.first, one.last) for one in folds(document)]
    texts = [one.text for one in hints(document, 0, len(MAIN))]
    assert texts == [
        ": 10 rows, 2 columns", ": float32[batch, 4]", ": float32[batch, 4]", ": float32[batch, 1]", ": float32", ": float32",
    ]  # fmt: skip


def test_formatting_keeps_line_ends(documents):
    crlf = documents(MAIN.replace("rate = 0.01", "rate=0.01").replace("\n", "\r\n"))
    assert crlf.text.edited(formatted(crlf)) == MAIN


def test_colours(documents):
    document = documents()
    found = {MAIN[one.start : one.end]: one for one in tokens(document)}
    assert found["train"].kind == "property"  # the last is `d.train`
    assert found["epochs"].kind == "keyword" and found["dnn"].kind == "namespace"
    assert found["relu"].kind == "function" and "defaultLibrary" in found["relu"].modifiers
    assert found["rate"].kind == "variable" and "readonly" in found["rate"].modifiers


def test_data_is_read_again_when_its_file_changes(documents, tmp_path):
    assert documents().diagnostics == []
    (tmp_path / "rows.csv").write_text("age,y\n" + "1,2\n" * 10)
    assert [one.code for one in documents(MAIN + "\n").diagnostics if one.severity == "error"] == ["TFG502"]


def test_a_program_that_could_not_be_imported_is_analysed_again(documents):
    """Also if nobody asked for its symbols since it imports the file."""
    document = documents(MAIN.replace('import "layers.tfg"', 'import "layers.tf"'))
    assert document.diagnostics and document.symbols
    assert documents().diagnostics == []
    documents(LAYERS.replace("half", "third"), "layers.tfg")
    assert [one.code for one in document.diagnostics][:1] == ["TFG304"]


PROGRAMS = sorted([*(ROOT / "models").glob("*.tfg"), *(ROOT / "tests" / "ports").glob("*.tfg")])
LANGUAGE = {*BUILTINS, *LISTERS, *OPS, *OPTIMIZERS, *DTYPE_NAMES, "epoch", "step", "training", "global_step"}


# The loop of `autodiff_passes` is unrolled to thousands of nodes.
@pytest.mark.parametrize(
    "path",
    some(PROGRAMS, [path for path in PROGRAMS[::2] if path.stem != "autodiff_passes"]),
    ids=lambda path: path.stem,
)
def test_the_symbols_are_those_of_the_analysis(path, workspace):
    """Every name that the analysis finds a value for has a symbol, unless it is one of the language."""
    document = workspace.document(str(path))
    marked = {(one.start, one.end) for one in document.symbols.occurrences}
    names = [part for part in t.trees(document.tree) if isinstance(part, t.Name) and part.id == part.span.text]
    found = [one for one in names if document.values(one.span.start, one.span.end)]
    assert not [one.id for one in found if (one.span.start, one.span.end) not in marked and one.id not in LANGUAGE]
    assert len(found) > 3


@pytest.mark.parametrize(
    "expression", [" + ".join(["a"] * 2000), " and ".join(["a"] * 2000), " < ".join(["a"] * 2000), "-" * 500 + "a"]
)
def test_long_expressions(tmp_path, expression):
    workspace, path = Workspace(), str(tmp_path / "a.tfg")
    workspace.change(path, OpenText(f"a = 1.0\nb = {expression}\n"))
    document = workspace.document(path)
    assert len(references(document, 0)) == expression.count("a") - expression.count("and") + 1
    assert hover(document, 8) is not None
