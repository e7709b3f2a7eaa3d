"""How do those who listen learn what is new? One thread reads for all of them; each gets what concerns it."""
