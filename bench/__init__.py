"""What do we measure, beside which floor, with what spread? `python -m bench NAME --json`; `make bench` runs all."""
