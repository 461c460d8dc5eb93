"""whisperX as its README uses it, for the Python of an environment that has it; see `speech_child`."""

from __future__ import annotations

import inspect
from typing import Any

from benchmarks.speech_child import Hear, Options, serve


def begin(options: Options) -> Hear:
    """Load the models; the one that aligns words comes from the hub, at the first recording of a language."""
    import whisperx
    from whisperx.diarize import DiarizationPipeline

    device = options["device"]
    model = whisperx.load_model(
        options["whisper"],
        device,
        compute_type=options["compute_type"],
        language=options["language"],
        threads=options["threads"],
    )
    # Of its releases, some call the hub's token `use_auth_token`, others `token`.
    names = inspect.signature(DiarizationPipeline).parameters
    token = {"token" if "token" in names else "use_auth_token": options["token"]}
    diarize = DiarizationPipeline(model_name=options["diarization"], device=device, **token)
    aligners: dict[str, Any] = {}

    def hear(path: str) -> dict[str, Any]:
        audio = whisperx.load_audio(path)
        found = model.transcribe(audio, batch_size=options["batch"])
        language = found["language"]
        if language not in aligners:
            aligners[language] = whisperx.load_align_model(language_code=language, device=device)
        aligner, about = aligners[language]
        aligned = whisperx.align(found["segments"], aligner, about, audio, device)
        turns = diarize(audio)
        attributed = whisperx.assign_word_speakers(turns, aligned)
        words: list[dict[str, Any]] = []
        for segment in attributed["segments"]:
            at = segment["start"]
            for word in segment["words"]:  # what it cannot align, such as digits, has no times
                start = word.get("start", at)
                at = word.get("end", start)
                speaker = word.get("speaker") or segment.get("speaker")
                words.append({"start": start, "end": at, "text": f" {word['word']}", "speaker": speaker})
        spans = [
            {"start": row["start"], "end": row["end"], "speaker": row["speaker"]}
            for row in turns.to_dict("records")
        ]
        return {"words": words, "turns": spans}

    return hear


def main() -> None:
    """Serve."""
    serve(begin)
