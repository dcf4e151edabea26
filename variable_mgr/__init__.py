"""Where variables live, and how the gradients of the towers become one update."""
