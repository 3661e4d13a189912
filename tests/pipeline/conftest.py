"""The server of the tests of the network, for stand-ins of sources."""

from tests.net.conftest import server

__all__ = ["server"]
