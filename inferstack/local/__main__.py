"""`python -m inferstack.local`: the local Cloudflare in the foreground."""

import sys

from inferstack.local.foreground import main

sys.exit(main())
