"""The claims about words: none invented, every invented one caught, never the same twice, fast enough.

    .venv/bin/python benchmarks/copy.py --data online_retail.csv.gz

A script of this name stands in the way of the standard library's `copy` for every script beside it: imported
under that name it steps aside.
"""

import os
import sys
from importlib.util import module_from_spec, spec_from_file_location

if __name__ == "copy":
    spec = spec_from_file_location("copy", os.path.join(os.path.dirname(os.__file__), "copy.py"))
    assert spec is not None and spec.loader is not None  # noqa: PT018 - the standard library is there
    sys.modules["copy"] = library = module_from_spec(spec)
    spec.loader.exec_module(library)
elif __name__ == "__main__":
    from copywriting import measure

    measure.main()
