"""What methods share: inputs, batches, views, optimizers, pretraining and starts, checkpoints, saving, and bases."""
