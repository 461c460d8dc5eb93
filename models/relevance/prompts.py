"""Descriptions of each kind of talk, in our own words: the starting point of screening.

The kinds are those that the study's reviewers distinguished (experience reports were kept). Each kind has
several short texts, since titles and descriptions of the same kind use different words.
"""

from __future__ import annotations

from collections.abc import Mapping

EXPERIENCE = "experience report"
"""The kind that the study keeps."""

KINDS = (EXPERIENCE, "tutorial", "lecture", "tool introduction", "workshop", "opinion", "other")
"""Kinds of talks, as reviewers name them."""

PROMPTS: Mapping[str, tuple[str, ...]] = {
    EXPERIENCE: (
        "How our team built this system, put it into production and what we learned from running it.",
        "A case study: an engineer tells what worked, what failed and what they would do differently.",
        "Lessons learned at our company while scaling it for real users and customers.",
        "War stories from production: the problems we ran into, how we found them and how we solved them.",
        "The story of how we migrated our platform, why we did it and what it took.",
    ),
    "tutorial": (
        "A tutorial that shows you step by step how to build it yourself.",
        "Learn how to do it from scratch in this beginner's guide with code examples.",
        "In this video I show you how to install it and write your first program.",
        "A crash course that teaches the basics to beginners.",
    ),
    "lecture": (
        "A university lecture: the theory behind it, definitions and proofs.",
        "Lecture of a course at a university, by a professor, for students.",
        "A researcher presents a paper: the method, the experiments and the results.",
    ),
    "tool introduction": (
        "We introduce a new tool, explain its features and show a demo.",
        "An overview of a library: what it is, what it can do and how to get started with it.",
        "Announcing our new product: its features and how it helps you.",
        "What is new in the latest release of this framework.",
    ),
    "workshop": (
        "A hands-on workshop of several hours: bring your laptop and do the exercises with us.",
        "Participants work through notebooks and exercises; the materials and set-up instructions are here.",
        "A training session for which you install the software beforehand.",
    ),
    "opinion": (
        "My opinion on where the industry is going and why it matters.",
        "A panel discusses the future, the hype and the trends.",
        "A keynote of thoughts and predictions about society and technology.",
    ),
    "other": (
        "The week's news and announcements.",
        "A welcome to the conference, its opening remarks and its sponsors.",
        "An interview about a career and a life.",
        "A trailer, a highlight reel or a live stream of an event.",
    ),
}
"""Texts of each kind of talk, in the order of `KINDS`."""

BACKGROUND: tuple[str, ...] = (
    "Rewriting a payment service: a talk about software architecture.",
    "Testing user interfaces in the browser.",
    "Ten years of an open source community and the people in it.",
    "Security of web applications: attacks and defences.",
    "Databases, transactions and indexes.",
    "How to visualise geographic data on maps.",
    "Type systems of programming languages.",
    "Monitoring distributed systems in the cloud.",
    "Statistics for scientists: estimating uncertainty.",
    "Neural networks that recognise images.",
    "A small computer that controls lights and sensors at home.",
    "Mobile applications and their release process.",
    "Teaching children to program with games.",
    "Accessible design for everyone.",
    "Bitcoin, payments and wallets.",
    "Hiring engineers and leading teams.",
    "Astronomers and their telescopes.",
    "Packaging and deploying software with containers.",
    "Music, art and code.",
    "Scheduling jobs on many processors at once.",
    "Cooking a dinner for friends.",
    "The history of a football club.",
    "A walk through a city and its museums.",
    "Investing in shares and property.",
)
"""Subjects of videos in general: the baseline for a video's similarity to a kind or subject."""
