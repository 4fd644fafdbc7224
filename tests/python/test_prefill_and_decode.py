"""The example that prefills in one process and decodes in another, with a small model of random weights."""

from __future__ import annotations

from conftest import forks, require

require("torch", __name__)

import contextlib
import io
import multiprocessing
import re
import sys
from multiprocessing.connection import Connection
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from test_flash_attention_forward import WORDS, llama

import kvforge

pytest.importorskip("rich")
import prefill_and_decode as example
import smollm2


class Tokenizer:
    """A token for each of some letters."""

    def encode(self, text: str) -> Any:
        return SimpleNamespace(ids=[ord(letter) % WORDS for letter in text[20:70]])

    def decode(self, ids: list[int], **_: Any) -> str:
        return " ".join(map(str, ids))


def run(cache: str, pipe: Connection) -> None:
    """The example, whose second process is forked and so has the small model, too."""
    torch.set_num_threads(1)
    kvforge.set_num_threads(1)
    context = multiprocessing.get_context("fork")
    multiprocessing.get_context = lambda _=None: context  # type: ignore[assignment]
    smollm2.load = lambda device: (llama(device), Tokenizer())
    sys.argv = ["prefill_and_decode.py", "--kv-cache-dtype", cache, "--steps", "5"]
    code: Any = None
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try:
            example.main()
        except SystemExit as ended:
            code = ended.code
    pipe.send((code, said.getvalue()))


@pytest.mark.parametrize("cache", ["auto", "fp8_e4m3"])
def test_text_of_both(cache: str) -> None:
    """Copied pages give the very logits of one process; of others the distance is told."""
    mine, theirs = multiprocessing.Pipe()
    process = forks().Process(target=run, args=(cache, theirs))
    process.start()
    theirs.close()
    try:
        assert mine.poll(120), "the example is not done"
        code, said = mine.recv()
    finally:
        process.kill()
    assert code == 0, said
    found = re.search(r"logits differ by (\S+) at most; the same token (\d+) of 15 times", said)
    assert found is not None, said
    assert said.count("one process") == said.count("two processes") == 3
    if cache == "auto":
        assert found.groups() == ("0", "15")
    else:
        assert 0 < float(found[1]) < 100, said
