"""Tables in files: their columns as numbers and categories, and what is learnt to prepare them."""
