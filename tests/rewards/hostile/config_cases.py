"""Spoilt configurations, vocabularies and tokenizers beside a sound checkpoint."""

import copy
import gzip
import json

from sound import CONFIG, MERGES, TINY, Case, write_clip

DELETED = object()


def config(folder, place, value, loads=False):
    """The sound configuration with one entry changed; place: its names, of which the first may be model_cfg."""
    path = write_clip(folder)
    content = {"model_cfg": copy.deepcopy(TINY), "preprocess_cfg": {}}
    target = content
    for name in place[:-1]:
        target = target.setdefault(name, {})
    if value is DELETED:
        del target[place[-1]]
    else:
        target[place[-1]] = value
    (folder / CONFIG).write_text(json.dumps(content))
    return Case(path, blamed=CONFIG, loads=loads)


def written(folder, content):
    path = write_clip(folder)
    (folder / CONFIG).write_bytes(content)
    return Case(path, blamed=CONFIG)


def vocabulary(folder, content, blamed="words.gz"):
    path = write_clip(folder)
    (folder / "words.gz").write_bytes(content)
    return Case(path, blamed=blamed)


WORDS = {
    "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None, "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": None,
    "decoder": None, "model": {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 1, "red": 2}, "unk_token": "[UNK]"},
}  # fmt: skip
SETTINGS = {"pad_token": "[PAD]", "unk_token": "[UNK]"}


def tokenizer(folder, edit=None, settings=None, written=None, loads=False, text=None, blamed="tokenizer"):
    """A sound checkpoint with a tokenizer.json, spoilt by `edit`."""
    case = config(folder, ("model_cfg", "text_cfg", "hf_tokenizer_name"), "nobody/nothing")
    content = json.loads((folder / CONFIG).read_text())
    content["model_cfg"]["text_cfg"]["tokenizer_kwargs"] = {}
    content["model_cfg"]["text_cfg"].update(text or {})
    (folder / CONFIG).write_text(json.dumps(content))
    words = copy.deepcopy(WORDS)
    if edit is not None:
        edit(words)
    (folder / "tokenizer.json").write_bytes(json.dumps(words).encode() if written is None else written)
    settings = SETTINGS if settings is None else settings
    (folder / "tokenizer_config.json").write_bytes(
        settings if isinstance(settings, bytes) else json.dumps(settings).encode()
    )
    return Case(case.path, blamed=blamed, loads=loads)


def template(token):
    """A post-processor that frames each text with a token of this id."""
    special = {"id": "[X]", "ids": [token], "tokens": ["[X]"]}
    piece = {"SpecialToken": {"id": "[X]", "type_id": 0}}
    single = [piece, {"Sequence": {"id": "A", "type_id": 0}}]
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[X]": special},
    }


def replace(content, times=1, pattern=None):
    step = {"type": "Replace", "pattern": pattern or {"String": "e"}, "content": content}
    return {"type": "Sequence", "normalizers": [step] * times}


def key(name, value):
    return lambda words: words.update({name: value})


