"""Where the files lie that come with this package: templates, shared modules, migrations, samples, launchers, lock files.

A wheel has them inside the package (`[tool.hatch.build.targets.wheel.force-include]`), a checkout at its top level.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

_PACKAGED = Path(str(files("inferstack"))) / "_shipped"
IS_CHECKOUT = not _PACKAGED.is_dir()
HOME = _PACKAGED.parents[1] if IS_CHECKOUT else _PACKAGED
