"""LearningCheck: a check, before training, that the model can learn."""
