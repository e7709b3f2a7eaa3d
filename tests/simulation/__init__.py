"""Do the real services survive crashes, stalls and clock steps anywhere? A world under one seed."""
