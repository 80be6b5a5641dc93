"""The key `cluster` of a config file: the resulting cluster, and the errors. Without TensorFlow."""

import subprocess
import sys

import pytest

from tfdsl.cli.options import config
from tfdsl.cluster import Cluster, port
from tfdsl.diagnostics import TfgError

GOOD = """
params: {rate: 0.5}
logdir: logs
cluster:
  ps: ["10.0.0.1:2222"]
  worker: ["10.0.0.2:2222", "[::1]:2222", two.machines-of.ours:65535]
  evaluator: [localhost:1]
"""
WRONG = [
    ("", "TFG850", "'cluster' must be a mapping of jobs to addresses"),
    ("{}", "TFG850", "'cluster' must be a mapping of jobs to addresses"),
    ("[a:1]", "TFG850", "'cluster' must be a mapping of jobs to addresses"),
    ("{1ps: [a:1]}", "TFG850", "not '1ps'"),
    ("{_ps: [a:1]}", "TFG850", "not '_ps'"),
    ("{p-s: [a:1]}", "TFG850", "not 'p-s'"),
    ("{pß: [a:1]}", "TFG850", "not 'pß'"),
    ("{3: [a:1]}", "TFG850", "not '3'"),
    ('{"ps\\n": [a:1]}', "TFG850", "begins with a letter"),
    ("{ps: []}", "TFG850", "job 'ps' must have a list of addresses"),
    ("{ps: a:1}", "TFG850", "job 'ps' must have a list of addresses"),
    ("{ps: {0: a:1}}", "TFG850", "job 'ps' must have a list of addresses"),
    ("{ps: [a:1]}", "TFG851", "no job 'worker'"),
    ("{worker: [a:1]}", "TFG851", "no job 'ps'"),
    ("{ps: [2222]}", "TFG852", "2222 for ps 0: it is not of the form host:port"),
    ("{ps: [a:1], worker: [b:1, null]}", "TFG852", "None for worker 1: it is not of the form host:port"),
    ("{ps: [a]}", "TFG852", "it is not of the form host:port"),
    ('{ps: ["::1:2222"]}', "TFG852", "it is not of the form host:port"),
    ('{ps: ["grpc://a:2222"]}', "TFG852", "it is not of the form host:port"),
    ('{ps: ["a:1\\n"]}', "TFG852", "its port is not a number from 1 to 65535"),
    ('{ps: ["a:"]}', "TFG852", "its port is not a number from 1 to 65535"),
    ("{ps: [a:0]}", "TFG852", "its port is not a number from 1 to 65535"),
    ("{ps: [a:65536]}", "TFG852", "its port is not a number from 1 to 65535"),
    ("{ps: [a:-1]}", "TFG852", "its port is not a number from 1 to 65535"),
    ("{ps: [a:٣]}", "TFG852", "its port is not a number from 1 to 65535"),
    ('{ps: [":2222"]}', "TFG852", "its host is not a host name"),
    ('{ps: ["a/b:2222"]}', "TFG852", "its host is not a host name"),
    ('{ps: ["a b:2222"]}', "TFG852", "its host is not a host name"),
    ("{ps: [10.0.0.256:1]}", "TFG852", "its host is not an address of IPv4"),
    ("{ps: [10.0.0:1]}", "TFG852", "its host is not an address of IPv4"),
    ('{ps: ["[::1::]:1"]}', "TFG852", "its host is not an address of IPv6"),
    ('{ps: ["[]:1"]}', "TFG852", "its host is not an address of IPv6"),
    ("{ps: [a:1], worker: [b:1, A:01]}", "TFG853", "A:01 twice, for ps 0 and worker 1"),
    ('{ps: ["[::1]:1", "[0:0::1]:1"]}', "TFG853", "[0:0::1]:1 twice, for ps 0 and ps 1"),
]


@pytest.fixture
def written(here):
    def write(text):
        (here / "c.yaml").write_text(text, encoding="utf-8")
        return "c.yaml"

    return write


def test_a_cluster_is_part_of_a_config_file(written):
    given = config(written(GOOD))
    assert (given.params, given.logdir) == ({"rate": 0.5}, "logs")
    assert given.cluster == Cluster({
        "ps": ("10.0.0.1:2222",), "worker": ("10.0.0.2:2222", "[::1]:2222", "two.machines-of.ours:65535"),
        "evaluator": ("localhost:1",),
    })  # fmt: skip
    assert given.cluster.address("worker", 1) == "[::1]:2222"
    assert [place[:2] for place in given.cluster.tasks] == [
        ("ps", 0), ("worker", 0), ("worker", 1), ("worker", 2), ("evaluator", 0)
    ]  # fmt: skip
    assert [port(address) for *_, address in given.cluster.tasks] == [2222, 2222, 2222, 65535, 1]


def test_without_the_key_there_is_no_cluster(written):
    assert config(written("params: {}")).cluster is None


@pytest.mark.parametrize("text, code, said", WRONG)
def test_errors_name_the_key(written, text, code, said):
    with pytest.raises(TfgError) as raised:
        config(written(f"cluster: {text}"))
    (diagnostic,) = raised.value.diagnostics
    assert diagnostic.code == code
    assert said in diagnostic.headline
    assert "c.yaml" in diagnostic.headline
    assert diagnostic.help_line


def test_the_form_in_the_help_is_valid(written):
    with pytest.raises(TfgError) as raised:
        config(written("cluster: 3"))
    shown = raised.value.diagnostics[0].help_line.partition(": ")[2]
    assert set(config(written(shown)).cluster.jobs) == {"ps", "worker"}


def test_no_tensorflow_is_needed(written):
    (written(GOOD))
    code = (
        "import sys; from tfdsl.cli.options import config; assert config('c.yaml').cluster.jobs; "
        "assert not {'tensorflow', 'numpy', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