VISION, TEXT = ("model_cfg", "vision_cfg"), ("model_cfg", "text_cfg")
OPTIONS, PREPROCESS = (*TEXT, "tokenizer_kwargs"), ("preprocess_cfg",)
ENTRIES = [
    *(((*VISION, "image_size"), value) for value in (10**9, 0, -16, "16", 16.5, True, [16], [16, 16, 16], [16, -1], [10**9, 1], {}, None, 8, 32)),
    *(((*VISION, "layers"), value) for value in (10**9, 0, -1, "1", [1, 1, 1], [1, 1, 1, -1], [], [[1]], 2.0, 2, 129)),
    *(((*VISION, "width"), value) for value in (10**9, 0, -32, "32", None, 33, 48)),
    *(((*VISION, "patch_size"), value) for value in (0, -1, 10**9, "8", [8, 8], 1, 3, 2000)),
    *(((*VISION, "head_width"), value) for value in (0, -1, 10**9, 64, 5)), ((*VISION, "mlp_ratio"), -1), ((*VISION, "mlp_ratio"), 1e9),
    ((*VISION, "mlp_ratio"), 1e-9),
    *(((*VISION, "pool_type"), value) for value in ("none", "all", ["tok"], {"a": 1})), ((*VISION, "pos_embed_type"), "eval"),
    ((*VISION, "output_tokens"), True), ((*VISION, "output_tokens"), "yes"),
    ((*VISION, "attentional_pool"), "parallel"), ((*VISION, "attentional_pool"), True), ((*VISION, "attn_pooler_queries"), 10**9),
    ((*VISION, "attn_pooler_heads"), 0),
    *(((*VISION, "timm_model_name"), value) for value in ("hf-hub:nobody/nothing", "local-dir:.", "local-dir:/tmp", "/etc/passwd", "../x",
        "os.system", "resnet_of_nobody", "resnet18", "vit_tiny_patch16_224", ["resnet18"], "", 3, "x" * 10**5, "http://localhost/x")),
    ((*VISION, "timm_pool"), "__import__"), ((*VISION, "timm_proj"), "exec"), ((*VISION, "timm_drop"), -1), ((*VISION, "timm_drop_path"), 1e400),
    ((*VISION, "patch_dropout"), 5), ((*VISION, "timm_model_pretrained"), "yes"),
    *(((*VISION, "norm_kwargs"), value) for value in ({"device": "cuda"}, {"dtype": "float8"}, {"eps": "x"}, {"eps": -1}, {"normalized_shape": 10**9},
        [], "x", {"eps": {}})),
    *(((*VISION, "act_kwargs"), value) for value in ({"approximate": "os.system"}, {"x": 1}, [])), ((*VISION, "block_type"), "evil"),
    ((*VISION, "qk_norm"), 1), ((*VISION, "ls_init_value"), "x"),
    ((*VISION, "colour"), "red"), ((*VISION, "__class__"), "os"), ((*VISION, "\n\x1b[31m"), 1), ((*VISION, "x" * 10**5), 1), (VISION, []),
    (VISION, None), (VISION, "x"), (VISION, DELETED), (VISION, {}),
    *(((*TEXT, "context_length"), value) for value in (10**9, 0, -1, "12", None, 13, 1, 1025)),
    *(((*TEXT, "vocab_size"), value) for value in (10**12, 0, -1, "516", 100, 515)),
    *(((*TEXT, "width"), value) for value in (10**9, 0, -16, 17)), *(((*TEXT, "heads"), value) for value in (0, -1, 3, 10**9, "2")),
    *(((*TEXT, "layers"), value) for value in (10**9, 0, -1, [1], 2)),
    ((*TEXT, "pool_type"), "first_of_all"), ((*TEXT, "pool_type"), "none"), ((*TEXT, "proj_type"), "none"), ((*TEXT, "proj_type"), "mlp"),
    ((*TEXT, "embed_cls"), True), ((*TEXT, "eos_id"), -5), ((*TEXT, "pad_id"), 10**30),
    *(((*TEXT, "hf_model_name"), value) for value in ("roberta-base", ".", "/tmp", ["x"], 3, {"a": 1}, "x\n" * 100)),
    ((*TEXT, "hf_proj_type"), "mlp"), ((*TEXT, "hf_pooler_type"), "os.system"), ((*TEXT, "trust_remote_code"), True),
    ((*TEXT, "tokenizer_mode"), "evil"), ((*TEXT, "tokenizer_mode"), ["clips"]), ((*TEXT, "hf_tokenizer_name"), ["x"]),
    ((*TEXT, "hf_tokenizer_name"), "x" * 10**5), (TEXT, []), (TEXT, 3), (TEXT, None), (TEXT, DELETED),
    *((OPTIONS, value) for value in ([], "x", 3)), ((*OPTIONS, "trust_remote_code"), True), ((*OPTIONS, "cache_dir"), "/tmp"),
    ((*OPTIONS, "reduction_mask"), "syntax"), ((*OPTIONS, "additional_special_tokens"), ["(a+)+$"]),
    ((*OPTIONS, "clean"), "evil"), ((*OPTIONS, "clean"), None), ((*OPTIONS, "strip_sep_token"), "x"), ((*OPTIONS, "language"), "x"),
    ((*OPTIONS, "context_length"), 3),
    *(((*OPTIONS, "bpe_path"), value) for value in ("/etc/passwd", "../words.gz", "..", ".", "", "a/../../words.gz", "\\\\host\\share\\words.gz",
        "C:words.gz", "http://localhost/x", "~/words.gz", "gone.gz", 3, ["words.gz"], "words.gz\x00", "x" * 150)),
    (("model_cfg", "embed_dim"), 10**9), (("model_cfg", "embed_dim"), 0), (("model_cfg", "embed_dim"), "8"), (("model_cfg", "embed_dim"), 9),
    (("model_cfg", "quick_gelu"), "yes"), (("model_cfg", "custom_text"), 1), (("model_cfg", "custom_text"), "CLIP"),
    (("model_cfg", "cast_dtype"), "float16"), (("model_cfg", "output_dict"), True), (("model_cfg", "init_logit_scale"), 1e300),
    (("model_cfg", "init_logit_bias"), "x"), (("model_cfg", "multimodal_cfg"), {}), (("model_cfg", "multimodal_cfg"), None),
    (("model_cfg", "multimodal_cfg"), {"layers": 10**9}), (("model_cfg",), []), (("model_cfg",), None), (("model_cfg",), "ViT-H-14"),
    (("model_cfg",), DELETED),
    *(((*PREPROCESS, "mean"), value) for value in ([0.5], [0.5] * 4, 0.5, "x", [0.5, "x", 0.5], [1e400] * 3, [1e30] * 3, [True] * 3)),
    *(((*PREPROCESS, "std"), value) for value in ([0, 0, 0], [1, 1, 0], [-1, 1, 1], [1e-30] * 3, [])),
    ((*PREPROCESS, "interpolation"), "random"), ((*PREPROCESS, "interpolation"), 3), ((*PREPROCESS, "resize_mode"), "stretch"),
    ((*PREPROCESS, "resize_mode"), ["squash"]), ((*PREPROCESS, "mode"), "CMYK"), ((*PREPROCESS, "fill_color"), 10**9),
    ((*PREPROCESS, "fill_color"), "black"), ((*PREPROCESS, "size"), 10**12), ((*PREPROCESS, "colour"), 1), (PREPROCESS, []), (PREPROCESS, "x"),
    (PREPROCESS, 0),
]  # fmt: skip
SOUND = [
    ((*PREPROCESS, "mean"), [0.5, 0.4, 0.3]), ((*PREPROCESS, "resize_mode"), "squash"), ((*PREPROCESS, "size"), [16, 16]),
    ((*PREPROCESS, "mean"), None), (PREPROCESS, None), ((*VISION, "norm_kwargs"), {"eps": 1e-6}),
    ((*TEXT, "act_kwargs"), {"approximate": "tanh"}), (("model_cfg", "quick_gelu"), True), ((*OPTIONS, "clean"), "canonicalize"),
    (("license",), "mit"), ((*VISION, "timm_model_pretrained"), True),
]  # fmt: skip
TEXTS = {
    "empty": b"", "no JSON": b"{", "a list": b"[]", "a text": b'"x"', "null": b"null", "NaN": b'{"model_cfg": NaN}', "no UTF-8": b'{"\xff": 1}',
    "UTF-16": '{"model_cfg": {}}'.encode("utf-16"),
    "deep": b'{"a":' * 40000, "deep lists": b"[" * 100000 + b"]" * 100000, "twice": b'{"model_cfg": {}, "model_cfg": {}}',
    "many twice": b"{" + b",".join(b'"%d": 1' % (i % 20000) for i in range(20001)) + b"}",
    "long number": b'{"model_cfg": ' + b"9" * 5000 + b"}", "100 MB": None, "page": b"<!DOCTYPE html>", "pickle": b"\x80\x02cos\nsystem\n.",
    "zeros": bytes(1000), "one entry": b'{"model_cfg": {"embed_dim": 4}}',
    "deep value": b'{"model_cfg": {"embed_dim": ' + b"[" * 900 + b"]" * 900 + b', "vision_cfg": {}, "text_cfg": {}}}',
    "odd words": b'{"model_cfg": "\\u0000\\u202e\\ud800"}',
}  # fmt: skip
CASES = {
    f"entry {number}: {'.'.join(place)[-50:]!a} = {'nothing' if value is DELETED else ascii(value)[:30]}": lambda folder, place=place,
    value=value: config(folder, place, value)
    for number, (place, value) in enumerate(ENTRIES)
}  # fmt: skip
CASES |= {
    f"sound entry: {'.'.join(place)} = {value}": lambda folder, place=place, value=value: config(
        folder, place, value, True
    )
    for place, value in SOUND
}
CASES |= {
    f"written: {name}": lambda folder, content=content: written(folder, b" " * 10**8 if content is None else content)
    for name, content in TEXTS.items()
}
CASES |= {
    f"vocabulary: {name}": lambda folder, content=content: vocabulary(folder, content() if callable(content) else content)
    for name, content in {
        "empty": b"", "no gzip": b"#version\nr e\n", "cut": gzip.compress(b"#version\n" + bytes(range(97, 120)) * 99)[:40],
        "bomb": lambda: gzip.compress(bytes(2**29), 9), "two members, one a bomb": lambda: gzip.compress(b"a") + gzip.compress(bytes(2**28), 9),
        "too large": bytes(2**23 + 1), "no UTF-8": gzip.compress(b"#version\n\xff\xfe\n"), "a pickle": b"\x80\x02cos\nsystem\n.",
        "flipped": gzip.compress(b"#version\nr e\nre d</w>")[:-8] + bytes(8),
    }.items()
}  # fmt: skip
CASES |= {
    "vocabulary: one word more": lambda folder: vocabulary(folder, gzip.compress("\n".join([*MERGES, "c u"]).encode()), CONFIG),
    "vocabulary: words twice": lambda folder: vocabulary(folder, gzip.compress(b"#version\nr e\nr e\nr e\nd </w>"), "vocabulary"),
    "vocabulary: three parts": lambda folder: Case(vocabulary(folder, gzip.compress(b"#version\nr e d\nre")).path, loads=None, blamed="vocabulary"),
}  # fmt: skip
CASES |= {
    f"tokenizer: {name}": lambda folder, options=options: tokenizer(folder, **options)
    for name, options in {
        "sound": {"loads": True}, "pad token as an object": {"settings": {"pad_token": {"content": "[PAD]"}}, "loads": True},
        "usual pad token": {"settings": {}, "loads": True},
        "a class and code of its own": {"settings": SETTINGS | {"tokenizer_class": "Evil", "auto_map": {"AutoTokenizer": ["evil.Evil", None]}},
            "loads": True},
        "a chat template": {"settings": SETTINGS | {"chat_template": "{{ ''.__class__.__mro__ }}"}, "loads": True}, "empty": {"written": b""},
        "no JSON": {"written": b"{"}, "a list": {"written": b"[]"}, "deep": {"written": b"[" * 100000},
        "many entries": {"written": b"[" + b"[]," * 4_000_000 + b"[]]"}, "too large": {"written": b" " * (2**27 + 1)},
        "no UTF-8": {"written": b'{"\xff": 1}'}, "no model": {"edit": key("model", None)}, "unknown model": {"edit": key("model", {"type": "Evil"})},
        "no unknown word": {"edit": key("model", {"type": "WordLevel", "vocab": {"[PAD]": 0}, "unk_token": "[UNK]"})},
        "negative ids": {"edit": key("model", {"type": "WordLevel", "vocab": {"[PAD]": -1}, "unk_token": "[PAD]"})},
        "ids beyond the tower": {"edit": key("model", {"type": "WordLevel", "vocab": {"[PAD]": 0, "[UNK]": 100000}, "unk_token": "[UNK]"})},
        "pad beyond the tower": {"edit": key("model", {"type": "WordLevel", "vocab": {"[PAD]": 4 * 10**9, "[UNK]": 1}, "unk_token": "[UNK]"})},
        "template beyond the tower": {"edit": key("post_processor", template(999999))},
        "template of no id": {"edit": key("post_processor", template(-1))}, "text that grows": {"edit": key("normalizer", replace("ee", 40))},
        "text that grows at once": {"edit": key("normalizer", replace("e" * 10**6))},
        "text that grows everywhere": {"edit": key("normalizer", replace("e" * 999, pattern={"Regex": ""}))},
        "a pattern for ever": {"edit": key("normalizer", replace("", pattern={"Regex": "(.?){100000}x" * 3})), "loads": None},
        "a broken pattern": {"edit": key("normalizer", replace("", pattern={"Regex": "(("}))},
        "padding of 2**60": {"edit": key("padding",
            {"strategy": {"Fixed": 2**60}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}),
            "loads": True},
        "truncation of 0": {"edit": key("truncation", {"direction": "Right", "max_length": 0, "strategy": "LongestFirst", "stride": 5}),
            "loads": True}, "pad token is missing": {"settings": {"pad_token": "[NO]"}}, "pad token is a list": {"settings": {"pad_token": ["[PAD]"]},
            "loads": None},
        "pad token has half a character": {"settings": {"pad_token": "\ud800"}},
        "padded on the top": {"settings": SETTINGS | {"padding_side": "top"}}, "settings are a list": {"settings": b"[]"},
        "settings are no JSON": {"settings": b"{"}, "settings are deep": {"settings": b"[" * 50000},
        "settings are too large": {"settings": b" " * (2**23 + 1)},
        "clips without its words": {"text": {"tokenizer_mode": "clips"}}, "no separator": {"text": {"tokenizer_kwargs": {"strip_sep_token": True}}},
        "file to trust": {"text": {"tokenizer_kwargs": {"trust_remote_code": True}}, "blamed": CONFIG},
    }.items()
}  # fmt: skip
