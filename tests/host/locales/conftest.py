"""What the tests of the translations share."""

from __future__ import annotations

import sys

import pytest
import torch

from .words import english, shown_schemas


def pytest_addoption(parser):
    parser.addoption("--write-locales", action="store_true", help="write locales/*/nodeDefs.json and main.json anew")


@pytest.fixture(scope="session")
def schemas(node_classes):
    return shown_schemas(node_classes)


@pytest.fixture(scope="session")
def source(schemas, pack):
    """The English words."""
    told = sys.modules[f"{pack.__name__}.nodes.values.score_facts"]
    scores = torch.tensor([0.5, 0.25, 0.125])
    facts = [("set of lookaheads", "")]
    for judges in ({"a": scores, "b": -scores}, {"a": scores, "b": scores, "c": -scores}):
        facts += told.score_facts(scores, judges)
    for report in ("guided 6 of 20 steps", "guided 6 of 20 steps\nsigma 14.6 to 2.1"):
        facts += told.guided_facts(report)
    return english(schemas, facts)
