"""Python processes with TensorFlow already imported: `subprocess.Popen` and `run` that fork instead of starting Python.

Importing TensorFlow takes 3 seconds. A server imports it once and then forks for each requested command. The fork is a
child of the process that requested it, with its own id, signals, exit code, files and session, like any other child.
Everything else is as if Python had just started: `sys.argv`, the environment, the folder, the standard streams,
`__main__`, and Python's shutdown.

What Python does before it runs a program is not repeated. So a command with Python options other than `-P` and `-u`, or
with environment variables that matter at start-up, starts a real process, and tests of just that use `subprocess`
directly.
"""

import atexit
import ctypes
import gc
import importlib
import io
import logging
import os
import pickle
import pkgutil
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
import types
import warnings
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = str(Path(find_spec("tfdsl").origin).parents[1])  # of the package that the tests test
_SET_SUBREAPER = 36  # of prctl
_NAMESPACES = {"-U": "user", "-n": "net"}  # the options of `nsenter`
# Environment variables that matter only to a program, not to the imported modules.
_LATE = {
    "PYTHONPATH", "TMPDIR", "COLUMNS", "HOME", "TERM", "NO_COLOR", "FORCE_COLOR", "TF_USE_LEGACY_KERAS", "no_grpc_proxy",
}  # fmt: skip
_ROOM = 8192  # bytes for the command line of a process
_IMPORTED = ("sklearn.datasets", "tensorboard.backend.event_processing.event_accumulator", "rich.progress")
_LATE_GROUPS = ("PYTEST_", "TFDSL_", "TF_NUM_")


@dataclass(frozen=True, slots=True)
class Program:
    """What a command line of Python runs: a module, a text, or a script."""

    how: str  # "-m", "-c" or ""
    what: str
    words: list[str]
    is_safe: bool  # -P: do not import from the folder of the program
    is_unbuffered: bool  # -u
    command: list[str]  # of Python
    namespaces: list[str]  # files of the namespaces that it enters


@dataclass(frozen=True, slots=True)
class Request:
    """A requested process. Its three streams are sent along."""

    program: Program
    parent: int
    folder: str
    environment: dict[str, str]
    has_session: bool
    group: int | None
    forks: bool  # whether its own children are forked too
    has_server: bool  # whether it has a server of its own at once, so that it need not import TensorFlow for one


def parsed(command: list[str]) -> Program | None:
    """The program of a command line, or None if it cannot be forked."""
    words, namespaces = list(command), []
    if words[:2] == ["nsenter", "-t"]:
        end = words.index("--")
        namespaces = [f"/proc/{words[2]}/ns/{_NAMESPACES[word]}" for word in words[3:end] if word in _NAMESPACES]
        words = words[end + 1 :]
    if words[:1] != [sys.executable]:
        return None
    command, options = words, set()
    words = words[1:]
    while words[:1] in (["-P"], ["-u"]):
        options.add(words[0])
        words = words[1:]
    how = words.pop(0) if words[:1] in (["-m"], ["-c"]) else ""
    if not words or (not how and words[0].startswith("-")):
        return None
    return Program(how, words[0], words[1:], "-P" in options, "-u" in options, command, namespaces)


class Popen(subprocess.Popen):
    """A process forked from one with TensorFlow, if it runs Python and forking is possible. With `forks`, its children
    are forked too; with `has_server`, those that it makes with this class."""

    def __init__(self, args, *others, forks=False, has_server=False, **options):
        self._forks, self._has_server = forks, forks or has_server
        super().__init__(args, *others, **options)

    def _execute_child(self, args, *others):
        (executable, preexec_fn, _, pass_fds, cwd, env, _, _, shell, p2cread, p2cwrite, c2pread, c2pwrite, errread,
         errwrite, _, gid, gids, uid, umask, has_session, group) = others  # fmt: skip
        usual = not any((executable, preexec_fn, pass_fds, shell, gid, gids, uid)) and umask == -1
        command = [os.fspath(word) for word in args] if isinstance(args, list) else []
        program = parsed(command) if usual else None
        environment = dict(os.environ if env is None else env)
        server = _server() if program else None
        if server is None or not server.serves(environment):
            super()._execute_child(args, *others)
            return
        folder = os.path.abspath(cwd or "")
        os.stat(folder)  # it must exist
        request = Request(program, os.getpid(), folder, environment, has_session, None if group == -1 else group,
                          self._forks, self._has_server)  # fmt: skip
        given = (p2cread, c2pwrite, errwrite)
        self.pid = server.start(request, [number if one == -1 else one for number, one in enumerate(given)])
        self._child_created = True
        self._close_pipe_fds(p2cread, p2cwrite, c2pread, c2pwrite, errread, errwrite)


