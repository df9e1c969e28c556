"""`python bench/scale.py [--quick]`: time and memory over size, product by product, into `bench/results.json`.

Each figure stands beside what the bare library takes for the same in the same run. An exponent of 0 is a cost that does not
grow; a search that looks at every vector has 1, as the product has that it is.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import scale_products, scale_vectors  # noqa: E402
from bench.curves import Cloud, Curve, table  # noqa: E402

KEY = "scale"
QUICK = {"768": [500, 1000, 2000], "64": [1000, 4000], "workers": [1, 10], "rows": [100, 1000], "logs": [10, 100]}
FULL = {
    "768": [1000, 10_000, 100_000],
    "64": [10_000, 100_000, 1_000_000],
    "workers": [1, 50, 200],
    "rows": [1000, 10_000, 100_000],
    "logs": [100, 1000, 10_000],
}


def measure(sizes: dict[str, list[int]], only: str) -> list[Curve]:
    curves: list[Curve] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for dimensions in ("768", "64"):
            if only in ("", "vectorize", dimensions):
                curves += scale_vectors.measure(folder / dimensions, sizes[dimensions], int(dimensions))
        for product, kind in (("workers", "workers"), ("queues", "rows"), ("kv", "rows"), ("gateway", "logs")):
            if only in ("", product):
                cloud = Cloud(folder / product)
                try:
                    curves += getattr(scale_products, product)(cloud, sizes[kind])
                finally:
                    cloud.stop()
    return curves


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, a minute; the figures are not kept")
    parser.add_argument("--only", default="", help="one product: vectorize, 768, 64, workers, queues, kv or gateway")
    given = parser.parse_args()
    curves = measure(QUICK if given.quick else FULL, given.only)
    print(table(curves))
    if not given.quick:
        file = ROOT / "bench" / "results.json"
        kept = json.loads(file.read_text())
        kept[KEY] = kept.get(KEY, {}) | {curve.name: curve.result() for curve in curves}
        file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
