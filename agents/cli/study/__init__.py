"""Commands that read a study: topics, videos, transcripts, reports, exports."""
