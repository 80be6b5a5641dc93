"""`tfdsl graph`: a picture shows the program, completely and nothing else."""

import functools
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from xml.etree import ElementTree

import pytest
import tensorflow as tf
from conftest import some
from google.protobuf import text_format
from programs import GOLDEN, MODELS

import tfdsl
from tfdsl.cli import main
from tfdsl.diagnostics.spelling import visible
from tfdsl.draw.formats.dot import dot
from tfdsl.draw.formats.html import html, opened
from tfdsl.draw.formats.svg import svg
from tfdsl.draw.links import linked
from tfdsl.draw.picture import Box, picture
from tfdsl.draw.rows import arranged
from tfdsl.program import Enter, Exit, Node

PATHS = [*MODELS, *GOLDEN]
small = pytest.mark.parametrize(
    "path", some(PATHS, [path for path in PATHS if path.stem != "autodiff_passes"]), ids=lambda path: path.stem
)


SVG = "{http://www.w3.org/2000/svg}"


@functools.cache
def program(path):
    return tfdsl.compile(path).program


def graphs(path):
    return program(path).graphs


def shapes(children):
    for child in children:
        if isinstance(child, Box):
            yield from shapes(child.children)
        else:
            yield child


@small
def test_every_node_and_edge_occurs_once(path):
    for graph in graphs(path):
        drawn = picture(graph)
        ids = [shape.id for shape in shapes(drawn.children)]
        assert sorted(ids) == sorted(f"n{id}" for id in graph.nodes)
        wanted = set()
        for node in graph.nodes.values():
            own = [*(r for arg in node.args.values() for r in _refs(arg))]
            own += [r for region in node.regions for arg in region.results for r in _refs(arg)]
            wanted |= {(f"n{ref.node}", f"n{node.id}") for ref in own}
        assert {(edge.start, edge.end) for edge in drawn.edges if not edge.control} == wanted


def _refs(arg):
    from tfdsl.program import refs_of

    return refs_of(arg)


@small
def test_boxes_are_the_scopes(path):
    for graph in graphs(path):
        where, stack = {}, []
        for item in graph.items:
            match item:
                case Enter():
                    stack.append(item.name if item.kind == "scope" else None)
                case Exit():
                    stack.pop()
                case Node():
                    where[f"n{item.id}"] = [name for name in stack if name]
        found = {}

        def note(children, names, found=found):
            for child in children:
                if isinstance(child, Box):
                    note(child.children, [*names, child.like])
                else:
                    found[child.id] = names

        note(picture(graph).children, [])
        assert {id: [name for name in found[id] if name] for id in where} == where


def test_calls_of_one_function_are_grouped():
    (relu,) = (path for path in MODELS if path.stem == "relu")
    boxes = [child for child in picture(graphs(relu)[0]).children if isinstance(child, Box)]
    assert [box.label for box in boxes] == ["relu", "relu_1", "relu_2", "relu_3", "relu_4"]
    assert {(box.like, box.count) for box in boxes} == {("relu", 5)}


def test_an_unrolled_loop_is_one_box():
    text = "variable a = 0.2\nz = constant(0.0)\nfor i in range(100):\n    z = a * cos(z + i)\n"
    (box,) = (c for c in picture(tfdsl.compile(text).program.graph()).children if isinstance(c, Box))
    assert box.label == "line 4: 300 nodes" and len(box.children) == 300


def test_edges_carry_shapes():
    compiled = tfdsl.compile(
        "placeholder X: float32[batch, 9]\nv = constant([1, 2])\ny = X @ ones([9, 1])\nz = v + 1\n"
    )
    labels = {(edge.start, edge.label) for edge in picture(compiled.program.graph()).edges}
    assert {("n0", "batch\N{MULTIPLICATION SIGN}9"), ("n1", "int32 2")} <= labels


@small
def test_pictures_are_the_same_every_time(path):
    first, second = ([picture(graph) for graph in tfdsl.compile(path).program.graphs] for _ in range(2))
    assert dot(first) == dot(second) and html(first, "t") == html(second, "t")


@small
def test_items_stand_below_what_they_are_made_from(path):
    for graph in graphs(path):
        drawn = picture(graph)
        rows = arranged(drawn)
        assert sorted(child.id for row in rows[""] for child in row) == sorted(child.id for child in drawn.children)
        for inside in rows.values():
            height = {child.id: number for number, row in enumerate(inside) for child in row}
            for edge in drawn.edges:
                if edge.start in height and edge.end in height and int(edge.start[1:]) < int(edge.end[1:]):
                    assert height[edge.start] < height[edge.end]


