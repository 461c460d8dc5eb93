"""When a subject is news: names that burst, topics that later talks confirm, and each told once."""
