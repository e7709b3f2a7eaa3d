"""What writes the pages that follow from the code? `reference` the reference, `task_index` the index of task types."""