LINKED = """\
data d = moons(20)
placeholder X: float32[n, 2]
placeholder rate: float32
variable w = 0.0
up = assign_add(w, 1.0)
s = reduce_sum(X) * rate
m = reduce_sum(constant(d.target))
session:
    train 1 epoch on d in batches of 10 as batch:
        feed X = batch.features
        run up
        print s with rate = 0.5
    set w = 2.0
    print m
"""


def test_data_placeholders_and_sessions_are_linked():
    whole = tfdsl.compile(LINKED).program
    drawn = linked(picture(whole.graph()), whole, whole.graph())
    found = {shape.id: shape for shape in shapes(drawn.children)}
    edges = {(found[edge.start].label, found[edge.end].label, edge.label, edge.look) for edge in drawn.edges}
    shown = "print s with rate = 0.5"
    assert {("d", "X", "features", ""), ("s", shown, "", ""), (shown, "X", "", "feed"), (shown, "rate", "", "feed"),
            ("set w = 2.0", "w", "", "feed"), ("m", "print m", "int64", "")} <= edges  # fmt: skip
    assert any(start == "d" and label == "target" for start, _, label, _ in edges), "a constant of the graph"
    data, (*_, session) = drawn.children[0], drawn.children
    assert (data.kind, data.op, data.line) == ("data", "moons", 1)
    assert session.label == "session" and [child.label for child in session.children] == [
        "train 1 epoch on d in batches of 10 a...", "set w = 2.0", "print m"]  # fmt: skip
    (print_s,) = (shape for shape in found.values() if shape.label == shown)
    assert ("feed rate", "0.5") in print_s.params and print_s.line == 12


def test_items_have_their_arguments():
    graph = tfdsl.compile("x = constant([[1.0, 2.0]])\ny = reduce_sum(x, axis=1)\n").program.graph()
    (item,) = (shape for shape in shapes(picture(graph).children) if shape.label == "y")
    assert ("axis", "1") in item.params and item.type == "float32[1]" and item.line == 2


def test_repeated_boxes_of_large_pictures_begin_closed():
    (relu,) = (path for path in MODELS if path.stem == "relu")
    small = picture(graphs(relu)[0])
    assert len(opened(small)) == 5
    text = "def f(x):\n    a = x + 1.0\n    b = a * 2.0\n    return b\nx = constant(1.0)\n"
    large = picture(tfdsl.compile(text + "".join("x = f(x)\n" for _ in range(40))).program.graph())
    boxes = [child for child in large.children if isinstance(child, Box)]
    assert len(boxes) == 40 and opened(large) == {boxes[0].id}


@small
def test_a_page_is_self_contained(path):
    text = html([picture(graph) for graph in graphs(path)], path.name)
    addresses = set(re.findall(r"https?://[^\"'\s)]+", text))
    assert addresses <= {"http://www.w3.org/2000/svg"}  # the name of SVG, which is never fetched
    assert not re.search(r"\b(src|href)=", text)


HOSTILE = 'x = constant(["</script><script>alert(1)</script>"])\nscope a:\n    y = identity(x)\n'


def test_text_of_a_program_is_never_markup():
    drawn = [picture(graph) for graph in tfdsl.compile(HOSTILE).program.graphs]
    text = html(drawn, "<b>title")
    assert text.count("</script>") == 2 and "<b>title" not in text and "alert(1)</script" not in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert data["title"] == "<b>title"


def test_dot_quotes_text_of_a_program():
    compiled = tfdsl.compile('y = identity(constant("a\\"b\\\\c];evil[x=1"))\n')
    text = dot([picture(compiled.program.graph())])
    assert "evil" in text
    strings = re.sub(r'"(?:[^"\\]|\\.)*"', '""', text)
    assert "evil" not in strings and strings.count("{") == strings.count("}")


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p.tfg").write_text("variable w = 2.0\nplaceholder x: float32\nscope s:\n    y = w * x\n")
    return tmp_path


