"""YAML text, and every value's place."""
