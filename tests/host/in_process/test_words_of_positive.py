"""An empty prompt of LiDAR KSampler takes the words from what feeds `positive`, as far as the queued prompt shows them."""

import pytest


@pytest.fixture
def words(comfy, nodes_room):
    """words(nodes, link) -> what words_of finds; nodes: id -> (class type, inputs)."""
    from comfy_execution.graph import DynamicPrompt

    def find(nodes: dict, link: list):
        prompt = {key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in nodes.items()}
        return nodes_room("host.words_of_positive").words_of(DynamicPrompt(prompt), link)

    return find


YES = ("CLIPTextEncode", {"clip": ["loader", 1], "text": "a red fox"})
NO = ("CLIPTextEncode", {"clip": ["loader", 1], "text": "blurry"})
LOADER = ("CheckpointLoaderSimple", {"ckpt_name": "x"})


@pytest.mark.parametrize(
    ("between", "link"),
    [
        ({}, ["yes", 0]),
        ({"zero": ("ConditioningZeroOut", {"conditioning": ["yes", 0]})}, ["zero", 0]),
        ({"both": ("ConditioningCombine", {"conditioning_1": ["yes", 0], "conditioning_2": ["no", 0]})}, ["both", 0]),
        ({"net": ("ControlNetApplyAdvanced", {"negative": ["no", 0], "positive": ["yes", 0], "image": ["loader", 0]})}, ["net", 0]),
        ({"flux": ("FluxGuidance", {"guidance": 3.5, "conditioning": ["zero", 0]}),
          "zero": ("ConditioningSetTimestepRange", {"conditioning": ["yes", 0], "start": 0.0, "end": 1.0})}, ["flux", 0]),
    ],
)  # fmt: skip
def test_the_words_are_found_behind_conditioning_nodes(words, between, link):
    assert words({"loader": LOADER, "yes": YES, "no": NO} | between, link) == "a red fox"


def test_the_negative_side_of_a_pair_is_told_from_the_positive(words):
    net = ("ControlNetApplyAdvanced", {"positive": ["yes", 0], "negative": ["no", 0]})
    assert words({"yes": YES, "no": NO, "net": net, "loader": LOADER}, ["net", 1]) == "blurry"


def test_a_linked_text_gives_its_link_and_other_encoders_their_own_names(words):
    assert words(
        {"yes": ("CLIPTextEncode", {"text": ["words", 0]}), "words": ("PrimitiveString", {"value": "x"})}, ["yes", 0]
    ) == ["words", 0]
    assert (
        words({"yes": ("CLIPTextEncodeFlux", {"clip_l": "fox", "t5xxl": "a red fox in snow"})}, ["yes", 0])
        == "a red fox in snow"
    )


def test_a_text_that_comes_through_a_node_of_any_kind_gives_its_link(words, monkeypatch):
    import nodes as host_nodes

    switch = type("Switch", (), {"RETURN_TYPES": ("*",)})
    monkeypatch.setitem(host_nodes.NODE_CLASS_MAPPINGS, "Switch", switch)
    nodes = {
        "yes": ("CLIPTextEncode", {"text": ["switch", 0]}),
        "switch": ("Switch", {"first": "a hen", "second": "a fox"}),
    }
    assert words(nodes, ["yes", 0]) == ["switch", 0]


@pytest.mark.parametrize(
    "nodes",
    [
        {},
        {"yes": ("CLIPTextEncode", {"text": "  "})},
        {"yes": ("LoadLatent", {"latent": "x"})},
        {"yes": ("ConditioningZeroOut", {"conditioning": ["yes", 0]})},
        {"yes": ("NoSuchNode", {"conditioning": ["gone", 0]})},
    ],
)
def test_where_there_are_none_nothing_is_found(words, nodes):
    assert words(nodes, ["yes", 0]) is None


@pytest.mark.parametrize(
    ("prompt", "plain"),
    [
        ("a red fox", "a red fox"),
        ("a (red:1.3) fox, [blurry], ((detailed))", "a red fox, blurry, detailed"),
        ("a fox BREAK in snow", "a fox in snow"),
        ("a fox, embedding:EasyNegative, (embedding:ugly:1.2), in snow", "a fox, in snow"),
        (r"smile \\(close up\\), (soft (warm:0.8) light:1.1)", "smile (close up), soft warm light"),
        ("a breakfast, 16:9", "a breakfast, 16:9"),
        ("(((a cat:1.2) in (the (deep:.9) snow):1.1)), [blurry:-1]", "a cat in the deep snow, blurry"),
        (r"\\(a\\) \\{b|c\\} d | e", "(a) {b|c} d | e"),
        ("a {red|{dark|light} blue} [cat|dog]", "a red or dark or light blue cat or dog"),
        ("{2$$, $$a|b} {0.5::x|3::y} {1-2$$p|q}", "a or b x or y p or q"),
        ("__animals/cats__ on __old_place__, a_b, __init", "animals cats on old place, a_b, __init"),
        ("a cat <lora:style_v2:0.8>, 🦊 in snow 3 < 4", "a cat, 🦊 in snow 3 < 4"),
        ("a cat // not a dog\n/* nor\na cow */ in snow, https://x.y", "a cat in snow, https://x.y"),
        ("BREAK, (embedding:bad:1.2)", ""),
        ("", ""),
    ],
)
def test_what_only_an_encoder_reads_is_left_out(nodes_room, prompt, plain):
    assert nodes_room("values.plain_words").plain_words(prompt.replace("\\\\", "\\")) == plain


def test_choices_that_nobody_made_are_told(nodes_room):
    unmade = nodes_room("values.plain_words").unmade_choices
    assert unmade(r"a fox {in snow} \{a|b\}, [c|d], a__b__c") == []
    choice, wildcard = unmade("a {red|blue} {big|small} __animal__ in __place__")
    assert choice.startswith(
        "{red|blue} in the prompt is read as 'red or blue': the page chooses in CLIP Text Encode alone"
    )
    assert wildcard.startswith("__animal__ in the prompt is read as its name")