def run(args, input=None, capture_output=False, timeout=None, check=False, **options) -> subprocess.CompletedProcess:
    """`subprocess.run` with such a process."""
    if input is not None:
        options["stdin"] = subprocess.PIPE
    if capture_output:
        options["stdout"] = options["stderr"] = subprocess.PIPE
    with Popen(args, **options) as process:
        try:
            out, err = process.communicate(input, timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(args, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


class Server:
    """The server process as seen from this one."""

    def __init__(self, connection: socket.socket, before: dict[str, str], after: dict[str, str]):
        self.owner = os.getpid()
        # The environments before and after the imports, which set variables.
        self._connection, self._before, self._after = connection, before, after
        self._lock = threading.Lock()

    def serves(self, environment: dict[str, str]) -> bool:
        """Whether Python and its imports would have started in the same way with another environment."""
        return all(
            name in _LATE or name.startswith(_LATE_GROUPS)
            or environment.get(name) in (self._before.get(name), self._after.get(name))
            for name in environment.keys() | self._before.keys()
        )  # fmt: skip

    def start(self, request: Request, streams: list[int]) -> int:
        """Start a process. Returns its id."""
        data, prctl = pickle.dumps(request), ctypes.CDLL(None).prctl
        with self._lock:
            prctl(_SET_SUBREAPER, 1, 0, 0, 0)  # for a moment, this process becomes the parent of orphans
            try:
                socket.send_fds(self._connection, [struct.pack("q", len(data))], streams)
                self._connection.sendall(data)
                return struct.unpack("q", _received(self._connection, 8))[0]
            finally:
                prctl(_SET_SUBREAPER, 0, 0, 0, 0)


_servers: list[Server] = []
_ENVIRONMENT = dict(os.environ)  # that of the tests, which a test may have changed when the server is started


def _server() -> Server | None:
    """The server of this process, which ends with it."""
    if sys.platform != "linux":
        return None
    if not _servers or _servers[-1].owner != os.getpid():
        environment = {**_ENVIRONMENT, "PYTHONPATH": ROOT, "TF_CPP_MIN_LOG_LEVEL": "3", "TF_USE_LEGACY_KERAS": "1"}
        ours, theirs = socket.socketpair()
        with theirs:
            code = f"import sys; sys.path.append({str(Path(__file__).parent)!r}); import forked; forked.main()"
            subprocess.Popen([sys.executable, "-P", "-c", code, str(theirs.fileno()), "-" * _ROOM], pass_fds=[theirs.fileno()],
                             env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)  # fmt: skip
        after = pickle.loads(_received(ours, struct.unpack("q", _received(ours, 8))[0]))
        _servers.append(Server(ours, environment, after))
    return _servers[-1]


def _received(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = connection.recv(size - len(data))
        if not part:
            raise EOFError("the process that forks has ended: run pytest with -n 0 to see why")
        data += part
    return data


# --- in the server ------------------------------------------------------------------------------


def main() -> None:
    """Import what the processes need, and fork for each request. In a requested process, run its program."""
    atexit.register(_leave_imported)  # the first to be registered is the last to be called
    before = set(sys.modules)
    import tfdsl
    from tfdsl.cli.tensorflow import load
    from tfdsl.quiet import load_beside_others

    _warnings.__enter__()
    load_beside_others()  # all of TensorFlow, so that no process needs to import the rest of its modules
    load()
    # No session is opened here, and no thread is started.
    apart = ("tfdsl.editor", "tfdsl.notebook", "tfdsl.pytest_plugin")  # loaded by other applications' processes
    for module in pkgutil.walk_packages(tfdsl.__path__, "tfdsl."):
        if not module.name.endswith("__main__") and not module.name.startswith(apart):
            importlib.import_module(module.name)
    for name in _IMPORTED:
        importlib.import_module(name)
    warnings.simplefilter("ignore")
    gc.collect()
    gc.freeze()
    sys.path.pop()
    _imported.extend(name for name in sys.modules if name not in before and not name.startswith("tfdsl"))
    connection = socket.socket(fileno=int(sys.argv[1]))
    _after_imports.update(os.environ)
    data = pickle.dumps(_after_imports)
    connection.sendall(struct.pack("q", len(data)) + data)
    run_program(serve(connection))


def _leave_imported() -> None:
    """Keep Python from destroying the modules that the server has imported. Their memory is shared with the server until
    it is written, so destroying them would take longer than many programs run. The project's own modules and everything
    that the program itself has imported or made are destroyed as usual."""
    left = [sys.modules.pop(name, None) for name in _imported]
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(left))


def serve(connection: socket.socket) -> Request:
    """Fork for each request. This returns only in a requested process, never in the server."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        size, streams, _, _ = socket.recv_fds(connection, 8, 3)
        if not size:
            os._exit(0)
        request = pickle.loads(_received(connection, struct.unpack("q", size)[0]))
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork():
                os._exit(0)  # make the process an orphan
            while os.getppid() == between:
                os.sched_yield()
            if os.getppid() != request.parent:
                os._exit(1)
            return become(request, streams, connection)
        os.waitpid(between, 0)
        for stream in streams:
            os.close(stream)


def become(request: Request, streams: list[int], connection: socket.socket) -> Request:
    """Turn this process into the requested one, up to the point where it runs its program, which is returned."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request.has_session:
        os.setsid()
    if request.group is not None:
        os.setpgid(0, request.group)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    _open_streams(request.program.is_unbuffered)
    _show(request.program.command)
    libc = ctypes.CDLL(None, use_errno=True)
    for name in request.program.namespaces:
        with open(name) as namespace:
            if libc.setns(namespace.fileno(), 0) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), name)
    os.chdir(request.folder)
    os.environ.clear()
    os.environ.update(request.environment)
    sys.modules["numpy"].random.seed()
    connection.sendall(struct.pack("q", os.getpid()))
    connection.close()
    _servers.clear()
    if request.forks:
        subprocess.Popen = Popen
    return _with_server(request) if request.has_server else request


