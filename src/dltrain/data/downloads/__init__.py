"""Public data sets that are downloaded: their files, held to a SHA-256, and what is inside, read without running it."""
