"""Learning what a push would bring: labelled rows, the network, its calibration, and their fit."""
