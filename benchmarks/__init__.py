"""How long jenkins-cd takes, next to what one would use instead. `python -m benchmarks`, or `make bench`."""
