"""Where the nodes of a program are on a cluster. The tests inspect graphs and run nothing, so there are no servers."""

import pytest

import tfdsl
from tfdsl.cluster import Cluster
from tfdsl.lowering.tf import tf

TEXT = """\
placeholder X: float32[n, 4]
placeholder y: float32[n, 1]
variable small: float32 = 1.0
variable large: float32[4, 64] = zeros
variable middle: float32[64, 1] = zeros
variable tiny: float32[1] = zeros
device "/job:worker/task:1":
    variable here = 2.0
    double = here * 2.0
device "/job:ps":
    variable there = 3.0
device "/cpu:0":
    cosine = cos(small)
h = dropout(relu(X @ large), rate=0.5, seed=1)
z = h @ middle + tiny * small
goal = reduce_mean(square(z - y)) + square(here)
optimize goal with adam() as step_op
beside = small + here + there
table = embedding_lookup(large, [1, 2])
session:
    train 1 steps:
        feed X = [[1.0, 2.0, 3.0, 4.0]], y = [[1.0]]
        checkpoint every 1 step in "kept"
    print double, cosine, beside, table
"""


def graph(placement="round-robin", ps=2, workers=2, text=TEXT):
    program = tfdsl.compile(text)
    jobs = {"ps": tuple(f"a:{i + 1}" for i in range(ps)), "worker": tuple(f"b:{i + 1}" for i in range(workers))}
    program = program.on(cluster=Cluster(jobs), placement=placement)
    return program.graph


def place(graph, name):
    device = tf.DeviceSpec.from_string(graph.get_operation_by_name(name).device)
    return f"{device.job} {device.task}"


VARIABLES = ("small", "large", "middle", "tiny")


def test_in_turn():
    made = graph()
    assert [place(made, name) for name in VARIABLES] == ["ps 0", "ps 1", "ps 0", "ps 1"]


def test_by_size():
    made = graph("size")
    # 1024 bytes, 256, 4 and 4: the largest is alone.
    assert [place(made, name) for name in VARIABLES] == ["ps 1", "ps 0", "ps 1", "ps 1"]
    three = graph("size", ps=3)
    assert [place(three, name) for name in VARIABLES] == ["ps 2", "ps 0", "ps 1", "ps 2"]


def test_on_the_workers():
    made = graph("workers", workers=3)
    assert [place(made, name) for name in VARIABLES] == ["worker 2", "worker 0", "worker 1", "worker 2"]
    assert place(made, "there") == "ps None"  # where the program puts it


@pytest.mark.parametrize("placement", ["round-robin", "size", "workers"])
def test_all_ops_of_a_variable_are_on_its_server(placement):
    made = graph(placement)
    for name in VARIABLES:
        at = place(made, name)
        parts = [op for op in made.get_operations() if op.type == "VarHandleOp" and op.name.startswith(f"{name}/")]
        assert len(parts) == 2  # adam's slots
        assert {place(made, op.name) for op in parts} == {at}
        users = [
            op for op in made.get_operations() if any(i is made.get_tensor_by_name(f"{name}:0") for i in op.inputs)
        ]
        assert len(users) > 3
        assert {place(made, op.name) for op in users} == {at}  # it is used where it is


def test_the_program_overrides_placement():
    made = graph()
    assert place(made, "here") == place(made, "double") == place(made, "here/Adam") == "worker 1"
    assert place(made, "there") == "ps None"  # TensorFlow uses the first one
    assert place(made, "cosine") == "worker 0"
    assert made.get_operation_by_name("cosine").device.endswith("CPU:0")


def test_towers_and_random_states_are_on_workers():
    made = graph()
    towers = [op for op in made.get_operations() if op.name.startswith(("tower_0/", "tower_1/"))]
    variables = set(VARIABLES) | {"here", "there"}
    for op in towers:
        if op.type not in ("ReadVariableOp", "ResourceGather", "NoOp") and not op.colocation_groups()[0].startswith(
            b"loc:@random"
        ):
            assert place(made, op.name) == f"worker {op.name[6]}", op
    states = [op for op in made.get_operations() if op.type == "VarHandleOp" and op.name.startswith("random/")]
    assert {op.name.split("/")[1] for op in states} >= {"tower_0", "tower_1"}
    for op in states:
        if op.name.startswith("random/tower_"):
            assert place(made, op.name) == f"worker {op.name[len('random/tower_')]}"
    assert not variables & {op.name for op in states}


def test_every_op_has_a_server_by_default_the_first_worker():
    made = graph()
    assert all(tf.DeviceSpec.from_string(op.device).job for op in made.get_operations())
    assert place(made, "beside") == place(made, "X") == place(made, "goal") == "worker 0"


def test_without_a_cluster_nothing_is_placed():
    program = tfdsl.compile(
        TEXT.replace('device "/job:worker/task:1":', 'device "/cpu:0":').replace("/job:ps", "/cpu:0")
    )
    program = program.on(towers=2)
    assert {op.device for op in program.graph.get_operations()} <= {"", "/device:CPU:0"}


def test_slots_are_in_the_container_of_their_variable():
    text = """
container "a":
    variable w = 5.0
container "b":
    shared v = 1.0
variable u = 1.0
loss square(w - 2.0) + square(v) + square(u)
optimize with momentum(0.9)
container "c":
    optimize with adagrad()
"""
    for build in (tfdsl.compile(text).graph, graph(text=text)):
        containers = {
            op.name: op.get_attr("container").decode() for op in build.get_operations() if op.type == "VarHandleOp"
        }
        assert containers == {
            "w": "a", "v": "b", "u": "", "w/Momentum": "a", "v/Momentum": "b", "u/Momentum": "",
            "w/Adagrad": "c", "v/Adagrad": "c", "u/Adagrad": "c",
        }  # fmt: skip
