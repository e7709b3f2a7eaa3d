"""What does it cost to have the pipeline steered, and how fast are its parts? Measured on servers that run already."""
