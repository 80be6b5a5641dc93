"""An analysis that goes on from a kept state finds what an analysis of the whole text finds."""

import gc
import random
import types

import pytest
from conftest import some
from programs import MODELS

from tfdsl.analysis.check import analyse
from tfdsl.analysis.context import Analysis, GraphBuilder
from tfdsl.analysis.executed import Executions
from tfdsl.analysis.prefixes import Prefixes
from tfdsl.driver import check
from tfdsl.editor.text import OpenText
from tfdsl.editor.workspace import Workspace
from tfdsl.inputs import CompileInputs
from tfdsl.record import State
from tfdsl.source import Source
from tfdsl.syntax.parse import parse

TYPED = "fresh = reduce_mean([1.0, 2.0])\nsummary scalar fresh\n"
QUICK = [one for one in MODELS if one.stem in ("basics", "housing", "shared_in_first_call", "moons")]


def found(diagnostics):
    return [(d.code, d.headline, d.help_line, d.span and (d.span.start, d.span.end)) for d in diagnostics]


def fresh(path, text):
    return found(check(Source(path, text))[1])


class Counted(Prefixes):
    """Counts the statements that are analysed."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def through(self, tree, fresh):
        for state, statement in super().through(tree, fresh):
            self.count += 1
            yield state, statement


def opened(path, text):
    """A workspace with a document, and its counter of statements."""
    workspace, counted = Workspace(), Counted()
    workspace.change(path, OpenText(text))
    workspace._prefixes[path] = counted
    workspace.document(path).diagnostics  # noqa: B018 it is computed
    return workspace, counted


def typed(text, place, line):
    return [text[:place] + line[:end] + text[place:] for end in range(1, len(line) + 1)]


def starts(text):
    """Where a line can be typed between statements of the file."""
    return [at + 1 for at, c in enumerate(text) if c == "\n" and text[at + 1 : at + 2].isalpha()]


@pytest.mark.parametrize("model", some(MODELS, QUICK), ids=lambda one: one.stem)
def test_a_line_is_typed_into_a_program(model):
    text = model.read_text(encoding="utf-8")
    chosen, path = random.Random(7), str(model)
    workspace, counted = opened(path, text)
    total = counted.count
    for place in chosen.sample(starts(text), min(3, len(starts(text)))):
        steps = typed(text, place, TYPED)
        for step in [*steps[::7], steps[-1], text]:
            workspace.change(path, OpenText(step))
            assert found(workspace.document(path).diagnostics) == fresh(path, step)
    assert total > 0


def test_statements_above_the_edit_are_not_analysed_again(tmp_path):
    path = str(tmp_path / "main.tfg")
    text = "".join(f"variable v{i} = {i}.0\n" for i in range(50)) + "session:\n    print v1\n"
    workspace, counted = opened(path, text)
    place = text.index("variable v40")
    counts = []
    for step in typed(text, place, "x = v3\n"):
        counted.count = 0
        workspace.change(path, OpenText(step))
        assert found(workspace.document(path).diagnostics) == fresh(path, step)
        counts.append(counted.count)
    assert counts[0] > 50 and max(counts[1:]) < 15


BELOW = {
    "a name that is bound below": ("print = 1\nx = later_name\n", "", "later_name = 3\n"),
    "the counter of steps": (
        "variable w = 1.0\noptimize square(w) with sgd(0.1) as step_op\n",
        "",
        "a = global_step\n",
    ),
    "a reuse that shares nothing": ("scope a:\n    variable w = 1.0\nscope a reuse:\n    y = 2.0\n", "", "def f(:\n"),
}


@pytest.mark.parametrize("case", BELOW)
def test_what_depends_on_the_rest_of_the_file_is_found_anew(tmp_path, case):
    path = str(tmp_path / "main.tfg")
    head, before, after = BELOW[case]
    middle = "".join(f"variable v{i} = {i}.0\n" for i in range(5))
    workspace, _ = opened(path, head + middle + before)
    for tail in (" ", "x", "xy", after, before, after):
        text = head + middle + tail
        workspace.change(path, OpenText(text))
        assert found(workspace.document(path).diagnostics) == fresh(path, text)


def test_a_file_that_was_read_above_the_edit_changes(tmp_path):
    path, data = str(tmp_path / "main.tfg"), tmp_path / "d.csv"
    data.write_text("a,b\n1,2\n3,4\n")
    text = 'data d = csv("d.csv", target="b")\n' + "".join(f"variable v{i} = {i}.0\n" for i in range(5))
    workspace, _ = opened(path, text)
    for content in ("a,b\n1,2\n3,4\n", "a,c\n1,2\n3,4\n", "a,b\n1,2\n3,4\n5,6\n"):
        data.write_text(content)
        for step in typed(text, len(text), "z = d.rows + d.a\n"):
            workspace.change(path, OpenText(step))
            assert found(workspace.document(path).diagnostics) == fresh(path, step)


def test_data_that_was_opened_before_is_compared_with_its_file(tmp_path):
    path, data = str(tmp_path / "main.tfg"), tmp_path / "d.csv"
    data.write_text("a,b\n1,2\n3,4\n")
    text = 'data d = csv("d.csv", target="b")\nx = d.a\n' + "".join(f"variable v{i} = {i}.0\n" for i in range(5))
    workspace, _ = opened(path, text)
    data.rename(tmp_path / "e.csv")  # and back: the source is known, and is not opened again
    for content, tail in (("", "# 1\n"), ("a,b\n1,2\n3,4\n", "# 2\n"), ("", "# 3\n"), ("aa,b\n1,2\n3,4\n", "# 4\n")):
        if content:
            (tmp_path / "e.csv").write_text(content)
            (tmp_path / "e.csv").rename(data)
        elif data.exists():
            data.rename(tmp_path / "e.csv")
        for more in ("y = v3\n", "y = v4\n"):
            workspace.change(path, OpenText(text + more + tail))
            assert found(workspace.document(path).diagnostics) == fresh(path, text + more + tail)


def test_a_folder_of_pictures_is_looked_at_again(tmp_path):
    from PIL import Image

    path, text = str(tmp_path / "main.tfg"), 'data d = images("pics")\nx = d.rows\n'
    for kind in ("cat", "dog"):
        (tmp_path / "pics" / kind).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "pics" / kind / "1.png")
    workspace, _ = opened(path, text)
    Image.new("RGB", (7, 9)).save(tmp_path / "pics" / "cat" / "2.png")
    workspace.change(path, OpenText(text + "# more\n"))
    assert [code for code, *_ in found(workspace.document(path).diagnostics)] == ["TFG654"]


# --- copies -----------------------------------------------------------------------------------

CHANGING = (State, Analysis, GraphBuilder, Executions)
SHARED = (type, types.ModuleType, types.FunctionType, types.BuiltinFunctionType, types.MethodType)


def changing(root):
    """The objects in reach of one that change while statements are analysed, with those that refer to them."""
    todo, seen, result = [root], {}, {}
    while todo:
        one = todo.pop()
        for inner in gc.get_referents(one):
            if id(inner) not in seen and not isinstance(inner, SHARED):
                seen[id(inner)] = inner
                todo.append(inner)
                if isinstance(inner, CHANGING):
                    result[id(inner)] = f"{type(one).__name__} -> {type(inner).__name__}"
    return result


@pytest.mark.parametrize("model", some([one for one in MODELS if one.stem != "lenet"], QUICK), ids=lambda one: one.stem)
def test_a_copy_shares_nothing_that_changes(model):
    """No state of lenet is kept, since it uses `global_step`."""
    text = model.read_text(encoding="utf-8")
    states = []

    class Seen(Prefixes):
        def through(self, tree, fresh):
            for state, statement in super().through(tree, fresh):
                states.append(state)
                yield state, statement

    tree, prefixes = parse(Source(str(model), text)), Seen()
    for _ in range(2):
        analyse(tree, CompileInputs(), prefixes)
    before, after = states[-2], states[-1]
    assert before is not after
    originals, copies = changing(before), changing(after)
    assert len(originals) > 3
    assert {copies[one] for one in copies if one in originals} == set()
