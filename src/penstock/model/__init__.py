"""Which nouns does Penstock speak in? Frozen values; JSON in and out through msgspec."""
