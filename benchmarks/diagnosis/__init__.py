"""What bounds a step, by experiment: the step in several ways, each with one thing more made free."""
