"""Feeds: YouTube's Atom feeds, podcasts' RSS, and WebSub subscriptions."""
