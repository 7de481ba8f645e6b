"""Personal data kept to what the task needs: pseudonyms, cases that can be shared, and the end of retention."""

from __future__ import annotations

from riskgraph.privacy.pseudonyms import key_fingerprint, pseudonymise
from riskgraph.privacy.retention import expired, retain
from riskgraph.privacy.share import join_keys, share_case

__all__ = ["expired", "join_keys", "key_fingerprint", "pseudonymise", "retain", "share_case"]
