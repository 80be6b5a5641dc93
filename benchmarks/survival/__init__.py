"""What becomes of trainings when things go wrong: each module breaks them in one way, many times, and counts.

    python -m benchmarks.survival.kills [--count N] [--seed S] [--json FILE]

Kinds: kills, syscalls, powercuts, flips, diskfull, tworuns, events. Each prints one line with its figures, or all of
them as JSON into a file; faults go to standard error, and the exit code is 1 if anything did.
"""
