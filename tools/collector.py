"""OpenTelemetry's own collector, with a receiver of OTLP and an exporter into a file, for the tests of what is exported.

python -m tools.collector        builds it where it is not built yet (a minute, once), and prints where it lies
"""

from __future__ import annotations

import sys

from inferstack.errors import ToolchainError
from tools.go_programs import Program, build

COLLECTOR = Program("collector", "collector", "go.opentelemetry.io/collector/otelcol", ".", "collector")


def main() -> int:
    try:
        print(build(COLLECTOR))
    except ToolchainError as error:
        print(f"collector: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
