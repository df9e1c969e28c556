"""Where the files lie that come with this package: templates, shared modules, migrations, samples, launchers, lock files.

A wheel has them inside the package (`[tool.hatch.build.targets.wheel.force-include]`), a checkout at its top level.
"""

from __future__ import annotations

from pathlib import Path

# Not by importlib.resources: it brings tempfile, shutil, bz2 and lzma along (11 ms in each process of a run), and what lies
# here must be real files in any case, for other programs read them.
_PACKAGED = Path(__file__).parent / "_shipped"
IS_CHECKOUT = not _PACKAGED.is_dir()
HOME = _PACKAGED.parents[1] if IS_CHECKOUT else _PACKAGED
