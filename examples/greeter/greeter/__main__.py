"""`python -m greeter`."""

from greeter.server import main

main()
