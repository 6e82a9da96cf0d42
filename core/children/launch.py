"""Runs the ``main`` of one module of core: ``python core/children/launch.py MODULE ARGUMENTS``.

It must import the same core as its owner, but nothing else from beside it: a checkout holds a
folder ``datasets``, which the libraries would take for the package of that name.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    root = str(here.parent.parent)
    sys.path[:] = [place for place in sys.path if place and Path(place).resolve() != here]
    sys.path.insert(0, root)
    import core  # noqa: F401 - its own modules are found by it from here on

    sys.path.remove(root)
    del sys.argv[0]
    sys.exit(importlib.import_module(sys.argv[0]).main())
