"""One claim about performance each, as a paired experiment that anyone can run."""
