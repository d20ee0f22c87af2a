"""Reward models under the host's memory management, with the host's own patcher and interrupt, on the CPU."""

import gc
import importlib
import weakref

import pytest
import torch


@pytest.fixture(scope="module")
def hosting(pack):
    return importlib.import_module(f"{pack.__name__}.nodes.host.hosted_reward_model")


@pytest.fixture(scope="module")
def score(pack):
    """score(hosted, images, prompt, batch_size) -> (n,)."""
    scoring = importlib.import_module(f"{pack.__name__}.nodes.host.scoring")
    return lambda hosted, *given: scoring.score_images([hosted], *given)[0].rewards


@pytest.fixture(scope="module")
def reward_models(pack):
    return importlib.import_module(f"{pack.__name__}.reward_models")


@pytest.fixture
def probe(hosting, reward_models):
    """probe(reads_prompt, flaw) -> hosted model whose score is 3 * red mean + prompt length, and a record of its calls."""

    class Probe(reward_models.RewardModel):
        name = "probe"

        def __init__(self, reads_prompt, flaw):
            super().__init__()
            self.reads_prompt, self.flaw = reads_prompt, flaw
            self.trunk = torch.nn.Linear(1, 1, bias=False)
            torch.nn.init.constant_(self.trunk.weight, 3.0)
            self.calls = []

        def score_batch(self, batch, prompts):
            images = batch.images
            self.calls.append((tuple(images.shape), images.dtype, tuple(prompts)))
            scores = self.trunk.weight.flatten() * images[:, 0].mean(dim=(1, 2))
            scores = scores + torch.tensor([float(len(p)) for p in prompts])
            if self.flaw is not None and len(self.calls) == 2:
                scores[1] = self.flaw
            return scores

    def build(*, reads_prompt=False, flaw=None):
        return hosting.HostedRewardModel(Probe(reads_prompt, flaw).requires_grad_(False))

    with torch.inference_mode():
        yield build


def images(count=5):
    torch.manual_seed(4)
    return torch.rand(count, 6, 8, 3) * torch.linspace(0.2, 1, count).view(-1, 1, 1, 1)


def test_scores_are_those_of_the_model_in_any_batch_size(probe, score):
    truth = images().double()[..., 0].mean(dim=(1, 2)) * 3 + 2
    for batch_size in (1, 2, 5, 64):
        scores = score(probe(), images(), "ab", batch_size)
        assert scores.shape == (5,) and scores.dtype == torch.float32 and scores.device.type == "cpu"
        torch.testing.assert_close(scores.double(), truth, rtol=0, atol=1e-6)


def test_batches_are_channel_first_and_carry_the_prompt(probe, score):
    hosted = probe()
    score(hosted, images(), "a cat", 2)
    shapes = [(2, 3, 6, 8), (2, 3, 6, 8), (1, 3, 6, 8)]
    assert hosted.model.calls == [(shape, torch.float32, ("a cat",) * shape[0]) for shape in shapes]


def test_alpha_is_dropped_and_grey_is_repeated(probe, score):
    colour, alpha = images(), torch.zeros(5, 6, 8, 1)
    truth = score(probe(), colour, "", 5)
    assert torch.equal(score(probe(), torch.cat((colour, alpha), dim=-1), "", 5), truth)
    grey = probe()
    torch.testing.assert_close(score(grey, colour[..., :1], "", 5), truth)
    assert grey.model.calls[0][0] == (5, 3, 6, 8)


def test_model_stays_float32_on_the_cpu_and_is_what_the_hosts_caches_look_for(probe, comfy):
    hosted = probe()
    assert hosted.model.trunk.weight.dtype == torch.float32
    looked_for = getattr(comfy.model_patcher, "is_model_patcher_output", None)  # older hosts have no such cache
    assert looked_for is None or looked_for(hosted)
    assert hosted.is_dynamic() is False
    assert hosted.name == "probe"


def test_model_is_loaded_by_the_host_and_freed_with_its_node(probe, comfy, score):
    hosted = probe()
    score(hosted, images(), "", 2)
    loaded = [entry.model for entry in comfy.model_management.current_loaded_models]
    assert hosted.patcher in loaded
    model = weakref.ref(hosted.model)
    del hosted, loaded
    gc.collect()
    comfy.model_management.cleanup_models_gc()
    assert model() is None


