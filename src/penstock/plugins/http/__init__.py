"""Which task types speak HTTP? Request and download, with the standard library alone."""
