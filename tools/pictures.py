"""`python tools/pictures.py`: the pictures of the console in docs/images, of the dev stack as it is up just now."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.templates.browser import Page, browser  # noqa: E402

QUESTION = "How do I track a lost parcel?"
ASKED = json.dumps(json.dumps({"question": QUESTION, "stream": True}))
ASK = (
    "(() => { const form = document.querySelector('#ask');"
    "form.operation.selectedIndex = [...form.operation.options].findIndex((each) => each.dataset.path === '/ask');"
    f"form.operation.dispatchEvent(new Event('change')); form.body.value = {ASKED}; form.requestSubmit(); }})()"
)


def told(*words: str) -> str:
    command = [sys.executable, "-m", "inferstack.cli", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


def taken(page: Page, name: str) -> None:
    page.look(width=1200, to=ROOT / "docs" / "images" / f"console-{name}.png")


def main() -> None:
    (ROOT / "docs" / "images").mkdir(exist_ok=True)
    told("ask", "dev", QUESTION)
    with tempfile.TemporaryDirectory() as folder, browser(Path(folder)) as page:
        page.look(width=1200)
        page.open(told("console", "dev"))
        taken(page, "stack")
        base = page.run("location.origin")
        page.open(f"{base}/console/requests?text=/ask")
        page.open(page.run("document.querySelector('tbody a').href"))
        taken(page, "request")
        page.open(f"{base}/console/playground")
        page.run(ASK)
        page.until("document.querySelector('#answers .head')?.textContent.includes('first byte')")
        taken(page, "playground")


if __name__ == "__main__":
    main()
