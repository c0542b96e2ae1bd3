"""What runs steps: recipes, the runner, batches, replay."""