def _show(command: list[str]) -> None:
    """Set the command line that other processes see."""
    words = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(words[45]), int(words[46])
    text = b"".join(os.fsencode(word) + b"\0" for word in command)[: end - start - 1]
    ctypes.memset(start, 0, end - start)
    ctypes.memmove(start, text, len(text))


def _with_server(request: Request) -> Request:
    """Fork a server from the current state of this process, for its children."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in range(3):
            os.dup2(nothing, number)
        os.close(nothing)
        _show(["forks", str(os.getppid())])
        return serve(theirs)
    theirs.close()
    _servers.append(Server(ours, request.environment, _after_imports))
    return request


_imported: list[str] = []  # the names of other projects' modules that the server has imported
_after_imports: dict[str, str] = {}  # the environment of the server, which imported modules have changed
_warnings = warnings.catch_warnings()  # warnings are ignored in the server
# Whether Python opens streams without buffers here. A forked process with -u can start a server too.
_IS_UNBUFFERED = getattr(sys.stderr, "write_through", False)
_replaced: list[object] = []  # keep replaced streams alive, because an unreferenced one is closed


def _open_streams(is_unbuffered: bool) -> None:
    """Open the standard streams as Python opened those of the server, in the same environment."""
    old = [sys.stdin, sys.stdout, sys.stderr]
    _replaced.append(old)
    for number, (name, before) in enumerate(zip(("stdin", "stdout", "stderr"), old, strict=True)):
        mode, is_raw = "w" if number else "r", number > 0 and (is_unbuffered or _IS_UNBUFFERED)
        file = open(number, f"{mode}b", buffering=0 if is_raw else -1, closefd=False)  # noqa: SIM115
        (file if is_raw else file.raw).name = f"<{name}>"
        lines = not is_raw and (name == "stderr" or file.isatty())
        stream = io.TextIOWrapper(file, before.encoding, before.errors, None, lines, is_raw)
        stream.mode = mode
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    for reference in logging._handlerList:
        handler = reference()
        if isinstance(handler, logging.StreamHandler) and handler.stream in old:
            handler.setStream(sys.stderr)


def run_program(request: Request) -> None:
    """Run a program as `__main__`. Its end ends this process, as in Python."""
    program = request.program
    _warnings.__exit__()
    main = types.ModuleType("__main__")
    main.__builtins__ = sys.modules["builtins"]
    sys.modules["__main__"] = main
    sys.orig_argv[:] = program.command
    sys.argv[:] = [program.how or program.what, *program.words]
    paths = filter(None, request.environment.get("PYTHONPATH", "").split(os.pathsep))
    beside = {"-m": os.getcwd(), "-c": "", "": os.path.dirname(os.path.realpath(program.what))}[program.how]
    sys.path.append(sys.path.pop(0))  # `ROOT`, which may be the installed path
    sys.path[:0] = [*([] if program.is_safe else [beside]), *map(os.path.abspath, paths)]
    importlib.invalidate_caches()
    match program.how:
        case "-m":
            if not hasattr(sys.modules.get(program.what), "__path__"):
                sys.modules.pop(program.what, None)  # it must not exist twice
            runpy._run_module_as_main(program.what)
        case "-c":
            exec(compile(program.what, "<string>", "exec"), main.__dict__)
        case _:
            main.__file__ = os.path.abspath(program.what)
            exec(compile(Path(program.what).read_bytes(), main.__file__, "exec"), main.__dict__)
