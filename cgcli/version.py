"""The version of cg."""

__version__ = "0.1.0"
