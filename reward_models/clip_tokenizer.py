"""Texts as the token ids that a CLIP reads: open_clip's own tokenizer, or a tokenizer.json beside the checkpoint.

A tokenizer.json is data for the package tokenizers. transformers' AutoTokenizer is not used: it builds classes, and runs
Python files, that a folder names. The ids are those of open_clip's HFTokenizer (open_clip/tokenizer.py, MIT).
"""

import gzip
import io
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from .clip_architecture import FOLDER_CONFIG, ClipArchitecture
from .printable import printable
from .regular_file import read_small_file
from .strict_json import read_json

# The largest that open_clip's architectures use, XLM-V's with 900,000 words, is a good half of it
_LONGEST_TOKENIZER = 128 * 2**20
# Open_clip's own has 1.4 MB and 3.2 MB unpacked
_LONGEST_VOCABULARY, _LONGEST_UNPACKED = 8 * 2**20, 32 * 2**20
_SETTINGS_FILE = "tokenizer_config.json"
# What the classes of transformers use where the file does not say
_USUAL = {"pad_token": ("[PAD]", "<pad>"), "sep_token": ("[SEP]", "</s>"), "cls_token": ("[CLS]", "<s>")}


class CheckedTokenizer:
    """Texts -> (t, context) int64 ids, all of which the text tower knows. file: what to blame if one is not."""

    def __init__(self, tokenize: Callable[[list[str]], torch.Tensor], context_length: int, vocabulary: int, file: str):
        self._tokenize = tokenize
        self._shape = context_length
        self._vocabulary = vocabulary
        self._file = file

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Return the ids. ValueError if the tokenizer fails or gives ids beyond the vocabulary of the text tower."""
        try:
            ids = self._tokenize(list(texts))
        except Exception as error:  # tokenizers raises bare Exception for whatever its file makes impossible
            raise ValueError(
                f"{self._file} cannot tokenize ({printable(error)}): use the tokenizer of this model"
            ) from error
        if ids.shape != (len(texts), self._shape):
            raise ValueError(f"{self._file} does not give {self._shape} tokens: use the tokenizer of this model")
        if ids.numel() and not 0 <= ids.min() <= ids.max() < self._vocabulary:
            raise ValueError(
                f"{self._file} gives the token {int(ids.max())}, but the text tower knows {self._vocabulary}: use the "
                "tokenizer of this model"
            )
        return ids


class FileTokenizer:
    """What open_clip's HFTokenizer computes, from the text of a tokenizer.json and the settings beside it.

    ValueError if either is not sound. mode: None, or "clips" for the class token at the end.
    """

    def __init__(
        self,
        written: bytes,
        settings: dict,
        *,
        context_length: int,
        mode: str | None,
        clean: str,
        strip_sep_token: bool,
    ):
        from open_clip.tokenizer import get_clean_fn
        from tokenizers import Tokenizer

        try:
            self._tokenizer = Tokenizer.from_buffer(written)
        except BaseException as error:  # a panic of its Rust code is no Exception
            if isinstance(error, KeyboardInterrupt | SystemExit):
                raise
            raise ValueError(printable(error)) from error
        self._clean = get_clean_fn(clean)
        self._context_length = context_length
        self._clips = mode == "clips"
        self._stripped = self._id("sep_token", settings) if strip_sep_token else None
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        if self._clips:
            self._frame = [self._id(name, settings) for name in ("bos_token", "eos_token", "pad_token", "cls_token")]
            return
        pad = self._id("pad_token", settings)
        sides = [settings.get(name, "right") for name in ("truncation_side", "padding_side")]
        if any(side not in ("left", "right") for side in sides):
            raise ValueError("truncation_side and padding_side must be 'left' or 'right'")
        self._tokenizer.enable_truncation(context_length, direction=sides[0])
        self._tokenizer.enable_padding(
            length=context_length, pad_id=pad, pad_token=self._tokenizer.id_to_token(pad), direction=sides[1]
        )

    def __call__(self, texts: list[str]) -> torch.Tensor:
        """Return (t, context) int64 ids."""
        texts = [self._clean(text) for text in texts]
        encoded = self._tokenizer.encode_batch(texts, add_special_tokens=not self._clips)
        if self._clips:
            return torch.tensor([self._clips_frame(each.ids) for each in encoded])
        ids = torch.tensor([each.ids for each in encoded])
        return ids if self._stripped is None else torch.where(ids == self._stripped, torch.zeros_like(ids), ids)

    def _clips_frame(self, ids: list[int]) -> list[int]:
        begin, end, pad, last = self._frame
        framed = [begin, *ids[: self._context_length - 3], end]
        return [*framed, *[pad] * (self._context_length - 1 - len(framed)), last]

    def _id(self, name: str, settings: dict) -> int:
        """Id of the special token of that name."""
        token = settings.get(name)
        token = token.get("content") if isinstance(token, dict) else token
        choices = [token] if isinstance(token, str) else _USUAL.get(name, ())
        for choice in choices:
            found = self._tokenizer.token_to_id(choice)
            if found is not None:
                return found
        raise ValueError(f"it has no {name}: name one of its words in {_SETTINGS_FILE}")


def make_tokenizer(architecture: ClipArchitecture, folder: Path) -> CheckedTokenizer:
    """Make the tokenizer of an architecture, from files in `folder` if it names some.

    ValueError, FileNotFoundError: one line that names the file and what to change.
    """
    text_cfg = architecture.model_cfg["text_cfg"]
    options = text_cfg.get("tokenizer_kwargs") or {}
    context_length = text_cfg.get("context_length", 77)
    vocabulary = text_cfg.get("vocab_size", 49408)
    if text_cfg.get("hf_tokenizer_name"):
        tokenizer = _from_folder(architecture, folder, context_length, text_cfg.get("tokenizer_mode"), options)
        return CheckedTokenizer(tokenizer, context_length, vocabulary, f"tokenizer.json of {architecture.label}")
    tokenizer = _open_clips_own(architecture, context_length, options)
    if tokenizer.vocab_size > vocabulary:
        raise ValueError(
            f"{architecture.label} has a vocabulary of {tokenizer.vocab_size} tokens, but a text tower for "
            f"{vocabulary}: set 'tokenizer_kwargs.bpe_path' in {FOLDER_CONFIG} to the vocabulary it was trained with"
        )
    return CheckedTokenizer(tokenizer, context_length, vocabulary, f"the vocabulary of {architecture.label}")


def _open_clips_own(architecture: ClipArchitecture, context_length: int, options: dict[str, Any]) -> Any:
    import open_clip

    options = {key: value for key, value in options.items() if key in ("bpe_path", "clean")}
    if "bpe_path" not in options:
        return open_clip.SimpleTokenizer(context_length=context_length, **options)
    path = architecture.file.parent / options["bpe_path"]
    packed, name = read_small_file(path, _LONGEST_VOCABULARY), printable(path.name)
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as unpacking:
            unpacked = unpacking.read(_LONGEST_UNPACKED + 1)
        if len(unpacked) > _LONGEST_UNPACKED:
            raise ValueError("too large when unpacked")
        unpacked.decode("utf-8")
        # open_clip gives the file to gzip.open, which takes an open one too: what it reads is what was looked at
        return open_clip.SimpleTokenizer(context_length=context_length, **options | {"bpe_path": io.BytesIO(packed)})
    except (OSError, EOFError, zlib.error, ValueError, IndexError) as error:
        raise ValueError(
            f"{name} is no vocabulary of open_clip ({printable(error)}): put the vocabulary that the model was trained with there"
        ) from error


def _from_folder(
    architecture: ClipArchitecture, folder: Path, context_length: int, mode: str | None, options: dict[str, Any]
) -> FileTokenizer:
    hub_name = printable(architecture.model_cfg["text_cfg"]["hf_tokenizer_name"], 80)
    try:
        written, settings = (
            read_small_file(folder / name, most)
            for name, most in (("tokenizer.json", _LONGEST_TOKENIZER), (_SETTINGS_FILE, _LONGEST_VOCABULARY))
        )
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{architecture.label} needs the tokenizer of {hub_name}, and nothing is downloaded here: put its files "
            f"(tokenizer.json, {_SETTINGS_FILE}) into the folder of the checkpoint"
        ) from error
    try:
        settings = read_json(settings)
        if not isinstance(settings, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise ValueError(
            f"{_SETTINGS_FILE} of {architecture.label} is not sound ({error}): download it again"
        ) from error
    try:
        return FileTokenizer(
            written,
            settings,
            context_length=context_length,
            mode=mode,
            clean=options.get("clean", "whitespace"),
            strip_sep_token=options.get("strip_sep_token", False),
        )
    except ValueError as error:
        raise ValueError(
            f"tokenizer.json of {architecture.label} is not sound ({error}): put the tokenizer of {hub_name} there"
        ) from error
