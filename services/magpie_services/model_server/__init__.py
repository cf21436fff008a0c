"""The model server: TensorFlow Serving's gRPC protocol for laptops and CI."""
