"""YouTube through yt-dlp and the Data API: listings, videos, audio, captions and the request budget."""
