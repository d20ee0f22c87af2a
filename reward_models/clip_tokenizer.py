"""Texts as the token ids that a CLIP reads: open_clip's own tokenizer, or a tokenizer.json beside the checkpoint."""

import gzip
import io
import zlib
from pathlib import Path
from typing import Any

from .checked_tokenizer import CheckedTokenizer
from .clip_architecture import FOLDER_CONFIG, ClipArchitecture
from .file_tokenizer import SETTINGS_FILE, FileTokenizer
from .printable import printable
from .regular_file import read_small_file
from .strict_json import read_json

# The largest that open_clip's architectures use, XLM-V's with 900,000 words, is a good half of it
_LONGEST_TOKENIZER = 128 * 2**20
# Open_clip's own has 1.4 MB and 3.2 MB unpacked
_LONGEST_VOCABULARY, _LONGEST_UNPACKED = 8 * 2**20, 32 * 2**20


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
        if not unpacked.decode("utf-8").strip():
            raise ValueError("it is empty")
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
            for name, most in (("tokenizer.json", _LONGEST_TOKENIZER), (SETTINGS_FILE, _LONGEST_VOCABULARY))
        )
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"{architecture.label} needs the tokenizer of {hub_name}, and nothing is downloaded here: put its files "
            f"(tokenizer.json, {SETTINGS_FILE}) into the folder of the checkpoint"
        ) from error
    try:
        settings = read_json(settings)
        if not isinstance(settings, dict):
            raise ValueError("it is no object")
    except ValueError as error:
        raise ValueError(
            f"{SETTINGS_FILE} of {architecture.label} is not sound ({error}): download it again"
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
