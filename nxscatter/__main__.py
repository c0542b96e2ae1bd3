"""``python -m nxscatter``."""

from nxscatter.cli import main

if __name__ == "__main__":
    main()
