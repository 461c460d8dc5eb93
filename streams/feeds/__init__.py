"""Feeds: YouTube's Atom, podcasts' RSS, and WebSub subscriptions."""
