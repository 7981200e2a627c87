"""Hypothesis profiles and shared fixtures."""

import os

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("dev", deadline=None, max_examples=40)
settings.register_profile("stress", deadline=None, max_examples=1000)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci")  # the same draws for everyone
)


@pytest.fixture(scope="session")
def real_data():
    """The folder of real data sets, where there is one."""
    folder = os.environ.get("SGDREG_DATA")
    if not folder or not os.path.isdir(folder):
        pytest.skip("SGDREG_DATA names no folder of real data sets")
    return folder


@pytest.fixture
def write(tmp_path):
    """A function that writes text or bytes to a file of its own, and returns its path."""

    def write(content, name="data.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def pytest_collection_modifyitems(config, items):
    """Heavy tests run only when asked for: pytest -m heavy."""
    if "heavy" in (config.option.markexpr or ""):
        return
    skip = pytest.mark.skip(reason="heavy; run with: pytest -m heavy")
    for item in items:
        if item.get_closest_marker("heavy"):
            item.add_marker(skip)
