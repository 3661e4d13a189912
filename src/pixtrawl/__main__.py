"""`python -m pixtrawl`."""

import sys

from pixtrawl.cli.main import entry

if __name__ == "__main__":
    sys.exit(entry())
