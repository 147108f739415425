"""From several texts to one tree: `extends`, `-s`, `repeat`."""
