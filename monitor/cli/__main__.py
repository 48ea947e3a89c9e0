"""`python -m monitor.cli` is the same as `monitor`."""

import sys

from monitor.cli.app import main

sys.exit(main())
