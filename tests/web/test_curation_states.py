"""Tests of the curation pages for a study that has no topics to curate yet."""

from signed_in import signed_in

from streams.store.warehouse import Warehouse


async def test_an_empty_study_says_so(new_study: Warehouse) -> None:
    new_study.migrate()
    async with signed_in(new_study) as client:
        for path in ("/curation", "/curation/review", "/curation/history", "/curation/agreement"):
            page = await client.get(path)
            assert page.status_code == 200, path
            assert 'class="notice"' in page.text
        page = await client.get("/curation/preview?action=create%20theme&name=Costs")
        assert page.status_code in (200, 422)
