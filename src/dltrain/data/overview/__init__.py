"""What the model gets of a data set, in numbers and in pictures."""
