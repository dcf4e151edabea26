"""`--tune_cpu`: the fastest threads, layout and number of towers of a run on the CPU, by trials in fresh processes."""