def test_dot_goes_to_standard_output(file, capsys):
    assert main(["graph", "p.tfg"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("digraph program {") and 'label="y"' in out


@small
def test_svg_shows_every_item_and_box(path):
    drawn = [linked(picture(graph), program(path), graph) for graph in graphs(path)]
    tree = ElementTree.fromstring(svg(drawn))
    texts = Counter(element.text for element in tree.iter(f"{SVG}text"))
    wanted = Counter(visible(shape.label.replace("\n", " ")) for one in drawn for shape in shapes(one.children))
    assert wanted <= texts
    between = [{(edge.start, edge.end, edge.look) for edge in one.edges} for one in drawn]
    assert sum(1 for _ in tree.iter(f"{SVG}path")) == sum(map(len, between))
    statements = {shape.id for one in drawn for shape in shapes(one.children) if shape.kind == "session"}
    labels = {edge.label for one in drawn for edge in one.edges if edge.end not in statements}
    assert all(any(label in text for text in texts if text) for label in labels)
    width, height = (float(tree.get(name)) for name in ("width", "height"))
    for rect in tree.iter(f"{SVG}rect"):
        left, top, wide, high = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
        assert left >= 0 and left + wide <= width + 1 and top >= 0 and top + high <= height + 1


def test_svg_needs_no_graphviz(file, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert main(["graph", "p.tfg", "-o", "out.svg"]) == 0
    tree = ElementTree.parse("out.svg")
    assert {"w", "x", "y", "s"} <= {element.text for element in tree.iter(f"{SVG}text")}


def test_pbtxt_is_the_tensorflow_graph(file):
    assert main(["graph", "p.tfg", "-o", "out.pbtxt"]) == 0
    proto = text_format.Parse((file / "out.pbtxt").read_text(), tf.compat.v1.GraphDef())
    built = tfdsl.compile("p.tfg").graph
    assert [node.name for node in proto.node] == [op.name for op in built.get_operations()]
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(proto, name="")
    assert graph.get_operation_by_name("s/y").type == "Mul"


def test_wrong_use(file, capsys):
    assert main(["graph", "p.tfg", "-o", "out.png"]) == 2
    assert ".dot, .html, .pbtxt or .svg" in capsys.readouterr().err
    assert main(["graph", "p.tfg", "--graph", "other"]) == 2
    assert main(["graph", "p.tfg", "-o", "missing/out.dot"]) == 1
    assert "TFG707" in capsys.readouterr().err


def test_pictures_need_no_tensorflow(file):
    program = (
        "import sys, tfdsl.cli\ncode = [tfdsl.cli.main(['graph', 'p.tfg', '-o', name]) for name in ('a.dot', 'a.html', 'a.svg')]\n"
        "print(code, [m for m in ('tensorflow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 0, 0] []\n"


CHROMIUM = shutil.which("chromium")


PRESS = """
<pre id="pressed"></pre>
<script>
for (const keys of KEYS) {
  for (const key of keys.split(" ")) {
    const at = document.activeElement;
    if (key.startsWith("find:")) { at.value = key.slice(5); at.dispatchEvent(new Event("input")); }
    else if (key === "click") at.click();
    else at.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
  }
  const now = document.activeElement, shown = document.querySelector("#about:not([hidden]) h2");
  const words = now.id || now.querySelector("b")?.textContent || now.textContent;
  document.getElementById("pressed").textContent +=
    `${words}, ${shown ? shown.textContent : "-"}, ${document.querySelectorAll(".box.closed").length}\\n`;
}
</script>
"""


def dom(folder, part=""):
    """What a browser makes of the page."""
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=2000", "--dump-dom"]  # fmt: skip
    command = [CHROMIUM, *flags, f"file://{folder / 'p.html'}{part}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_page_by_keyboard(file):
    assert main(["graph", "p.tfg", "-o", "p.html"]) == 0
    steps = [  # keys; then the focus, what the details are about, and the number of closed boxes
        ("/ find:y Enter", "find, y, 0"),
        ("ArrowDown", "y, y, 0"),
        ("ArrowUp", "w, w, 0"),
        ("ArrowDown", "y, y, 0"),
        ("ArrowRight", "away, y, 0"),
        ("click", "y, -, 0"),
        ("ArrowRight Escape", "y, -, 0"),
        ("/ find:s ArrowDown", "s, -, 0"),
        ("Enter", "s, -, 1"),
        ("/ find:y Enter", "find, y, 0"),
    ]
    with (file / "p.html").open("a", encoding="utf-8") as page:
        page.write(PRESS.replace("KEYS", json.dumps([keys for keys, _ in steps])))
    pressed = re.search(r'<pre id="pressed">(.*?)</pre>', dom(file), re.S)[1].splitlines()
    assert [*zip((keys for keys, _ in steps), pressed, strict=True)] == steps


@pytest.mark.long
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_a_page_in_a_browser(file):
    assert main(["graph", "p.tfg", "-o", "p.html"]) == 0
    opened, closed = dom(file, "#find=y"), dom(file, "#close=b1")
    assert 'class="box tint' in opened and 'aria-expanded="true"' in opened
    assert re.search(r'class="box tint\d closed"', closed) and 'aria-expanded="false"' in closed
    assert "1 of 1" in opened and 'class="item op found lit"' in opened
    assert re.search(r"<h2>y</h2>.*<dd>multiply</dd>.*<dd>float32</dd>.*<dd>4</dd>.*>w</button>.*>x</button>", opened)
    assert 'id="about" aria-label="the selected item" hidden' in closed
    # Both edges still exist: they end at the box.
    edges = [
        re.findall(r"<path", page.partition('class="edges"')[2].partition("</svg>")[0]) for page in (opened, closed)
    ]
    assert [len(one) for one in edges] == [2, 2]
