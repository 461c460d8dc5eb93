"""topics: transcripts.ready → paragraphs → topic model → topics.changed, topics.labelled."""
