"""Searches for better settings of a model: trials by several workers that share one Optuna study."""
