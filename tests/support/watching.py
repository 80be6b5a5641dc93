"""Processes of commands with `--watch`."""


def until_watching(process):
    """The lines up to the one that says that the work is done."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("tfdsl: watching "):
            return "".join(lines)
    raise AssertionError("".join(lines))
