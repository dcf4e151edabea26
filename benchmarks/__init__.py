"""One benchmark run, from flags to a measurement."""
