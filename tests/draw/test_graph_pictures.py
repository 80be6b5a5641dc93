"""`tfdsl graph`: a picture shows the program, completely and nothing else."""

import functools
import json
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
import tensorflow as tf
from conftest import some
from google.protobuf import text_format
from programs import GOLDEN, MODELS

import tfdsl
from tfdsl.cli import main
from tfdsl.draw.formats.dot import dot
from tfdsl.draw.formats.html import html
from tfdsl.draw.picture import Box, picture
from tfdsl.program import Enter, Exit, Node

PATHS = [*MODELS, *GOLDEN]
every = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
small = pytest.mark.parametrize(
    "path", some(PATHS, [path for path in PATHS if path.stem != "autodiff_passes"]), ids=lambda path: path.stem
)


@functools.cache
def graphs(path):
    return tfdsl.compile(path).program.graphs


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


@every
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


def test_svg_is_xml(file):
    pytest.importorskip("pygraphviz", reason="pygraphviz is not installed")
    assert main(["graph", "p.tfg", "-o", "out.svg"]) == 0
    tree = ElementTree.parse("out.svg")
    assert {"w", "x", "y", "s"} <= {element.text for element in tree.iter("{http://www.w3.org/2000/svg}text")}


def test_without_graphviz_the_error_says_how_to_install_it(file, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    assert main(["graph", "p.tfg", "-o", "out.svg"]) == 1
    err = capsys.readouterr().err
    assert "TFG814" in err and "pygraphviz" in err


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
        "import sys, tfdsl.cli\ncode = [tfdsl.cli.main(['graph', 'p.tfg', '-o', name]) for name in ('a.dot', 'a.html')]\n"
        "print(code, [m for m in ('tensorflow', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[0, 0] []\n"


CHROMIUM = shutil.which("chromium")


@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
def test_boxes_open_and_close_in_a_browser(file):
    assert main(["graph", "p.tfg", "-o", "p.html"]) == 0

    def dom(part):
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 f"--user-data-dir={file / 'profile'}", "--virtual-time-budget=2000", "--dump-dom"]  # fmt: skip
        command = [CHROMIUM, *flags, f"file://{file / 'p.html'}{part}"]
        return subprocess.run(command, capture_output=True, text=True, timeout=300).stdout

    opened, closed = dom(""), dom("#close=b1")
    assert 'class="box tint' in opened and 'aria-expanded="true"' in opened
    assert re.search(r'class="box tint\d closed"', closed) and 'aria-expanded="false"' in closed
    # Both edges still exist: they end at the box.
    edges = [
        re.findall(r"<path", page.partition('class="edges"')[2].partition("</svg>")[0]) for page in (opened, closed)
    ]
    assert [len(one) for one in edges] == [2, 2]
