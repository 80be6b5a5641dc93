"""Files of the distribution that are no modules: the grammar, the programs to begin with, and the pages that
`tfdsl explain` shows."""

import os


def bundled(*parts: str) -> str:
    """The path of such a file or folder: next to the modules in a wheel, next to the package in a checkout."""
    package = os.path.dirname(os.path.abspath(__file__))
    for folder in (package, os.path.dirname(package)):
        path = os.path.join(folder, *parts)
        if os.path.exists(path):
            return path
    raise FileNotFoundError(f"tfdsl is installed without {'/'.join(parts)}")
