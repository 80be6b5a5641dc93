"""What an editor knows of files that import each other."""

from itertools import permutations

import pytest

from tfdsl.diagnostics import TfgError
from tfdsl.driver import check
from tfdsl.editor.navigation import definition
from tfdsl.editor.text import OpenText
from tfdsl.editor.workspace import Workspace
from tfdsl.source import Source

CYCLE = {
    "a.tfg": 'import "b.tfg" as b\none = 1\nuse = b.two + b.three\n',
    "b.tfg": 'import "c.tfg" as c\nfrom "a.tfg" import one\ntwo = one + c.three\nthree = 3\n',
    "c.tfg": 'import "a.tfg" as a\nimport "d.tfg" as d\nthree = a.one + d.four\n',
    "d.tfg": "four = 4\n",
}


def found(workspace, path):
    """The names of a file by place, with the places that they are bound at."""
    symbols = workspace.symbols(str(path))
    return [
        (one.start, one.symbol.name, one.symbol.span.source.path, one.symbol.span.start) for one in symbols.occurrences
    ]


def test_names_in_a_cycle_of_imports_do_not_depend_on_the_order_of_questions(tmp_path):
    answers = set()
    for order in permutations(CYCLE):
        workspace = Workspace()
        for name, text in CYCLE.items():
            workspace.change(str(tmp_path / name), OpenText(text))
        for name in order:
            workspace.symbols(str(tmp_path / name))
        answers.add(repr([found(workspace, tmp_path / name) for name in CYCLE]))
    assert len(answers) == 1


def test_names_of_an_imported_file_are_known_in_a_cycle(tmp_path):
    workspace = Workspace()
    for name, text in CYCLE.items():
        workspace.change(str(tmp_path / name), OpenText(text))
    for name, word, there in (("a.tfg", "b.two", "b.tfg"), ("b.tfg", "c.three", "c.tfg"), ("c.tfg", "d.four", "d.tfg")):
        document = workspace.document(str(tmp_path / name))
        place = definition(document, document.text.plain.index(word) + 2)
        assert place is not None and place.path == str(tmp_path / there), name


def test_a_change_reaches_files_in_a_cycle(tmp_path):
    workspace = Workspace()
    for name, text in CYCLE.items():
        workspace.change(str(tmp_path / name), OpenText(text))
    assert any(one[1] == "four" for one in found(workspace, tmp_path / "c.tfg"))
    workspace.symbols(str(tmp_path / "a.tfg"))
    workspace.change(str(tmp_path / "d.tfg"), OpenText("\n\nfour = 4\n"))
    assert [one[3] for one in found(workspace, tmp_path / "c.tfg") if one[1] == "four"] == [2]


@pytest.mark.parametrize("opened", ["real", "link"])
def test_importers_of_a_document_opened_through_a_link(tmp_path, opened):
    """A document may be opened by one path and imported by another: an edit reaches its importers all the same."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "layer.tfg").write_text("size = 1\n")
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    other = "link" if opened == "real" else "real"
    main, layer = str(tmp_path / "main.tfg"), str(tmp_path / opened / "layer.tfg")
    workspace = Workspace()
    workspace.change(main, OpenText(f'import "{other}/layer.tfg" as layer\nsession: print layer.width\n'))
    assert [one.code for one in workspace.analysed(main).diagnostics] == ["TFG304"]
    workspace.change(layer, OpenText("width = 2\n"))
    assert workspace.importers(layer) == [main]
    assert not workspace.analysed(main).diagnostics
    assert any(one.symbol.name == "width" for one in workspace.symbols(main).occurrences)
    workspace.change(layer, OpenText("height = 2\n"))
    assert [one.code for one in workspace.analysed(main).diagnostics] == ["TFG304"]
    workspace.change(layer, None)
    with pytest.raises(TfgError):
        workspace.symbols(str(tmp_path / "gone.tfg"))
    assert "size" in workspace.symbols(str(tmp_path / other / "layer.tfg")).env.members(((),))


LAYERS = """def half(x):
    variable w = 1.0
    return x * w / 2.0

def twice(x):
    return 2.0 * x
"""
IMPORTING = 'import "layers.tfg" as layers\nplaceholder X: float32[n]\nsession: print layers.half(X) with X = [1.0]\n'


@pytest.mark.parametrize(
    ("old", "new", "is_analysed"),
    [
        ("def half", "# Halves what it gets.\n\ndef half", False),
        ("    variable", "    # a weight\n    variable", False),
        ("x * w / 2.0", "x * (w) / 2.0", False),
        ("2.0 * x", "2.0 * x * unknown", False),  # the program does not call it
        ("/ 2.0", "/ 2.5", True),
        ("/ 2.0", "/ -0.0", True),
        ("def twice(x)", "def twice(x, y)", True),
        ("2.0 * x\n", "2.0 * x\n\ndef third(x):\n    return x\n", True),
        ("def twice", "def half", True),
        ("2.0 * x", "2.0 * x * (", True),
        ("    return x * w / 2.0\n", "    return x * w\n", True),
    ],
)
def test_a_program_is_analysed_again_only_if_an_edit_of_an_import_can_matter(tmp_path, old, new, is_analysed):
    workspace, main, layers = Workspace(), str(tmp_path / "main.tfg"), str(tmp_path / "layers.tfg")
    workspace.change(main, OpenText(IMPORTING))
    workspace.change(layers, OpenText(LAYERS))
    before = workspace.document(main).diagnostics
    workspace.symbols(main)
    for text in (LAYERS.replace(old, new), LAYERS):
        workspace.change(layers, OpenText(text))
    assert workspace.document(main).diagnostics is before  # back to the text that it was analysed with
    workspace.change(layers, OpenText(LAYERS.replace(old, new)))
    assert (workspace.document(main).diagnostics is not before) == is_analysed


def test_a_changed_file_of_data_is_noticed_after_an_edit_of_an_import(tmp_path):
    workspace, main, layers = Workspace(), str(tmp_path / "main.tfg"), str(tmp_path / "layers.tfg")
    (tmp_path / "d.csv").write_text("a,b\n1,2\n")
    using = IMPORTING.replace("= [1.0]", "= d.features") + 'data d = csv("d.csv", target="b")\n'
    using = using.replace("float32[n]", "float32[n, 1]")
    workspace.change(main, OpenText(using))
    workspace.change(layers, OpenText(LAYERS))
    assert workspace.document(main).diagnostics == []
    workspace.symbols(main)
    (tmp_path / "d.csv").write_text("a,b,c\n1,2,3\n")
    workspace.change(layers, OpenText("# a note\n" + LAYERS))
    assert [one.code for one in workspace.document(main).diagnostics] != []


def test_a_path_that_no_file_can_have_is_the_error_of_a_fresh_check(tmp_path):
    path, text = str(tmp_path / "main.tfg"), 'from "l\0.tfg" import half\nx = half(1.0)\n'
    (tmp_path / "main.tfg").write_text(text)
    workspace = Workspace()
    workspace.change(str(tmp_path / "layers.tfg"), OpenText("def half(x): return x / 2.0\n"))
    workspace.change(path, OpenText(text))
    codes = [one.code for one in workspace.document(path).diagnostics]
    assert codes == [one.code for one in check(Source(path, text))[1]] == ["TFG822"]
