"""Where do secrets come from, and how are they kept? Sources in an order; in the store they are sealed."""
