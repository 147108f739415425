"""What is wrong with a config, before anything starts."""
