"""Room for Arrow in a limited address space (`ulimit -v`).

Where its threads cannot start, or its buffers cannot grow, Arrow waits forever or aborts the process. So whoever reads
with it, or imports it, looks first, and refuses with a `MemoryError`, which every command reports.
"""

import os
import resource
import sys

_NEEDED = 1 << 26  # bytes: buffers, and the stacks of threads
_LIBRARY = 1 << 29  # of NumPy and Arrow, before they are imported


def check_room() -> None:
    """Raise `MemoryError` if the address space is limited and nearly full."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return
    with open("/proc/self/statm", "rb") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    is_imported = "pyarrow" in sys.modules
    if not is_imported:  # its other allocators reserve a gigabyte at once
        os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
    if limit - used < _NEEDED + (0 if is_imported else _LIBRARY):
        raise MemoryError(f"{limit - used} bytes of address space are left")
