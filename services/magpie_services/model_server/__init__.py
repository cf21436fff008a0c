"""PredictionService and ModelService over SavedModels: TensorFlow Serving's protocol where it cannot run.

For laptops, tests and small sites. It speaks gRPC exactly as TensorFlow Serving does (same messages, states
and statuses), so that nothing else in the suite knows which of the two it talks to.
"""
