"""The structure of the package: data flows one way, and each file has one idea."""

import ast
import functools
import gc
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import get_args

import op_names
import pytest
from classes import classes_below
from untyped import unreasoned

from tfdsl import diagnostics
from tfdsl.diagnostics import message
from tfdsl.ops import OPS
from tfdsl.ops.batch import each
from tfdsl.ops.op import Op
from tfdsl.ops.row import table
from tfdsl.ops.rules import like
from tfdsl.program import plan
from tfdsl.runtime import statements
from tfdsl.syntax import tree
from tfdsl.syntax.build import Builder
from tfdsl.syntax.generate import grammar
from tfdsl.syntax.tables import STARTS, grammar_text

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "tfdsl"

# Each part may import itself and the parts before it.
ORDER = [
    "record", "narrowing", "module_table", "bundled", "libraries", "collector", "source", "diagnostics", "limits", "access", "outputs", "given", "packages", "quiet", "cluster",
    "syntax", "types", "known_values", "ops", "program", "draw", "data", "inputs", "analysis", "lowering", "runtime", "runs", "tuning", "driver", "lift", "diff", "reference", "editor",
    "pygments_lexer", "cli", "notebook", "pytest_plugin",
]  # fmt: skip
# The folders of a part, in the same way; the files beside the folders may import all of them.
LAYERS = {
    "analysis": ["calls", "expressions", "graph", "warnings", "sessions"],
    "runtime": ["files", "execution", "statements", "training", "checkpoint", "cluster"],
}
TENSORFLOW = {"lowering/tf", "quiet", "cli/tensorflow", "cli/onnx_child"}
MODULES = sorted(p.relative_to(PACKAGE).with_suffix("").as_posix() for p in PACKAGE.rglob("*.py"))


@pytest.fixture(scope="module", autouse=True)
def _uncollected():
    """Syntax trees are many objects: the collector need not look at them, and they are dropped after these tests."""
    gc.disable()
    yield
    for cached in (parsed, nodes, imports):
        cached.cache_clear()
    gc.enable()


def part(module: str) -> str:
    return module.split("/")[0]


@functools.cache
def text_of(module: str) -> str:
    return (PACKAGE / f"{module}.py").read_text(encoding="utf-8")


@functools.cache
def parsed(module: str) -> ast.Module:
    return ast.parse(text_of(module))


@functools.cache
def nodes(module: str) -> list[ast.AST]:
    """All nodes of a module's tree."""
    return list(ast.walk(parsed(module)))


@functools.cache
def imports(module: str, at_once: bool = False) -> set[str]:
    """The modules that a module imports: those of the package by their path, others by their first name. With `at_once`
    only those imported together with it, not those that its functions import."""
    found: set[str] = set()
    folder = module.split("/")[:-1]
    for node in _executed(parsed(module)) if at_once else nodes(module):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                path = "/".join([*base, alias.name])
                found.add(path if path in MODULES else "/".join(base))
    return found


def _executed(node: ast.AST):
    """The nodes that are executed when a module is imported."""
    for child in ast.iter_child_nodes(node):
        is_for_types = isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"
        if not isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)) and not is_for_types:
            yield child
            yield from _executed(child)


def test_a_part_imports_only_parts_before_it():
    later = [
        f"{module} imports {other}"
        for module in MODULES
        if "/" in module or module in ORDER
        for other in imports(module)
        if (other in MODULES or f"{other}/__init__" in MODULES) and part(other) in ORDER
        if ORDER.index(part(other)) > ORDER.index(part(module))
    ]
    assert later == []


def test_a_layer_imports_only_those_below_it():
    above = [
        f"{module} imports {other}"
        for module in MODULES
        if module.count("/") == 2 and part(module) in LAYERS
        for other in imports(module)
        if part(other) == part(module) and other.count("/") == 2
        for layers in [LAYERS[part(module)]]
        if layers.index(other.split("/")[1]) > layers.index(module.split("/")[1])
    ]
    assert above == []


