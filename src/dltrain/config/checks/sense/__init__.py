"""What the sections of a config say together."""
