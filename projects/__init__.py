"""What stands in this folder? Reference projects: real pipelines that run end to end, each with its own checker."""
