"""`--find_batch_size`: the largest batch that fits into memory, or the fastest, by trials in processes of their own."""
