"""Two commands one after the other.   in_turn.py COMMAND... then COMMAND..."""

import subprocess
import sys

if __name__ == "__main__":
    at = sys.argv.index("then")
    for command in (sys.argv[1:at], sys.argv[at + 1 :]):
        subprocess.run(command, check=True)
