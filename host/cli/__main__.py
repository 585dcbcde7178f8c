"""`python -m host.cli` is `fnhost`."""

from host.cli import main

main(prog_name="fnhost")
