"""Which task types work with git? Clone a repository; bring its flows and files here, and ours there."""
