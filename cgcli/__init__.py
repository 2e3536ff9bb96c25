"""cg: differentiate expressions, and draw their computation graphs."""

__version__ = "0.1.0"
