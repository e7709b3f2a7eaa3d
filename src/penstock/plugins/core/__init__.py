"""Which task types need nothing but Penstock itself? Log, return, fail, assert, sleep, output values, key-value."""
