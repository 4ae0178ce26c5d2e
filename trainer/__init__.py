"""Settings, features, input, models and export in plain TensorFlow, independent of Beam and TFX."""
