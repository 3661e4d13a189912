"""The site and the shared browser are those of the tests of Google's pages."""

from tests.sources.google.conftest import desk as desk
