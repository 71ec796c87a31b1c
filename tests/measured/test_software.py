"""Serving software as printed, by its one key."""

import pytest

from estimates.measured.software import software_key, software_titles


@pytest.mark.parametrize(
    ("printed", "key"),
    [
        ("TensorRT-LLM", "trtllm"),
        ("NVIDIA NIM (TensorRT-LLM)", "trtllm"),
        ("vLLM (ROCm)", "vllm"),
        ("vllm-ascend", "vllm-ascend"),
        ("LM Studio (llama.cpp)", "llama.cpp"),
        ("Llama.cpp", "llama.cpp"),
        ("MLX 0.31.3", "mlx"),
        ("MLC LLM", "mlc"),
        ("Exllama V2", "exllama"),
        ("trtllm", "trtllm"),
    ],
)
def test_a_printed_name_has_one_key(printed: str, key: str):
    assert software_key(printed) == key


@pytest.mark.parametrize("printed", [None, "", "Abacus"])
def test_software_that_is_not_listed_has_none(printed: str | None):
    assert software_key(printed) is None


def test_every_key_has_one_name_for_people():
    titles = software_titles()
    assert titles["vllm"] == "vLLM"
    assert len(set(titles.values())) == len(titles)