def test_there_are_no_circular_imports():
    """All imports count, including those inside functions and for types."""
    edges = {
        module: {name for other in imports(module) for name in (other, f"{other}/__init__") if name in MODULES}
        for module in MODULES
    }
    open_, done = [], set()

    def visit(module):
        assert module not in open_, " -> ".join([*open_[open_.index(module) :], module])
        if module not in done:
            open_.append(module)
            for other in edges[module] - {module}:
                visit(other)
            done.add(open_.pop())

    for module in MODULES:
        visit(module)


def test_tensorflow_is_imported_in_one_place():
    assert {module for module in MODULES if "tensorflow" in imports(module)} == TENSORFLOW


def test_the_front_end_imports_no_arrays():
    """The modules imported together with the analysis, the sources and the transforms of data do not import arrays."""
    from tfdsl.data import SOURCES, TRANSFORMS

    left = [m for m in MODULES if part(m) in ORDER and ORDER.index(part(m)) <= ORDER.index("analysis")]
    rows = {
        f"data/{folder}/{name}"
        for folder, table in (("sources", SOURCES), ("transforms", TRANSFORMS))
        for name in table
    }
    left = [m for m in left if part(m) != "data"] + [m for m in MODULES if m.removesuffix("/__init__") in rows]
    seen: set[str] = set()
    while left:
        module = left.pop()
        if module in seen:
            continue
        seen.add(module)
        found = imports(module, at_once=True)
        assert not found & {"numpy", "sklearn", "tensorflow", "pyarrow"}, module
        inside = {one for path in found for one in (path, f"{path}/__init__") if one in MODULES}
        parents = {"/".join([*module.split("/")[:n], "__init__"]) for n in range(1, module.count("/") + 1)}
        left += inside | (parents & set(MODULES))
    assert {
        "data/declaration",
        "data/sources/csv/__init__",
        "data/transforms/split",
    } <= seen and "data/arrays" not in seen


def test_files_keep_to_one_idea():
    assert [module for module in MODULES if len(text_of(module).splitlines()) > 700] == []


def test_a_class_name_has_one_meaning():
    """A statement of the tree and what the analysis makes of it are one thing in two stages, and share their name."""
    places: dict[str, list[str]] = {}
    for module in MODULES:
        for node in nodes(module):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(module)
    twice = {name: modules for name, modules in places.items() if len(modules) > 1}
    of_statements = {cls.__name__ for cls in classes_below(tree.StatementTree)}
    stages = [[f"program/{one}", "syntax/tree"] for one in ("plan", "graph", "session_expressions")]
    assert {
        name: modules for name, modules in twice.items() if name not in of_statements or modules not in stages
    } == {}


def twice_in(body: ast.ClassDef) -> list[str]:
    """The names that a class defines twice. A property and its setter have one name, and so do overloads."""
    names: list[str] = []
    for node in body.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            again = [ast.unparse(one) for one in node.decorator_list]
            names += [] if "overload" in again or any(one.endswith(".setter") for one in again) else [node.name]
        elif isinstance(node, ast.AnnAssign):
            names.append(ast.unparse(node.target))
        elif isinstance(node, ast.Assign):
            names += map(ast.unparse, node.targets)
    return sorted({name for name in names if names.count(name) > 1})


def test_a_class_defines_each_name_once():
    classes = [(module, node) for module in MODULES for node in nodes(module) if isinstance(node, ast.ClassDef)]
    assert {(module, one.name): names for module, one in classes if (names := twice_in(one))} == {}


def test_names_that_a_class_defines_twice_are_found():
    (cls,) = ast.parse("class A:\n    x: int\n    y = 1\n    x: str\n    def y(self): ...\n    def z(self): ...").body
    assert twice_in(cls) == ["x", "y"]


