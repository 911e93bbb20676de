"""Search: every text in its own language, whatever script it is in."""
from typing import Any
from uuid import UUID

from support import transcript, translation

from livetranslate_store import Store


async def test_smoke(store: Store, session_id: UUID) -> None:
    await store.record_segment(session_id, transcript=transcript("We discussed the budgets in two meetings.", start_time=1.0), translations=[translation("Hablamos del café y los presupuestos."), translation("予算の件を話しました。", "ja")])
    for q in ("meeting", "budget", '"two meeting"', "cafe", "presupuesto", "予算", "件", "budget -meeting", "the budget", "nothing or meeting"):
        page = await store.search(q)
        print(q, [(h.kind, h.snippet, [h.snippet[a:b] for a, b in h.highlights], h.rank) for h in page])
    for q in ("meetnig", "budgte", "presupusto"):
        page = await store.search(q, fuzzy=True)
        print(q, [(h.kind, h.snippet, [h.snippet[a:b] for a, b in h.highlights], h.rank) for h in page])
    assert 0
