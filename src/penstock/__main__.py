"""What does `python -m penstock` do? The same as `penstock`, and it takes no module from where it is called."""

import sys
from pathlib import Path

# Python looks for modules first where it is called, which is a project: no file there must stand in for a library.
if sys.path and Path(sys.path[0]) == Path.cwd() != Path(__file__).parents[1]:
    del sys.path[0]

from penstock.cli.main import main

if __name__ == "__main__":
    main()
