"""The TFX component LearningCheck."""