def test_every_method_of_a_handler_is_called():
    """A handler's methods are those of the base class, which trainings call, or are called by name."""
    from tfdsl.runtime.training.engine import Handler

    classes = [
        node
        for module in MODULES
        for node in nodes(module)
        if isinstance(node, ast.ClassDef) and "Handler" in map(ast.unparse, node.bases)
    ]
    called = {node.attr for module in MODULES for node in nodes(module) if isinstance(node, ast.Attribute)}
    methods = {f.name: c.name for c in classes for f in c.body if isinstance(f, ast.FunctionDef) and f.name[0] != "_"}
    assert len(classes) > 3 and not {name: methods[name] for name in methods if name not in called | set(vars(Handler))}


def test_ops_are_named_only_on_their_rows():
    places = [
        (module, *place)
        for module in MODULES
        if part(module) != "ops" and op_names.MENTION.search(text_of(module))
        for place in op_names.named(parsed(module))
    ]
    assert places == []


def test_names_of_ops_are_found():
    text = """
'''relu in a docstring'''
_ALIKE = ("relu", "shape")
if node.op == "placeholder" or node.op.startswith("assign") or row.name in ("shape", "x"):
    f(OPS["size"], graph.add("optimize", {}), ctx.fail(X, span, help="relu"), f"relu {x}")
match node:
    case Node(op="gradients"):
        kind = dtype.kind == "complex" or method == "reverse" or {"assign": "write: assign(x, y)", "log": a}
"""
    found = [(3, "relu"), (3, "shape"), (4, "assign"), (4, "placeholder"), (4, "shape"), (5, "optimize"), (5, "size")]
    assert list(op_names.found(text)) == [*found, (7, "gradients")]


def test_every_row_has_a_batch_rule():
    ops, row = table("math")
    given = ("twice", "x: T", like("x"), "twice", "Twice.", "twice(1.0)")
    with pytest.raises(TypeError, match="batch"):
        row(*given)
    row(*given, batch=each, T="float", x=1)
    assert ops[0].batch is each and ops[0].options == {"x": 1}
    with pytest.raises(TypeError, match="'compare'"):
        row(*given, batch=each, compare=True)
    with pytest.raises(ValueError, match=r"the row soft: keras\.activations\.soft is of Keras, which"):
        row("soft", "x: T", like("x"), "keras.activations.soft", "Soft.", "soft(1.0)", batch=each)


def test_every_column_of_the_op_table_is_read():
    """Each column is read by a module that uses rows, or by the table itself if it restricts a signature."""
    texts = [text_of(module) for module in MODULES if part(module) != "ops"]
    read = {column for column in Op.__dataclass_fields__ if any(re.search(rf"\.{column}\b", text) for text in texts)}
    assert set(Op.__dataclass_fields__) - read == {"rule"}


def test_every_special_lowering_is_named_by_a_row():
    tree = parsed("lowering/special")
    functions = {f"special.{node.name}" for node in tree.body if isinstance(node, ast.FunctionDef)}
    public = {name for name in functions if not name.startswith("special._")}
    assert {op.lowered for op in OPS.values()} == public | {
        "",
        "gradients.gradients",
        "control.fold",
        "control.map_fn",
        "control.scan",
        "stored.stored",
    }


def test_unions_have_every_class():
    """A match over a union is complete only if the union is."""
    for base, union in ((tree.StatementTree, tree.Statement), (tree.ExprTree, tree.Expr),
                        (plan.SessionStatement, plan.Statement)):  # fmt: skip
        assert set(get_args(union)) == classes_below(base), base.__name__


def test_statements_that_take_feeds_are_known():
    """Their feeds are checked even if an error hides the rest of the statement."""
    fed = {cls for cls in classes_below(tree.StatementTree) if "feeds" in cls.__match_args__}
    assert set(get_args(tree.Feeding)) == fed - {tree.Feed, tree.Evaluate}  # whose feeds are of its own batches


def test_every_rule_of_the_grammar_is_built():
    rules = grammar(grammar_text(), STARTS).rules
    unbuilt = {
        name
        for rule in rules
        if not hasattr(Builder, name := rule.alias or rule.options.template_source or rule.origin.name)
        and not name.startswith("_")
        and not (rule.options.expand1 and len(rule.expansion) == 1)
    }
    assert not unbuilt


