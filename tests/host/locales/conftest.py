"""What the tests of the translations share."""

from __future__ import annotations

import pytest

from .words import english, shown_schemas


def pytest_addoption(parser):
    parser.addoption("--write-locales", action="store_true", help="write locales/*/nodeDefs.json and main.json anew")


@pytest.fixture(scope="session")
def schemas(node_classes):
    return shown_schemas(node_classes)


@pytest.fixture(scope="session")
def source(schemas):
    """The English words."""
    return english(schemas)
