"""`python -m oncallctl`."""

from oncallctl.cli import main

main()
