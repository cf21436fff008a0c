"""The training service: models learnt from the lake, judged and released."""
