"""The program without a process of its own."""

from cli.conftest import call

__all__ = ["call"]
