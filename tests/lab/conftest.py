from __future__ import annotations

from tests.lab.fixture import alone, lab, namespace, quiet

__all__ = ["alone", "lab", "namespace", "quiet"]
