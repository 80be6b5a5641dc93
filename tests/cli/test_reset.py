"""`tfdsl reset` on a real cluster: cleared containers, unaffected ones, and servers that do not answer."""

import json
import socket
import sys
import threading
from contextlib import suppress

import clusters
import pytest

# Variables in containers, on a parameter server and on a worker. During one long run through worker 0 on a variable in
# container "b", several resets are made. Which variables are left after each?
CLIENT = """
import json, subprocess, sys, threading
import tensorflow as tf

v1 = tf.compat.v1
target, config_file, resets = f"grpc://{sys.argv[1]}", sys.argv[2], json.loads(sys.argv[3])
config = v1.ConfigProto(operation_timeout_in_ms=60000)
graph = tf.Graph()
with graph.as_default():
    there, places = {}, {"ps": "/job:ps/task:0", "worker": "/job:worker/task:1"}
    for container in ("", "a", "b", "ü"):
        for job, device in places.items():
            with graph.container(container), tf.device(device):
                name = f"{container.encode().hex()}{job}"
                variable = v1.get_variable(name, initializer=0, dtype=tf.int32, use_resource=True)
            there[f"{container}/{job}"] = v1.is_variable_initialized(variable)
            if name == "62ps":
                counted = variable
    with graph.container("b"), tf.device(places["ps"]):
        over = v1.get_variable("over", initializer=False, use_resource=True)
        end = over.assign(True).op
    initialise = v1.global_variables_initializer()

    def body(i):
        with tf.control_dependencies([counted.assign_add(1)]):
            return i + 1

    with tf.device("/job:worker/task:0"):
        loop = tf.while_loop(lambda i: tf.logical_not(over), body, [tf.constant(0)], parallel_iterations=1)

def run(what):
    with v1.Session(target, graph=graph, config=config) as session:
        return session.run(what)

run(initialise)
ended, counts, found = [], [], []
thread = threading.Thread(target=lambda: ended.append(run(loop)))
thread.start()
while not counts or counts[0] == 0:
    counts = [int(run(counted))]
for words in resets:
    command = [sys.executable, "-m", "tfdsl", "reset", "--config", config_file, *words]
    done = subprocess.run(command, capture_output=True, text=True)
    counts.append(int(run(counted)))
    found.append([done.returncode, done.stdout + done.stderr, [name for name, value in run(there).items() if value]])
is_going = thread.is_alive()
run(end)
thread.join()
print(json.dumps({"resets": found, "counts": counts, "going": is_going, "ended": [int(ended[0][0]), int(run(counted))]}))
"""
ALL = {f"{container}/{job}" for container in ("", "a", "b", "ü") for job in ("ps", "worker")}
RESETS = [
    (["--container", "nothing"], "container 'nothing'", set()),
    (["--container", "a"], "container 'a'", {"a/ps", "a/worker"}),
    (["--container", "ü", "--timeout", "120"], "container 'ü'", {"ü/ps", "ü/worker"}),
    (["--default"], "the default container", {"/ps", "/worker"}),
]


def test_containers_are_cleared_while_a_run_on_another_continues(cluster):
    words = json.dumps([words for words, *_ in RESETS])
    done = clusters.python(CLIENT, cluster.addresses["worker", 0], cluster.config, words, forks=True)
    assert done.returncode == 0, done.stderr
    found, left = json.loads(done.stdout), ALL
    for (_, what, gone), (code, said, there) in zip(RESETS, found["resets"], strict=True):
        left = left - gone
        assert (code, said) == (0, f"tfdsl: {what} is empty now on ps 0, worker 0, worker 1\n")
        assert set(there) == left
    assert found["counts"] == sorted(set(found["counts"])), "the resets were not in the middle of the run"
    steps, counted = found["ended"]
    assert found["going"] and steps == counted > found["counts"][-1]


def test_a_frozen_server_and_a_missing_one(cluster):
    cluster.stop("worker", 0)
    cluster.kill("worker", 1)
    done = cluster.run("reset", "--container", "a", "--timeout", "3")
    assert (done.returncode, done.stdout) == (1, "")
    first, *rest = done.stderr.splitlines()
    assert first == "tfdsl: container 'a' is empty now on ps 0"
    errors = [line for line in rest if line.startswith("error")]
    assert errors == [
        f"error[TFG740]: worker 0 at {cluster.addresses['worker', 0]} does not answer: no answer within 3 s",
        f"error[TFG740]: worker 1 at {cluster.addresses['worker', 1]} does not answer: connection refused",
    ]
    assert any("tfdsl server --config FILE.yaml --job worker --task 1" in line for line in rest)
    cluster.mend()
    done = cluster.run("reset", "--container", "a", "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_server_that_is_not_tensorflow(here):
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            with suppress(OSError):  # the end of the test closes the socket
                while True:
                    with listening.accept()[0] as caller, suppress(ConnectionError):
                        caller.sendall(b"HTTP/1.0 200 OK\r\n\r\nhello")

        threading.Thread(target=answer, daemon=True).start()
        port = listening.getsockname()[1]
        (here / "c.yaml").write_text(f'cluster: {{ps: ["127.0.0.1:{port}"], worker: ["no.such.machine.invalid:1"]}}')
        # Without a TensorFlow cluster, no separate network is needed.
        words = ["tfdsl", "reset", "--config", "c.yaml", "--default", "--timeout", "5"]
        done = clusters.run([sys.executable, "-m", *words], cwd=here)
    assert done.returncode == 1
    assert [line.split(" does")[0] for line in done.stderr.splitlines() if line.startswith("error")] == [
        f"error[TFG740]: ps 0 at 127.0.0.1:{port}", "error[TFG740]: worker 0 at no.such.machine.invalid:1"
    ]  # fmt: skip


@pytest.mark.parametrize("words, said", [
    ([], "one of the arguments --container --default is required"),
    (["--container", ""], "the variables that are in no container are cleared by --default"),
    (["--container", "a", "--default"], "not allowed with argument"),
    (["--default", "--timeout", "0"], "'0' is not a number of seconds"),
    (["--default", "--timeout", "nan"], "'nan' is not a number of seconds"),
    (["--default", "--timeout", "x"], "'x' is not a number of seconds"),
])  # fmt: skip
def test_wrong_use(here, words, said):
    (here / "c.yaml").write_text('cluster: {ps: ["127.0.0.1:1"], worker: ["127.0.0.1:2"]}')
    done = clusters.run(clusters.tfdsl("reset", "--config", "c.yaml", *words), cwd=here)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_config_without_a_cluster(here):
    (here / "c.yaml").write_text("logdir: logs")
    done = clusters.run(clusters.tfdsl("reset", "--config", "c.yaml", "--default"), cwd=here)
    assert done.returncode == 2
    assert done.stderr.startswith("error[TFG854]: c.yaml describes no cluster")
