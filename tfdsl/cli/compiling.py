"""Compiles the program of a command line, for the commands that run it."""

import argparse
import os

from ..driver import Compiled, compile_source
from ..syntax.read import read
from . import tensorflow
from .options import GivenInputs, given


def compile_given(arguments: argparse.Namespace) -> tuple[GivenInputs, Compiled]:
    """The inputs on a command line, and its compiled program."""
    extra = given(arguments)
    inputs = extra.inputs(arguments.file, tensorflow.foreign())
    result = compile_source(read(arguments.file, extra.limits), inputs)
    return extra, result.on(soft_placement=arguments.soft_placement)


def at_home(arguments: argparse.Namespace) -> None:
    """Make the paths of a command line and its config files independent of the working folder."""
    arguments.home = os.getcwd()
    arguments.file = os.path.abspath(arguments.file)
    arguments.allowed = [os.path.abspath(path) for path in arguments.allowed]
    arguments.configs = [os.path.abspath(path) for path in arguments.configs]
    named = [option.partition("=") for option in arguments.data]
    arguments.data = [f"{name}={os.path.abspath(path)}" if equals else name for name, equals, path in named]
