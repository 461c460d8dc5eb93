"""The codebook as the queries apply it: entries, decisions, topics' facts, speakers' names."""
