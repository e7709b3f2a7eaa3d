"""What does the API serve? The rows of the table, by noun; `table` has all of them."""
