"""Tasks with targets: what their trainings and models share."""
