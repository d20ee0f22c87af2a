"""What the tests of the translations share."""

from __future__ import annotations

import sys

import pytest
import torch

from .words import english, shown_schemas

REPORTS = (
    "guided 6 of 20 steps",
    "guided 6 of 20 steps\nsigma 14.6 to 2.1",
    "1 image: 42 model evaluations",
    "3 images: 122 model evaluations, 80 of them for the lookaheads",
    "3 finished, 1 kept: about 3 times the time of finishing 1",
    "mean score 0.66 of the kept, 0.61 of all finished",
    "nothing is guided: guidance_scale is 0",
    "nothing is guided: reward_strength is 0",
    "nothing is guided: start_percent and end_percent are both 0.3",
    "one candidate leaves nothing to choose; set count to 8 or more",
    "all 8 candidates go on, so nothing was chosen at the cut; raise count",
    "lookahead_model is not used: start_from is continue the best; choose best lookaheads to use it",
)
"""What runs tell on the contact sheet and each language says; the rest is told in English."""


def pytest_addoption(parser):
    parser.addoption("--write-locales", action="store_true", help="write locales/*/nodeDefs.json and main.json anew")


@pytest.fixture(scope="session")
def schemas(node_classes):
    return shown_schemas(node_classes)


@pytest.fixture(scope="session")
def source(schemas, pack):
    """The English words."""
    values = f"{pack.__name__}.nodes.values"
    told = sys.modules[f"{values}.score_facts"]
    scores = torch.tensor([0.5, 0.25, 0.125])
    facts = [("set of lookaheads", ""), (sys.modules[f"{values}.run_facts"].FROM_OTHER_NOISE, "")]
    for judges in ({"a": scores, "b": -scores}, {"a": scores, "b": scores, "c": -scores}):
        facts += told.score_facts(scores, judges)
    for report in REPORTS:
        facts += sys.modules[f"{values}.run_facts"].run_facts(report)
    return english(schemas, facts)
