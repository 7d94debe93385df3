"""The command line, one command a file.

A wrong command line ends with code 2, failed work with 1, an interrupt with 130; each with one line
on standard error.
"""

from everystep.cli.application import application, main

__all__ = ["application", "main"]
