"""`tfdsl server` as a process: its output, that it computes, and how it ends."""

import signal
import subprocess
import time

import clusters
import forked
import pytest

SESSION = """
import sys, tensorflow as tf
v1 = tf.compat.v1
with tf.Graph().as_default():
    with tf.device("/job:ps/task:0"):
        x = tf.constant([[3.0, 4.0]])
    with tf.device("/job:worker/task:1"):
        y = tf.matmul(x, x, transpose_b=True)
    config = v1.ConfigProto(operation_timeout_in_ms=30000)
    with v1.Session(f"grpc://{sys.argv[1]}", config=config) as session:
        print(session.run(y)[0, 0], y.device)
"""
# A sign that ops are deterministic in a process: a random op without a seed is refused.
UNSEEDED = """
import sys, tensorflow as tf
v1 = tf.compat.v1
with tf.Graph().as_default():
    with tf.device("/job:worker/task:0"):
        y = tf.random.uniform([2])
    with v1.Session(f"grpc://{sys.argv[1]}", config=v1.ConfigProto(operation_timeout_in_ms=30000)) as session:
        try:
            session.run(y)
        except tf.errors.InvalidArgumentError as error:
            print("determinism is enabled" in str(error))
"""


def server(cluster, *words):
    return clusters.run(clusters.tfdsl("server", "--config", cluster.config, *words))


def test_servers_compute_for_a_session(cluster):
    done = clusters.python(SESSION, cluster.addresses["worker", 0])
    assert done.stdout.split() == ["25.0", "/job:worker/task:1"], done.stderr


def test_ops_are_deterministic_on_a_server(cluster):
    done = clusters.python(UNSEEDED, cluster.addresses["worker", 0])
    assert done.stdout.strip() == "True", done.stderr


def test_a_server_reports_its_port_and_a_warning(cluster):
    said = cluster.log("worker", 1)
    port = cluster.addresses["worker", 1].split(":")[1]
    first, *rest = said.splitlines()
    assert first == f"tfdsl: server worker 1 listens on port {port}"
    assert rest[0].startswith(f"warning[TFG914]: TensorFlow listens on port {port} on every network")
    assert "firewall" in rest[1]


def test_a_taken_port(cluster):
    done = server(cluster, "--job", "ps", "--task", "0", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error[TFG860]: ps 0 cannot listen on port {cluster.addresses['ps', 0][10:]}: ")
    assert "address already in use" in done.stderr
    assert cluster.config in done.stderr


@pytest.mark.parametrize("words, said", [
    (["--job", "ps", "--task", "1"], "there is no ps 1 in"),
    (["--job", "pss", "--task", "0"], "there are ps (1 task), worker (2 tasks), counted from 0"),
    (["--job", "ps", "--task", "-1"], "argument --task: "),
    (["--job", "ps", "--task", "x"], "'x' is not a number from 0"),
    (["--job", "ps"], "the following arguments are required: --task"),
])  # fmt: skip
def test_wrong_use(cluster, words, said):
    done = server(cluster, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_config_without_a_cluster(here):
    (here / "c.yaml").write_text("params: {}")
    done = clusters.run(clusters.tfdsl("server", "--config", "c.yaml", "--job", "ps", "--task", "0"), cwd=here)
    assert done.returncode == 2
    assert done.stderr.startswith("error[TFG854]: c.yaml describes no cluster")


@pytest.mark.long
def test_a_server_ends_at_once_and_can_restart(cluster):
    for name, number, code in ((("worker", 1), signal.SIGINT, 130), (("ps", 0), signal.SIGTERM, 143)):
        process, before = cluster.processes[name], cluster.log(*name)
        process.send_signal(number)
        assert process.wait(120) == code
        assert cluster.log(*name) == before
        cluster.start(*name)
    cluster.wait()


@pytest.mark.long
def test_a_starting_server_can_be_interrupted(cluster):
    cluster.kill("worker", 1)
    words = clusters.tfdsl("server", "--config", cluster.config, "--job", "worker", "--task", "1")
    process = subprocess.Popen(words, env=clusters.environment(), stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) == 130
    assert "Traceback" not in process.stderr.read()


def test_a_quiet_server_prints_nothing(cluster):
    cluster.kill("worker", 1)
    words = clusters.tfdsl("server", "--config", cluster.config, "--job", "worker", "--task", "1", "--quiet")
    process = forked.Popen(words, env=clusters.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while not clusters.listens(cluster.addresses["worker", 1]):
        assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=120)[0] == b""
    assert process.returncode == 143
