"""Which task types come with Penstock? One folder per family; each arrives through the sdk, as other people's do."""