def test_half_precision_is_used_only_when_the_host_says_so(probe, comfy, monkeypatch, score):
    monkeypatch.setattr(comfy.model_management, "should_use_fp16", lambda *args, **kwargs: True)
    hosted = probe()
    assert hosted.model.trunk.weight.dtype == torch.float16
    assert score(hosted, images(), "", 2).dtype == torch.float32


def test_the_patcher_class_is_looked_up_when_a_model_is_hosted(probe, comfy, monkeypatch):
    import comfy.model_patcher

    class Rebound(comfy.model_patcher.ModelPatcher):
        pass

    monkeypatch.setattr(comfy.model_patcher, "CoreModelPatcher", Rebound)
    assert isinstance(probe().patcher, Rebound)


def test_cancel_stops_before_the_next_batch(probe, comfy, score):
    hosted = probe()
    score_batch = hosted.model.score_batch

    def cancelled_by_the_user(batch, prompts):
        comfy.model_management.interrupt_current_processing()
        return score_batch(batch, prompts)

    hosted.model.score_batch = cancelled_by_the_user
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        score(hosted, images(), "", 2)
    assert len(hosted.model.calls) == 1
    assert not comfy.model_management.processing_interrupted()


def test_progress_counts_images(probe, comfy, monkeypatch, score):
    import comfy.utils

    seen = []
    monkeypatch.setattr(
        comfy.utils, "PROGRESS_BAR_HOOK", lambda value, total, preview, node_id=None: seen.append((value, total))
    )
    monkeypatch.setattr(comfy.utils, "PROGRESS_THROTTLE_MIN_INTERVAL", 0)
    score(probe(), images(), "", 2)
    assert seen == [(2, 5), (4, 5), (5, 5)]


def test_an_empty_prompt_names_the_input_to_fill(probe, score):
    for prompt in ("", "  \n"):
        with pytest.raises(ValueError, match="probe compares images with a text, and 'prompt' is empty"):
            score(probe(reads_prompt=True), images(), prompt, 2)
        score(probe(reads_prompt=False), images(), prompt, 2)


@pytest.mark.parametrize("flaw", [float("nan"), float("inf")])
def test_a_score_that_is_not_finite_names_the_image_and_the_cause(probe, flaw, score):
    with pytest.raises(ValueError, match=rf"probe gave {flaw:g} for image 4 of 5: the image is sound"):
        score(probe(flaw=flaw), images(), "", 2)
    broken = images()
    broken[2] = float("nan")
    with pytest.raises(ValueError, match="image 3 of 5: the image itself is not finite: start ComfyUI with --fp32-vae"):
        score(probe(), broken, "", 2)


def test_what_is_no_image_batch_is_refused(probe, score):
    for shape in [(6, 8, 3), (2, 3, 6, 8), (0, 6, 8, 3)]:
        with pytest.raises(ValueError, match=r"must be an IMAGE \(n, height, width, 3\)"):
            score(probe(), torch.rand(shape), "", 2)
    with pytest.raises(ValueError, match="batch_size must be 1 or more, got 0"):
        score(probe(), images(), "", 0)


def test_a_clip_of_plain_torch_layers_survives_being_unloaded(hosting, reward_models, comfy, score):
    import open_clip

    clip_score = importlib.import_module(f"{reward_models.__name__}.clip_score")
    clip_trunk = importlib.import_module(f"{reward_models.__name__}.clip_trunk")
    preprocess = importlib.import_module(f"{reward_models.__name__}.preprocess")
    vision = {"image_size": 16, "layers": 1, "width": 32, "head_width": 16, "patch_size": 8}
    clip = open_clip.CLIP(8, vision, {"context_length": 12, "width": 16, "heads": 2, "layers": 1}).eval()
    preprocessing = preprocess.Preprocessing((16, 16), (0.5,) * 3, (0.5,) * 3)
    tokenizer = open_clip.SimpleTokenizer(context_length=12)
    trunk = clip_trunk.ClipTrunk(clip, tokenizer, preprocessing, label="tiny", embedding_size=8)
    model = clip_score.ClipScore(trunk).requires_grad_(False)
    with torch.inference_mode():
        truth = model.score(images().movedim(-1, 1), ["fog"] * 5)
        hosted = hosting.HostedRewardModel(model)
        for _ in range(2):
            torch.testing.assert_close(score(hosted, images(), "fog", 2), truth, rtol=0, atol=1e-6)
            comfy.model_management.unload_all_models()
