"""Plain TensorFlow: settings, features, input, models, export. Knows neither Beam nor TFX paths."""
