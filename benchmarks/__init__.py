"""What a whole run costs beside the same work by hand: `python -m benchmarks --help`."""
