"""Run the demonstration: ``python -m bench.demo``."""

import sys

from bench.demo.demo import main

sys.exit(main())
