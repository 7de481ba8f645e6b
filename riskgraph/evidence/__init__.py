"""Answers that can be checked: a result with the manifest of all it rests on, and its recomputation."""

from __future__ import annotations

from riskgraph.evidence.answer import Answer, answer
from riskgraph.evidence.fingerprint import canonical, fingerprint
from riskgraph.evidence.questions import QUESTIONS
from riskgraph.evidence.verify import Verification, verify

__all__ = ["Answer", "QUESTIONS", "Verification", "answer", "canonical", "fingerprint", "verify"]
