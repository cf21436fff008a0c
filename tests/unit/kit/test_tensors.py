import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from magpie_services.kit.prediction_messages import tensor_pb2
from magpie_services.kit.tensors import from_proto, to_proto

NUMBERS = ["float32", "float64", "int32", "int64", "uint8", "int8", "int16", "bool"]


@given(st.sampled_from(NUMBERS), st.lists(st.integers(0, 4), max_size=3))
def test_numbers_come_back_as_they_went(dtype: str, shape: list[int]) -> None:
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    seen = from_proto(to_proto(array))
    assert (seen.dtype, seen.shape) == (array.dtype, array.shape)
    np.testing.assert_array_equal(array, seen)


def test_strings_come_back_as_bytes() -> None:
    seen = from_proto(to_proto(np.array([["a", "é"]], dtype=object)))
    assert seen.tolist() == [[b"a", "é".encode()]]


def test_the_last_single_value_stands_for_the_rest() -> None:
    proto = tensor_pb2.TensorProto(dtype=1, float_val=[1.0, 2.0])
    proto.tensor_shape.dim.add(size=4)
    assert from_proto(proto).tolist() == [1.0, 2.0, 2.0, 2.0]


@pytest.mark.parametrize("values", [[1.0] * 5, []])
def test_a_content_that_does_not_fit_its_shape_is_refused(values: list[float]) -> None:
    proto = tensor_pb2.TensorProto(dtype=1, float_val=values, tensor_content=b"" if values else b"\0" * 8)
    proto.tensor_shape.dim.add(size=4)
    with pytest.raises(ValueError, match=r"values in|reshape"):
        from_proto(proto)


def test_a_type_we_do_not_speak_is_refused() -> None:
    with pytest.raises(ValueError, match="complex64"):
        to_proto(np.zeros(1, "complex64"))
