"""Every guider of the host: what it makes of guidance is told on the node, and is measured here."""

import pytest
import torch

LATENTS = torch.randn(5, 4, 8, 8, generator=torch.Generator().manual_seed(31)) * 6
REWARDS = torch.tensor([0.2, -0.7, 1.9, 0.4, -0.1])
STEPS = 4


@pytest.fixture(scope="module")
def models(build_model):
    return {"guided": build_model("EPS"), "other": build_model("EPS")}


@pytest.fixture
def guided(models, nodes_room):
    """guided(told) -> the model with guidance that tells `told`, a list."""

    def make(told: list):
        model = models["guided"].clone()
        nodes_room("host.post_cfg").Guidance(
            LATENTS, REWARDS, guidance_scale=0.5, reward_strength=30.0, start_percent=0.0, end_percent=0.5,
            guidance_form="blend", effective_dimension=0.0, percent_of="this run", tell=told.append,
        ).attach(model)  # fmt: skip
        return model

    return make


@pytest.fixture
def guider(comfy, models, conditioning):
    """guider(kind, model, cfg) -> that guider of the host's nodes around the model; cfg: one number or two."""
    from comfy_extras import nodes_custom_sampler as host
    from comfy_extras.nodes_perpneg import PerpNegGuider

    positive, negative = conditioning

    def make(kind, model, *cfg):
        if kind in ("regular", "nested"):
            return host.DualCFGGuider.execute(model, positive, negative, negative, *cfg, kind).result[0]
        if kind in ("DualModelGuider", "as model_negative") and not hasattr(host, "DualModelGuider"):
            pytest.skip("this ComfyUI has no DualModelGuider")
        return {
            "BasicGuider": lambda: host.BasicGuider.execute(model, positive),
            "CFGGuider": lambda: host.CFGGuider.execute(model, positive, negative, *cfg),
            "PerpNegGuider": lambda: PerpNegGuider.execute(model, positive, negative, negative, *cfg),
            "DualModelGuider": lambda: host.DualModelGuider.execute(model, positive, *cfg, models["other"], negative),
            "as model_negative": lambda: host.DualModelGuider.execute(models["other"], positive, *cfg, model, negative),
        }[kind]().result[0]

    return make


def sample(guider) -> torch.Tensor:
    import comfy.samplers

    sigmas = comfy.samplers.calculate_sigmas(guider.model_patcher.get_model_object("model_sampling"), "normal", STEPS)
    noise = torch.randn(1, 4, 8, 8, generator=torch.Generator().manual_seed(2))
    return guider.sample(noise, torch.zeros(1, 4, 8, 8), comfy.samplers.sampler_object("euler"), sigmas, seed=2)


def first_prediction(guider) -> torch.Tensor:
    """What the guider hands to the sampler at its first evaluation."""
    from comfy.patcher_extension import WrappersMP

    seen = []
    guider.model_patcher.add_wrapper(
        WrappersMP.PREDICT_NOISE, lambda executor, *args: seen.append(executor(*args)) or seen[-1]
    )
    sample(guider)
    return seen[0]


@pytest.mark.parametrize(
    ("kind", "cfg", "factor"),
    [
        ("BasicGuider", (), 1), ("CFGGuider", (1.0,), 1), ("CFGGuider", (4.0,), 1), ("PerpNegGuider", (4.0, 2.0), 1),
        ("DualModelGuider", (4.0,), 1), ("regular", (2.0, 3.0), 1), ("nested", (2.0, 3.0), 3), ("nested", (2.0, 0.25), 0.25),
        ("nested", (5.0, 1.0), 1), ("nested", (5.0, 0.0), 0),
    ],
)  # fmt: skip
def test_what_a_guider_makes_of_guidance_is_told_as_it_is(guided, guider, models, kind, cfg, factor):
    told, added = [], []
    wrapped = guided(told)
    wrapped.model_options["sampler_post_cfg_function"].insert(
        0, lambda args: added.append(-args["denoised"]) or args["denoised"]
    )
    wrapped.set_model_sampler_post_cfg_function(lambda args: added.append(args["denoised"]) or args["denoised"])
    moved = first_prediction(guider(kind, wrapped, *cfg)) - first_prediction(
        guider(kind, models["guided"].clone(), *cfg)
    )
    shift = added[0] + added[1]
    assert shift.abs().max() > 1
    torch.testing.assert_close(moved, factor * shift, atol=2e-3, rtol=1e-3)
    said = f"\nthe guider multiplies guidance_scale by {factor}: it acts as {0.5 * factor:g}"
    assert told == [told[0]] and told[0].startswith(f"guided 2 of {STEPS} steps\n")
    assert told[0].endswith(" of 5" + said * (factor != 1))


