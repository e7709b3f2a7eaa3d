"""Which words do the exports use? The columns of each file and the codes of the features, as the product sends them."""

from __future__ import annotations

COLUMNS = {
    "tenants": ("tenant_id", "name", "plan", "region", "created_at"),
    "users": ("user_id", "tenant_id", "email", "role", "created_at"),
    "feature_usage": ("event_id", "tenant_id", "user_id", "feature_code", "event_ts", "duration_ms"),
}

FEATURES = {
    "Editor": ("editor.open", "editor.save", "editor.share", "editor.comment", "editor.export"),
    "AI": ("ai.complete", "ai.summarize", "ai.translate", "ai.chat", "ai.explain_query"),
    "Catalog": ("catalog.search", "catalog.browse", "catalog.tag", "catalog.lineage"),
    "Governance": ("governance.policy", "governance.access", "governance.audit", "governance.quality"),
}

CODES = tuple(code for codes in FEATURES.values() for code in codes)
