"""A short article, "How does deep clustering relate to self-supervised learning?", and a test of each of its claims."""
