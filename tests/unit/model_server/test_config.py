"""Which models and versions a configuration asks for, and what is refused. No TensorFlow is imported."""

from pathlib import Path

import pytest

# Loads the messages without TensorFlow; must come before what imports them.
from magpie_services.kit import prediction_messages  # noqa: F401
from magpie_services.kit.errors import Invalid
from magpie_services.model_server.config import ModelConfig, parse, present_versions

LINE = 'model_config_list {{ config {{ name: "line" base_path: "/models/line" {} }} }}'


def parsed(rest: str = "") -> ModelConfig:
    (config,) = parse(LINE.format(rest).encode())
    return config


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        ("", {7}),
        ("latest {}", {7}),
        ("latest { num_versions: 2 }", {5, 7}),
        ("all {}", {2, 5, 7}),
        ("specific { versions: 2 versions: 9 }", {2}),
    ],
)
def test_policies(policy: str, wanted: set[int]) -> None:
    config = parsed(f"model_version_policy {{ {policy} }}" if policy else "")
    assert config.wanted([5, 2, 7]) == wanted
    assert config.wanted([]) == set()


def test_labels_and_platform() -> None:
    config = parsed('model_platform: "tensorflow" version_labels { key: "stable" value: 3 }')
    assert (config.name, config.base_path, config.labels) == ("line", Path("/models/line"), {"stable": 3})


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("", "config"),
        ("custom_model_config {}", "config"),
        ('model_config_list { config { base_path: "/m" } }', "config[0].name"),
        ('model_config_list { config { name: "a" } }', "config[0].base_path"),
        ('model_config_list { config { name: "a" base_path: "m" } }', "config[0].base_path"),
        (LINE.format('model_platform: "onnx"'), "config[0].model_platform"),
        (
            LINE.format("model_version_policy { specific {} }"),
            "config[0].model_version_policy.specific.versions",
        ),
        (
            'model_config_list { config { name: "a" base_path: "/m" } config { name: "a" base_path: "/n" } }',
            "config.name",
        ),
        ("no such field", "model_config_file"),
    ],
)
def test_faults_name_their_field(text: str, field: str) -> None:
    with pytest.raises(Invalid) as error:
        parse(text.encode())
    assert error.value.violations[0][0] == field


def test_a_half_written_file_is_refused_wherever_it_ends() -> None:
    whole = LINE.format("model_version_policy { specific { versions: 2 } }").encode()
    for end in range(len(whole)):
        with pytest.raises(Invalid):
            parse(whole[:end])
    with pytest.raises(Invalid, match="model_config_file"):
        parse(whole + b"\xff")


def test_version_folders_are_whole_numbers_that_fit(tmp_path: Path) -> None:
    for name in ("1", "007", "7", ".staging-3", "4.tmp", "-5", "٣", str(2**63), str(2**63 - 1)):
        (tmp_path / name).mkdir()
    (tmp_path / "9").write_text("a file")
    assert present_versions(tmp_path) == {
        1: tmp_path / "1",
        7: tmp_path / "7",
        2**63 - 1: tmp_path / str(2**63 - 1),
    }
    assert present_versions(tmp_path / "not there") == {}
