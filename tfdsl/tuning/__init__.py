"""The search for the best params of a program: what is searched, the study with its trials, and what came of it.

This package imports neither TensorFlow nor a program. `cli/tune.py` puts the trials into processes.
"""
