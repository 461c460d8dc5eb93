"""topics: transcripts.ready → paragraphs → the topic model → topics.changed, topics.labelled."""
