"""Code shared by the methods: base classes, inputs, views, optimizers, pretraining, starts, checkpoints, files."""
