"""Time series in files: windows over their steps, and the steps or the label to predict from each."""
