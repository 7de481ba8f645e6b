"""Tests in the opposite order: ``python -m pytest -p tests.trust.backwards …``; one that needs another fails then."""

from __future__ import annotations


def pytest_collection_modifyitems(items):
    """The last test first; those that share what is made once a module stay side by side."""
    items.reverse()