def test_a_guider_that_does_not_ask_is_told_of(guided, guider):
    told = []
    sample(guider("DualModelGuider", guided(told), 1.0))
    assert told == ["no step of 4 was guided: the guider asked for no guidance; use a cfg above 1, or another guider"]


def test_guidance_on_the_model_of_the_negative_is_told_and_does_nothing(guided, guider, models, caplog):
    told = []
    drawn = sample(guider("as model_negative", guided(told), 4.0))
    assert torch.equal(drawn, sample(guider("as model_negative", models["guided"], 4.0)))
    assert told == [
        "nothing is guided: this guider runs the model for the negative prompt alone; guide its other model"
    ]
    assert told[0] in caplog.text


@pytest.fixture
def texts(node_classes, nodes_room, lidar_core, models, monkeypatch):
    """texts(prompt) -> what LiDAR Apply Guidance, node "guide" of a queued prompt, tells before anything samples."""
    from comfy_api.latest import io
    from comfy_execution.graph import DynamicPrompt

    def run(prompt: dict) -> list[str]:
        told = []
        monkeypatch.setattr(nodes_room("apply_guidance"), "writer_on_node", lambda hidden: told.append)
        nodes = {key: {"class_type": kind, "inputs": inputs} for key, (kind, inputs) in prompt.items()}
        hidden = {io.Hidden.unique_id: "guide", io.Hidden.dynprompt: DynamicPrompt(nodes)}
        node = node_classes["LiDARApplyGuidance"].PREPARE_CLASS_CLONE({"hidden_inputs": hidden})
        node.execute(models["guided"], lidar_core.LookaheadSet(LATENTS, REWARDS))
        assert len(told) == 1
        return told[0].split("\n")[1:]

    return run


GUIDE, LOADER = ("LiDARApplyGuidance", {"model": ["loader", 0]}), ("CheckpointLoaderSimple", {"ckpt_name": "x"})
LORA = ("LoraLoaderModelOnly", {"model": ["guide", 0], "lora_name": "x"})
MERGE = ("ModelMergeSimple", {"model1": ["loader", 0], "model2": ["guide", 0], "ratio": 0.5})
WEIGHTS = "not guided: model2 of ModelMergeSimple reads the weights alone; guide the merged model instead"
NEGATIVE = (
    "not guided: model_negative of DualModelGuider is for the negative prompt alone; guide the model beside it instead"
)


@pytest.mark.parametrize(
    ("others", "told"),
    [
        ({}, []),
        ({"sampler": ("KSampler", {"model": ["guide", 0]})}, []),
        ({"merge": MERGE}, [WEIGHTS]),
        ({"merge": MERGE, "sampler": ("KSampler", {"model": ["guide", 0]})}, [WEIGHTS]),
        ({"lora": LORA, "merge": (MERGE[0], MERGE[1] | {"model2": ["lora", 0]})}, [WEIGHTS]),
        ({"merge": (MERGE[0], {"model1": ["guide", 0], "model2": ["loader", 0]})}, []),
        ({"switch": ("ModelSwitchOfAnotherPack", {"model1": ["loader", 0], "model2": ["guide", 0]})}, []),
        ({"dual": ("DualModelGuider", {"model": ["loader", 0], "model_negative": ["guide", 0]}), "merge": MERGE},
         [WEIGHTS, NEGATIVE]),
        ({"one": ("LoraLoaderModelOnly", {"model": ["two", 0]}), "two": ("LoraLoaderModelOnly", {"model": ["one", 0]}),
          "gone": ("NoSuchNode", {"model": ["guide", 0]})}, []),
    ],
)  # fmt: skip
def test_inputs_at_which_guidance_is_lost_are_told_from_the_prompt(texts, others, told):
    assert texts({"guide": GUIDE, "loader": LOADER} | others) == told


def test_the_merged_model_really_is_unguided(guided, guider, models):
    from comfy_extras.nodes_model_merging import ModelMergeSimple

    told = []
    merged = ModelMergeSimple().merge(models["other"], guided(told), 0.5)[0]
    plain = ModelMergeSimple().merge(models["other"], models["guided"], 0.5)[0]
    assert torch.equal(sample(guider("CFGGuider", merged, 4.0)), sample(guider("CFGGuider", plain, 4.0)))
    assert told == []
