"""A server for stand-ins."""

from tests.net.conftest import server

__all__ = ["server"]
