"""TensorFlow with each module imported when it is first needed.

`import tensorflow` imports some 2,500 modules, and a program needs a few hundred of them. Each public module of
TensorFlow is a file with a list of imports, such as `from tensorflow.python.ops.math_ops import add`. A stand-in for
such a module reads this list. When a symbol is first used, the stand-in imports the module that defines it. If the list
does not have the symbol, the whole package is imported.

Only the processes of tfdsl commands use this, because other code may expect the whole package.
"""

import ctypes
import functools
import importlib
import os
import re
import site
import sys
import threading
import typing
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec, spec_from_file_location
from types import ModuleType

from ..quiet import held_back

WHOLE = "TFDSL_TENSORFLOW"  # the environment variable; "whole" imports the whole package
_VERSION = "2.21"  # the version whose lists of imports are known
_API = "tensorflow._api.v2"
_LIBRARIES = ("libtensorflow_framework.so.2", "libtensorflow_cc.so.2")
# Modules that do not need the libraries.
_WITHOUT_LIBRARIES = (
    "numpy", "google.protobuf", "absl.logging", "wrapt", "tensorflow.core.framework.graph_pb2",
    "tensorflow.core.framework.op_def_pb2", "tensorflow.core.protobuf.config_pb2",
    "tensorflow.core.protobuf.meta_graph_pb2", "tensorflow.core.protobuf.saved_model_pb2",
    "tensorflow.core.util.event_pb2",
)  # fmt: skip
# The modules that every program needs. They import the rest.
_ALWAYS = (
    "tensorflow.python.framework.function_def_to_graph", "tensorflow.python.client.session",
    "tensorflow.python.ops.variable_v1",
)  # fmt: skip
_IMPORT = re.compile(r"^from (tensorflow[\w.]*) import (\w+)(?: as (\w+))?", re.MULTILINE)


class PublicModule(ModuleType):
    """The stand-in for a public module. It has the same attributes, and imports each at its first use."""

    def __init__(self, name: str, file: str):
        super().__init__(name)
        self.__file__, self.__path__ = file, [os.path.dirname(file)]
        self.__spec__ = spec_from_file_location(name, file, submodule_search_locations=self.__path__)
        self._symbols: dict[str, tuple[str, str]] | None = None

    def __getattr__(self, name: str) -> object:
        if self._symbols is None:
            with open(self.__file__ or "", encoding="utf-8") as file:
                found = _IMPORT.finditer(file.read())
            self._symbols = {one[3] or one[2]: (one[1], one[2]) for one in found}
        if name in self._symbols and is_lazy():
            value = _imported(*self._symbols[name])
        elif name.startswith("__") and name.endswith("__") and name not in self._symbols:
            raise AttributeError(name)  # Python asks any module for these
        else:
            _import_whole()
            value = getattr(sys.modules[self.__name__], name)
        setattr(self, name, value)
        return value


def load() -> bool:
    """Make the stand-ins. Returns False if the whole package is needed, or has been imported already."""
    if "tensorflow" in sys.modules:
        return is_lazy()
    root = _root()
    if root is None:
        return False
    try:
        _stand_in("tensorflow", root)
        for name in ("tensorflow._api", _API):
            package = sys.modules[name] = ModuleType(name)
            package.__path__ = [os.path.join(root, *name.split(".")[1:])]
        # These modules have two names. Programs import them by the second.
        for name in ("compat", "compat.v1"):
            sys.modules[f"tensorflow.{name}"] = _stand_in(f"{_API}.{name}", root)
        os.environ.setdefault("ENABLE_RUNTIME_UPTIME_TELEMETRY", "1")
        with _libraries_loading(root):
            for name in _WITHOUT_LIBRARIES:
                importlib.import_module(name)
        with _cached_annotations():
            importlib.import_module("tensorflow.python.pywrap_tensorflow")
            importlib.import_module("tensorflow.python.compat.v2_compat").enable_v2_behavior()
            for name in _ALWAYS:
                importlib.import_module(name)
    except (ImportError, AttributeError, OSError):
        _remove()
        return False
    return True


@contextmanager
def _libraries_loading(root: str) -> Iterator[None]:
    """Load TensorFlow's libraries, which takes half a second, while this thread does something else. Python itself
    would hold its lock meanwhile, so they are loaded by a call of a function of C."""
    paths = [os.path.join(root, name) for name in _LIBRARIES]
    if sys.platform != "linux" or not all(map(os.path.exists, paths)):
        yield
        return
    load = ctypes.CDLL(None).dlopen
    load.restype, load.argtypes = ctypes.c_void_p, (ctypes.c_char_p, ctypes.c_int)
    thread = threading.Thread(target=lambda: [load(os.fsencode(path), sys.getdlopenflags()) for path in paths])
    thread.start()
    try:
        yield
    finally:
        thread.join()


def is_lazy() -> bool:
    """Whether TensorFlow's modules are imported one by one in this process."""
    return isinstance(sys.modules.get("tensorflow"), PublicModule)


def _root() -> str | None:
    """The folder of TensorFlow. None if the whole package must be imported, because it has another version or plugins,
    or because of an environment variable."""
    if os.environ.get(WHOLE) == "whole" or os.environ.get("TF_PLUGGABLE_DEVICE_LIBRARY_PATH"):
        return None
    if os.environ.get("TF_USE_MODULAR_FILESYSTEM") in ("1", "true"):
        return None
    spec = find_spec("tensorflow")
    if spec is None or spec.origin is None:
        return None
    root = os.path.dirname(spec.origin)
    around = os.path.dirname(root)
    installed = re.compile(rf"tensorflow(_\w+)?-{re.escape(_VERSION)}\.\w+\.dist-info")
    places = {around, *site.getsitepackages(), *(path for path in sys.path if "site-packages" in path)}
    has_plugins = any(os.path.exists(os.path.join(place, "tensorflow-plugins")) for place in places)
    if has_plugins or os.path.exists(os.path.join(root, "core", "kernels")):
        return None
    return root if any(map(installed.fullmatch, os.listdir(around))) else None


def _stand_in(name: str, root: str) -> PublicModule:
    made = PublicModule(name, os.path.join(root, *name.split(".")[1:], "__init__.py"))
    sys.modules[name] = made
    return made


def _imported(module: str, symbol: str) -> object:
    """A symbol of a module, or a public module."""
    if not f"{module}.".startswith(f"{_API}."):
        with _cached_annotations():
            return getattr(importlib.import_module(module), symbol)
    name = f"{module}.{symbol}"
    if name not in sys.modules:
        _stand_in(name, sys.modules["tensorflow"].__path__[0])
    return sys.modules[name]


@contextmanager
def _cached_annotations() -> Iterator[None]:
    """Compile each distinct annotation once. `typing` compiles the 8,000 annotations of the type variables in
    TensorFlow's generated modules, most of them equal, which takes half of the time to import these modules."""
    setattr(typing, "compile", functools.cache(compile))  # noqa: B010 in place of the built-in function
    try:
        yield
    finally:
        typing.__dict__.pop("compile", None)


def _import_whole() -> None:
    """Import the whole package in place of the stand-ins. The modules behind it stay as they are."""
    if is_lazy():
        _remove()
        with held_back():
            importlib.import_module("tensorflow")


def _remove() -> None:
    api = ("tensorflow._api", "tensorflow.compat")
    for name, module in list(sys.modules.items()):
        if isinstance(module, PublicModule) or name.startswith(api):
            del sys.modules[name]
