"""Which task types run people's code? Shell and Python, as a script, as commands, as a function."""
