"""Bring a stack of services up from one YAML file, wherever they run, and keep it up.

Nothing is imported here: each command loads only what it needs, so that the command line starts
fast.
"""

__all__ = ["__version__"]

__version__ = "0.1.0"
