"""`python -m inferstack.cli`."""

import sys

from inferstack.cli.main import main

sys.exit(main())
