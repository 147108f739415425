"""What is learnt from the training split: scales of numbers, categories, vocabularies."""
