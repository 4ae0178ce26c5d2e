"""`python -m pipeline.cli` is `seqloom`."""

from pipeline.cli.app import main

main()
