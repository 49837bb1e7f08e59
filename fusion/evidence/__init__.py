"""What a finished run leaves behind: numbers, intervals, plots, sample plans and where they came from."""
