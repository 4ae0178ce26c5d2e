"""TFX's own components."""
