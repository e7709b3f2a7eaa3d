"""What is this package? Penstock, a control plane for data pipelines."""

__version__ = "0.1.0"
