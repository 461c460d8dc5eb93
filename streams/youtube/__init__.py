"""YouTube through yt-dlp and the Data API: listings, videos, audio, captions and a budget of requests."""
