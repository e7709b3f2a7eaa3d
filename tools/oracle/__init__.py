"""What does the engine that flows were first written for do with this flow, this expression? README.md says how far."""
