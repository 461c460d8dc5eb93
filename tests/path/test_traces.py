"""The trace of a talk, from the command that hands it in to its topics, at a collector of OpenTelemetry."""

from collections import defaultdict

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.otlp_collector import attributes, collecting
from tests.processes import TALKS, Study

FEW = sorted(TALKS.glob("*.json"))[:2]
NAMES = [f"demo-{each.stem}" for each in FEW]


@pytest.mark.long
def test_each_talk_has_one_trace_through_all_agents(study: Study) -> None:
    with collecting() as collector:
        study.environment["GROUNDSWELL_OTLP_ENDPOINT"] = f"{collector.url}/"
        process = study.run()
        assert study.cli("ingest", *map(str, FEW)).returncode == 0
        wordless = study.home / "wordless.srt"
        wordless.write_text("1\n00:00:00,000 --> 00:00:02,000\n\n")
        assert study.cli("ingest", "--published-at", "2025-01-02", str(wordless)).returncode == 0
        study.until_done(len(FEW) + 1)
        study.until_settled()
        assert process.stop() == 0
    assert collector.services == {("groundswell", "test")}
    talks: dict[bytes, set[str]] = defaultdict(set)
    agents: dict[bytes, set[str]] = defaultdict(set)
    for span in collector.spans:
        about = attributes(span)
        if about.get("groundswell.talk"):
            talks[span.trace_id].add(about["groundswell.talk"])
        if span.kind == Span.SPAN_KIND_CONSUMER:
            agents[span.trace_id].add(about["groundswell.agent"])
    handed_in = {trace: names for trace, names in talks.items() if names & set(NAMES)}
    assert sorted(name for names in handed_in.values() for name in names) == NAMES
    for trace in handed_in:
        assert agents[trace] >= {"screen", "fetch", "transcribe", "split", "track", "store"}
        spans = {span.span_id: span for span in collector.spans if span.trace_id == trace}
        sent_by_the_command = trace[:8]
        assert {span.parent_span_id for span in spans.values()} <= {*spans, sent_by_the_command}
        assert not any(span.status.code == Status.STATUS_CODE_ERROR for span in spans.values())
    (letter,) = study.ask("dead-letters", "list")
    (error,) = [span for span in collector.spans if span.status.code == Status.STATUS_CODE_ERROR]
    assert attributes(error)["groundswell.talk"] == letter["video_id"]
    assert letter["cause"] in error.status.message
