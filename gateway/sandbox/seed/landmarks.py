"""Seeded contacts worth knowing, for tests, demos and example queries."""

from __future__ import annotations

EVERYWHERE_EMAIL = "ada.winter@northwind.example"
"""Ada Winter, at all three providers (as is everybody from person 1 to 8)."""
EVERYWHERE_GATELY_ID = "6f3d0001-0000-4000-8000-000000000001"
EVERYWHERE_COMETLY_ID = 48_001
EVERYWHERE_KLEN_ID = 9001

MANY_EMAILS_COMETLY_ID = 48_090
"""A Cometly contact with thirty emails, of which a read shows the 25 newest."""
NO_EMAIL_COMETLY_IDS = (48_091, 48_092, 48_093)
MERGED_AWAY_COMETLY_ID = 48_094
SURVIVING_COMETLY_ID = 48_001

DO_NOT_CALL_KLEN_ID = 9003
"""A Klen contact (person 3) whose primary number must not be called."""
NO_EMAIL_KLEN_ID = 9080
OTHER_TEAM_KLEN_ID = 9081
"""A contact of a team that the key cannot see."""
