"""The JSON schema of config files accepts what the parser of config files accepts, and `--show-params` shows the result."""

import json
import re

import pytest
import yaml

from tfdsl.cli import main
from tfdsl.cli.options import CONFIG_KEYS, config
from tfdsl.diagnostics import TfgError

TYPES = {"object": dict, "array": list, "string": str, "null": type(None)}


def accepts(schema, value):
    """Whether a schema accepts a value. It knows the keywords that ours has, and no others."""
    assert set(schema) <= {
        "$schema", "title", "description", "type", "properties", "additionalProperties", "required", "propertyNames",
        "minLength", "minItems", "items", "pattern",
    }  # fmt: skip
    types = schema.get("type", [])
    if types and not isinstance(value, tuple(TYPES[one] for one in ([types] if isinstance(types, str) else types))):
        return False
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and bool(re.search(schema.get("pattern", ""), value))
    if isinstance(value, list):
        return len(value) >= schema.get("minItems", 0) and all(accepts(schema.get("items", {}), one) for one in value)
    if not isinstance(value, dict):
        return True
    known, others = schema.get("properties", {}), schema.get("additionalProperties", {})
    return all(one in value for one in schema.get("required", ())) and all(
        accepts(schema.get("propertyNames", {}), name)
        and (accepts(known[name], one) if name in known else others is not False and accepts(others, one))
        for name, one in value.items()
    )


@pytest.fixture(scope="module")
def schema():
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert main(["schema"]) == 0
    return json.loads(out.getvalue())


def test_the_keys_are_those_of_the_parser(schema):
    assert set(schema["properties"]) == set(CONFIG_KEYS)


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("", True), ("params:", True), ("params: {a: 1, b: [1, 2], c: x, d: }", True), ("data: {d: d.csv}", True),
        ("logdir: logs", True), ("data:", True), ("logdir:", True),
        ('cluster: {ps: ["10.0.0.1:2222"], worker: ["a.b:1", "[::1]:22"]}', True),
        ("- params", False), ("params: [1]", False), ("params: []", False), ("params: x", False), ("data: {d: 1}", False),
        ("data: [d.csv]", False), ("logdir: 3", False), ('logdir: ""', False), ("logs: x", False),
        ('cluster: {ps: ["a:1"]}', False), ('cluster: {ps: [], worker: ["a:1"]}', False), ("cluster: 3", False),
        ('cluster: {ps: ["a:1"], worker: "b:1"}', False), ('cluster: {ps: ["a"], worker: ["b:1"]}', False),
        ('cluster: {ps: ["a:1"], worker: ["b:1"], "0": ["c:1"]}', False), ("cluster:", False),
    ],
)  # fmt: skip
def test_the_parser_agrees(schema, here, text, is_good):
    (here / "c.yaml").write_text(text)
    assert accepts(schema, yaml.safe_load(text)) == is_good
    if is_good:
        config("c.yaml")
    else:
        with pytest.raises(TfgError):
            config("c.yaml")


PROGRAM = 'import "lib.tfg"\nparam rate = 0.5\nparam name = "x"\nparam n = 3\nvariable w = rate\nsession: print w, n, lib.k, name\n'


def test_where_params_come_from(here, capsys):
    (here / "lib.tfg").write_text("param k = [1, 2]\n")
    (here / "p.tfg").write_text(PROGRAM)
    (here / "c.yaml").write_text("params: {rate: 1, n: 4}\n")
    assert main(["run", "p.tfg", "--config", "c.yaml", "--set", "rate=2", "--show-params"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "param  value   type   from", "lib.k  [1, 2]  list   default", "rate   2.0     float  --set",
        'name   "x"     str    default', "n      4       int    c.yaml",
    ]  # fmt: skip
    assert main(["run", "p.tfg", "--show-params", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    params = made["params"]
    assert params["n"] == {"value": 3, "type": "int", "from": "default"} and params["lib.k"]["value"] == [1, 2]
    (here / "q.tfg").write_text("variable w = 1.0\nsession: print w\n")
    assert main(["run", "q.tfg", "--show-params"]) == 0 and capsys.readouterr().out == "no params\n"


WRITTEN = """param name = "b"
data d = csv("a|b.csv",  # with a bar
    target="y", separator="|") | standardize  # of rows
variable w = 1.0
session one:
    log to "logs/" + name  # by name
    print w, d.rows
session two:
    log to "other/{now}"
    if name == "b":
        log to name + "/x {now}"
    print w
"""


def test_sources_and_folders_are_shown_as_the_program_has_them(here, capsys):
    (here / "p.tfg").write_text(WRITTEN)
    (here / "a|b.csv").write_text("x|y\n1|2\n3|4\n")

    def shown(*given):
        assert main(["run", "p.tfg", "--show-params", "--json", *given]) == 0
        made = json.loads(capsys.readouterr().out)
        return made["data"]["d"]["source"], [one["folder"] for one in made["logs"]]

    source = 'csv("a|b.csv", target="y", separator="|")'
    assert shown("--session", "one") == (source, ["logs/b"])
    assert shown("--session", "two") == (source, ["other/{now}", 'name + "/x {now}"'])
    assert shown() == (source, ["logs/b", "other/{now}", 'name + "/x {now}"'])
    assert main(["run", "p.tfg", "--show-params", "--session", "three"]) == 2
    assert "there is no session 'three'" in capsys.readouterr().err


DATA = """data d = csv("d.csv", target="y") | standardize
variable w = 1.0
session:
    log to "logs/run-{now}"
    print w, d.rows
"""


def test_where_data_and_the_log_folder_come_from(here, capsys):
    (here / "p.tfg").write_text(DATA)
    (here / "d.csv").write_text("x,y\n1,2\n3,4\n")
    (here / "e.csv").write_text("x,y\n1,2\n")
    (here / "c.yaml").write_text("data: {d: e.csv}\nlogdir: there\n")
    shown = []
    for given in ([], ["--config", "c.yaml"], ["--data", "d=e.csv", "--logdir", "here"]):
        assert main(["run", "p.tfg", "--show-params", "--json", *given]) == 0
        made = json.loads(capsys.readouterr().out)
        shown.append((made["data"]["d"], *made["logs"]))
    assert shown == [
        ({"source": 'csv("d.csv", target="y")', "from": "program"}, {"folder": "logs/run-{now}", "from": "program"}),
        ({"source": "e.csv", "from": "c.yaml"}, {"folder": "there", "from": "c.yaml"}),
        ({"source": "e.csv", "from": "--data"}, {"folder": "here", "from": "--logdir"}),
    ]
    assert main(["run", "p.tfg", "--show-params"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "no params" and [one.split()[0] for one in lines if one][1:] == [
        "data",
        "d",
        "log",
        "logs/run-{now}",
    ]
