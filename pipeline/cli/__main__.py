"""`python -m pipeline.cli` is `seqloom`."""

from pipeline.cli.app import main

if __name__ == "__main__":
    main()
