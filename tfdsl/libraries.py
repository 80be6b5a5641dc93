"""The libraries that come with the package: `.tfg` files found by `import NAME`."""

import os

FOLDER = os.path.join(os.path.dirname(__file__), "nn")
LIBRARIES = tuple(sorted(name.removesuffix(".tfg") for name in os.listdir(FOLDER) if name.endswith(".tfg")))
