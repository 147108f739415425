"""What `dltrain docs`, `schema` and `init` print."""
