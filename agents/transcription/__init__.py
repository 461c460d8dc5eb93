"""transcription: audio.stored → transcripts.ready; and how transcripts are shown."""
