"""The packages that tfdsl depends on. An installation for checks leaves out TensorFlow and others."""

import re

from .diagnostics import PACKAGE_MISSING, Diagnostic

_PACKAGES = {"PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn", "grpc": "grpcio", "google": "tensorflow"}


def missing_package(error: ImportError) -> Diagnostic | None:
    """The error for a dependency that is not installed. None if the import failed for another reason."""
    module = (error.name or "").partition(".")[0]
    package = _PACKAGES.get(module, module)
    if not isinstance(error, ModuleNotFoundError) or package not in (known := _requirements()):
        return None
    lacking = [wanted for name, wanted in known.items() if name == package or not _is_installed(name)]
    return Diagnostic(PACKAGE_MISSING, None, {"package": package, "packages": " ".join(f"'{one}'" for one in lacking)})


def _requirements() -> dict[str, str]:
    """The packages that every installation with dependencies has, by name, each with its versions."""
    from importlib.metadata import PackageNotFoundError, requires

    try:
        found = [one for one in requires("tfdsl") or () if "extra ==" not in one]
    except PackageNotFoundError:
        return {}
    return {re.split(r"[^\w.-]", one, maxsplit=1)[0]: one for one in found}


def _is_installed(package: str) -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution(package)
    except PackageNotFoundError:
        return False
    return True
