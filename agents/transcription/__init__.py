"""transcription: audio.stored → transcripts.ready; and the export of transcripts."""