def test_every_statement_is_executed():
    """Each has a module that executes it outside the graph, also with values from the graph if it can be in the graph,
    except the statements that only trainings have."""
    in_training = {plan.Train, plan.Every, plan.If, plan.Stop, plan.StopAfter, plan.Checkpoint}
    for kind in set(get_args(plan.Statement)) - in_training:
        module = statements._module(kind)
        assert callable(module.execute), kind
        is_gathered = kind.is_in_graph(object.__new__(kind)) and kind not in (plan.Run, plan.Log)
        assert hasattr(module, "replay") is is_gathered, kind


def test_every_module_says_what_it_is_for():
    for module in MODULES:
        tree = parsed(module)
        assert ast.get_docstring(tree) or not tree.body, module


CATALOGUE = PACKAGE / "diagnostics" / "catalogue"


def test_types_that_are_not_checked_have_a_reason():
    """`Any` and `cast` switch the type checker off."""
    places = [f"tfdsl/{module}.py:{line}" for module in MODULES for line in unreasoned(text_of(module), parsed(module))]
    assert places == [], (
        "Any and cast of typing need a reason. Say the type if it can be said: object, a type parameter, a Protocol, a "
        "TypedDict, or a check such as isinstance, an assert or a guard of tfdsl/narrowing.py in place of the cast. "
        "Otherwise write a comment on the line or above it: why the type cannot be said. Several uses for one reason "
        "are an alias with that reason, as Operand in tfdsl/types.py."
    )


def test_types_without_a_reason_are_found():
    text = """from typing import Any, TypeAlias, cast
Json: TypeAlias = Any  # parsed

def f(a: Any) -> None:
    x = cast(int, a)  # fmt: skip
    # A reason.
    y: "list[Any]" = cast(str, "# no reason")
    z: "list[Any]" = [Json]

@decorated  # a reason
def g(*a: Any): ...
class A:  # no reason for its fields

    a: Callable[
        [int],
        Any,
    ]
    b: str = "Any"
    c: Any  # a reason
    d: Any

    e = tf.cast(Any_, str)
"""
    assert unreasoned(text, ast.parse(text)) == [4, 5, 14, 18]
    assert unreasoned("Any: int\ncast(Any)", ast.parse("Any: int\ncast(Any)")) == []


def test_every_message_has_one_name():
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in CATALOGUE.glob("*.py")]
    assigned = [
        target for tree in trees for node in tree.body if isinstance(node, ast.Assign) for target in node.targets
    ]
    names = [target.id for target in assigned if isinstance(target, ast.Name)]
    assert len(names) == len(set(names))
    messages = [value for value in vars(diagnostics).values() if isinstance(value, diagnostics.Message)]
    assert len(messages) == len({one.code for one in messages})


def test_a_code_that_is_taken_is_refused():
    with pytest.raises(ValueError, match="two messages have the code TFG201: "):
        message.message("TFG201", "another")


def test_every_message_is_used():
    """Its name is in a module that does more than import it, so it is there twice."""
    words = [Counter(re.findall(r"\b[A-Z]\w+", text_of(module))) for module in MODULES if "catalogue" not in module]
    used = {word for counts in words for word, count in counts.items() if count > 1}
    names = {name for name, value in vars(diagnostics).items() if isinstance(value, diagnostics.Message)}
    assert names and names - used == set()


def test_modules_of_tests_have_names_of_their_own():
    """pytest imports them by these names."""
    names = [path.stem for path in (ROOT / "tests").rglob("*.py") if path.parent.name != "by_hand"]
    assert sorted(set(names)) == sorted(names)


def test_the_top_folder_has_no_stray_files():
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout")
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    folders = {".ci", "benchmarks", "docs", "editors", "grammars", "models", "tests", "tfdsl"}
    usual = re.compile(
        r"[A-Z]+\.md|LICENSE|CITATION\.cff|pyproject\.toml|\.gitignore|\.pre-commit-(config|hooks)\.yaml"
    )
    at_top = {line.partition("/")[0] for line in listed.splitlines()}
    assert [name for name in at_top - folders if not usual.fullmatch(name)] == []
