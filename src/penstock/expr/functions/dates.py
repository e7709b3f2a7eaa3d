"""Which functions work on dates? Their written form, sums, and seconds since 1970."""
