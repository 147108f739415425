"""Files of a user -> what they probably are: the data set, its arguments and the task, each with the reason."""
