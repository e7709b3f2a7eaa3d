"""How do people speak to Penstock? `penstock NOUN VERB`, and short words for what is done most."""
