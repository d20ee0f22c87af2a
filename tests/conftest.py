"""What all tests share: figures that a passing run still shows."""

import pytest

_figures = pytest.StashKey[list[tuple[str, str]]]()


def pytest_configure(config):
    config.stash[_figures] = []


@pytest.fixture
def record_figure(request):
    """Return record(name, value): the figure is printed at the end of the run, whether the tests pass or not."""

    def record(name: str, value: object) -> None:
        shown = f"{value:.4g}" if isinstance(value, float) else str(value)
        request.config.stash[_figures].append((name, shown))

    return record


def pytest_terminal_summary(terminalreporter, config):
    figures = config.stash[_figures]
    if figures:
        terminalreporter.section("figures")
        width = max(len(name) for name, _ in figures)
        for name, value in figures:
            terminalreporter.line(f"{name:<{width}}  {value}")
