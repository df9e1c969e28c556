"""Plans that an agent was shown, by their ids, in the project's `.inferstack/plans/`."""

from __future__ import annotations

import re
import secrets
import time
from pathlib import Path

from inferstack.errors import ConfigError

FOLDER = Path(".inferstack") / "plans"
ID = re.compile(r"^(?P<stack>[A-Za-z0-9][\w.-]*)\.[0-9a-f]{12}$")
KEPT_SECONDS = 24 * 3600  # a plan of yesterday is worth a new look


class KeptPlans:
    """Files that Pulumi's own plans stand in; secrets in them are encrypted by Pulumi."""

    def __init__(self, root: Path) -> None:
        self._folder = root / FOLDER

    def new(self, stack: str) -> tuple[str, Path]:
        """An id that nobody guesses, and where its plan is to be written."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for file in self._folder.glob("*.json"):
            if time.time() - file.stat().st_mtime > KEPT_SECONDS:
                file.unlink(missing_ok=True)
        plan_id = f"{stack}.{secrets.token_hex(6)}"
        return plan_id, self._folder / f"{plan_id}.json"

    def find(self, plan_id: str) -> tuple[str, Path]:
        """Its stack and file. Raises `ConfigError`."""
        named = ID.match(plan_id)
        file = self._folder / f"{plan_id}.json"
        if named is None or not file.is_file():
            raise ConfigError(
                f"there is no plan {plan_id!r}\n  fix: `plan` makes one; it is kept for a day, and good once"
            )
        return named["stack"], file
