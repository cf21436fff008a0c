"""numpy arrays as TensorFlow's TensorProto and back, without TensorFlow."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from magpie_services.kit.prediction_messages import tensor_pb2

Array = NDArray[Any]

#: numpy dtype → (number of the DataType enum, the field that holds values one by one).
_TYPES: dict[str, tuple[int, str]] = {
    "float32": (1, "float_val"),
    "float64": (2, "double_val"),
    "int32": (3, "int_val"),
    "uint8": (4, "int_val"),
    "int16": (5, "int_val"),
    "int8": (6, "int_val"),
    "int64": (9, "int64_val"),
    "bool": (10, "bool_val"),
}
_STRING = 7
# By dtype of either byte order: asking one for its name takes longer than all the rest.
_NUMBERS = {np.dtype(order + np.dtype(name).str[1:]): _TYPES[name][0] for name in _TYPES for order in "<>"}
_NAMES = {number: (name, field) for name, (number, field) in _TYPES.items()} | {
    _STRING: ("string", "string_val")
}


def dtype_name(number: int) -> str:
    """The name of a DataType ("float32", "string"). Raises ValueError for one that is not supported."""
    if number not in _NAMES:
        raise ValueError(f"tensor type {number} is not supported")
    return _NAMES[number][0]


def dtype_number(name: str) -> int:
    """The DataType of a name that `dtype_name` answers."""
    return _STRING if name == "string" else _TYPES[name][0]


def to_proto(array: Array) -> Any:
    """A TensorProto of the same shape. Strings are arrays of `str` or `bytes`, of dtype object, U or S.

    Raises ValueError for a dtype that is not supported.
    """
    proto = tensor_pb2.TensorProto()
    fill(proto, array)
    return proto


def fill(proto: Any, array: Array) -> None:
    """The same, into a new message that is there."""
    dims = proto.tensor_shape.dim
    for size in array.shape:
        dims.add(size=size)
    if array.dtype.kind in "OSU":
        proto.dtype = _STRING
        proto.string_val.extend(
            v if isinstance(v, bytes) else str(v).encode() for v in array.ravel().tolist()
        )
        return
    if array.dtype not in _NUMBERS:
        raise ValueError(f"dtype {array.dtype} is not supported")
    proto.dtype = _NUMBERS[array.dtype]
    proto.tensor_content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def from_proto(proto: Any) -> Array:
    """The array of a TensorProto; strings come as `bytes` in an object array. Numbers may be read-only.

    Raises ValueError when type, shape and content do not fit together.
    """
    name = dtype_name(proto.dtype)
    shape = tuple(dim.size for dim in proto.tensor_shape.dim)
    if proto.tensor_shape.unknown_rank or any(size < 0 for size in shape):
        raise ValueError("a tensor without a definite shape")
    dtype = np.dtype(object) if name == "string" else np.dtype(name).newbyteorder("<")
    if proto.tensor_content and name != "string":
        return (
            np.frombuffer(proto.tensor_content, dtype=dtype).reshape(shape).astype(np.dtype(name), copy=False)
        )
    values = list(getattr(proto, _NAMES[proto.dtype][1]))
    count = math.prod(shape)
    if len(values) > count:
        raise ValueError(f"{len(values)} values in a tensor of {count}")
    # TensorFlow's rule: the last value stands for all that are left out, and none at all means zeros.
    rest = values[-1] if values else (b"" if name == "string" else 0)
    flat = np.full(count, rest, dtype=object if name == "string" else np.dtype(name))
    flat[: len(values)] = values
    return flat.reshape(shape)
